// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Cosigner} from "../../../contracts/libraries/Cosigners.sol";
import {MemberActions} from "./MemberActions.sol";
import {vm} from "./Vm.sol";

/// @notice Patients, those who sign for them and second persons sign: mostly as they should.
abstract contract Signatures is MemberActions {
    /// @dev Order of secp256k1, by which a signature can be turned into a second valid-looking one.
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    string internal constant PATIENTS_DOMAIN = "chartseal PatientRegistry";

    mapping(bytes32 signerHash => uint256 privateKey) internal _keyOfSigner;

    function _signByRegistry(bytes32 patientId, bytes32 structHash) internal returns (Signed memory) {
        return _signFor(patientId, address(PATIENT_REGISTRY), PATIENTS_DOMAIN, structHash);
    }

    /// @dev As `_sign`, by who signs for the patient.
    function _signFor(
        bytes32 patientId,
        address verifier,
        string memory domain,
        bytes32 structHash
    ) internal returns (Signed memory signed) {
        GhostPatient storage patient = _patients[patientId];
        if (patient.threshold != 0 && _guardiansSignFor(patient)) {
            return _signAsGuardians(patient, verifier, domain, structHash);
        }
        uint256 key = _keyOfSigner[keccak256(patient.signer)];
        (signed.signature, signed.by) = _sign(key == 0 ? _patientKey(0) : key, verifier, domain, structHash);
    }

    /// @dev Mostly as many as must sign; sometimes one too few, one twice, or another's.
    function _signAsGuardians(
        GhostPatient storage patient,
        address verifier,
        string memory domain,
        bytes32 structHash
    ) internal returns (Signed memory signed) {
        uint256 count = patient.threshold;
        if (_onceIn(8)) count -= 1;
        signed.guardians = new bytes[](count);
        bytes[] memory signatures = new bytes[](count);
        signed.allSigned = true;
        for (uint256 i = 0; i < count; ++i) {
            bytes memory guardian = patient.guardians[_onceIn(8) ? 0 : i];
            if (_onceIn(12)) guardian = abi.encodePacked(vm.addr(_patientKey(_draw(PATIENT_KEYS))));
            uint256 key = _keyOfSigner[keccak256(guardian)];
            bytes memory by;
            (signatures[i], by) = _sign(key == 0 ? _patientKey(0) : key, verifier, domain, structHash);
            if (keccak256(by) != keccak256(guardian)) signed.allSigned = false;
            for (uint256 j = 0; j < i; ++j) {
                if (keccak256(signed.guardians[j]) == keccak256(guardian)) signed.allSigned = false;
            }
            signed.guardians[i] = guardian;
        }
        signed.signature = abi.encode(signed.guardians, signatures);
    }

    /// @dev A second person's signature, mostly right.
    function _cosign(
        address account,
        uint48 deadline,
        address verifier,
        string memory domain,
        bytes32 structHash
    ) internal returns (Cosigner memory second, bytes memory signedBy) {
        uint256 key = _keyOfAccount[account];
        (bytes memory signature, bytes memory by) = _sign(
            key == 0 ? _patientKey(0) : key,
            verifier,
            domain,
            structHash
        );
        return (Cosigner(account, deadline, signature), by);
    }

    /// @dev Mostly now or in a second, sometimes a second ago.
    function _someDeadline() internal returns (uint48) {
        return uint48(_onceIn(10) ? _clock - 1 : _clock + _draw(2));
    }

    /// @dev Mostly what it should be. Returns also whose signature over this struct it is: nobody's, if anything
    /// about it is wrong.
    function _sign(
        uint256 key,
        address verifier,
        string memory domain,
        bytes32 structHash
    ) internal returns (bytes memory signature, bytes memory signedBy) {
        uint256 wrong = _onceIn(4) ? 1 + _draw(8) : 0;
        if (wrong == 1) key = _patientKey(_draw(PATIENT_KEYS));
        uint256 chainId = wrong == 2 ? block.chainid + 1 : block.chainid;
        if (wrong == 3)
            verifier = verifier == address(PATIENT_REGISTRY) ? address(CONSENTS) : address(PATIENT_REGISTRY);
        if (wrong == 4) structHash ^= bytes32(uint256(1));
        if (wrong == 5) domain = "chartseal Nobody";
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(domain, chainId, verifier, structHash));
        if (wrong == 6) (v, s) = (55 - v, bytes32(CURVE_ORDER - uint256(s)));
        if (wrong == 7) r ^= bytes32(uint256(1));
        signature = wrong == 8 ? bytes.concat(r, s) : bytes.concat(r, s, bytes1(v));
        if (wrong < 2) signedBy = abi.encodePacked(vm.addr(key));
    }

    function _patientKey(uint256 n) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("patient", n))) % CURVE_ORDER;
    }

    function _digest(
        string memory domain,
        uint256 chainId,
        address verifier,
        bytes32 structHash
    ) private pure returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256(bytes(domain)),
                keccak256("1"),
                chainId,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
