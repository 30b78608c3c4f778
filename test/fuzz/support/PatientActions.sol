// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Cosigner} from "../../../contracts/libraries/Cosigners.sol";
import {MemberActions} from "./MemberActions.sol";
import {vm} from "./Vm.sol";

/// @notice Patients are registered, and sign: mostly as they should.
abstract contract PatientActions is MemberActions {
    uint256 private constant SEEDS = 4;
    /// @dev Order of secp256k1, by which a signature can be turned into a second valid-looking one.
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    bytes32[] internal _patientIds;
    mapping(bytes32 signerHash => uint256 privateKey) internal _keyOfSigner;

    function register(uint256 seed) public action(seed) {
        address from = _staffFor(0, OPERATOR, WRITING);
        _register(
            from,
            bytes32(_draw(SEEDS)),
            _patientKey(_draw(PATIENT_KEYS)),
            _onceIn(6) ? _draw(4) + 1 : 0
        );
    }

    /// @param kind 0: an ordinary key, 1: no signer, 2: too short a signer, 3: a verifier of somebody's, 4: the
    /// consortium's passkey verifier with a key that did not sign.
    function _register(address from, bytes32 seed, uint256 key, uint256 kind) internal {
        uint32 custodian = _staffRules(from, OPERATOR, WRITING);
        bytes32 patientId = keccak256(bytes.concat(bytes4(custodian), seed));
        _rule(_patients[patientId].custodian == 0, IPatientRegistry.PatientAlreadyRegistered.selector);
        bytes memory signer = _signerBytes(key, kind);
        uint48 deadline = uint48(_onceIn(10) ? _clock - 1 : _clock);
        (bytes memory possession, bytes memory signedBy) = _sign(
            key,
            address(PATIENT_REGISTRY),
            "chartseal PatientRegistry",
            keccak256(
                abi.encode(
                    keccak256("PatientSigner(bytes32 patientId,bytes key,uint48 deadline)"),
                    patientId,
                    keccak256(signer),
                    deadline
                )
            )
        );
        if (kind != 1) {
            _rule(signer.length == 20 || kind == 4, IPatientRegistry.KeyUnsupported.selector);
            _rule(_clock <= deadline, IPatientRegistry.DeadlinePassed.selector);
            _rule(!_signersTaken[keccak256(signer)], IPatientRegistry.KeyInUse.selector);
            _rule(keccak256(signedBy) == keccak256(signer), IPatientRegistry.SignatureInvalid.selector);
        }

        bytes memory call = abi.encodeCall(PATIENT_REGISTRY.register, (seed, signer, possession, deadline));
        if (!_attempt(from, address(PATIENT_REGISTRY), call)) return;

        _patients[patientId].custodian = custodian;
        _patients[patientId].signer = signer;
        if (kind != 1) _signersTaken[keccak256(signer)] = true;
        _keyOfSigner[keccak256(signer)] = key;
        _patientIds.push(patientId);
    }

    /// @dev Of `custodian`'s when it is not 0 and has one; sometimes one that nobody registered.
    function _somePatient(uint32 custodian) internal returns (bytes32) {
        uint256 count = _patientIds.length;
        if (count == 0 || _onceIn(20)) return keccak256("nobody");
        uint256 from = _draw(count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 patientId = _patientIds[(from + i) % count];
            if (custodian == 0 || _patients[patientId].custodian == custodian) return patientId;
        }
        return _patientIds[from];
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
        if (wrong == 5) domain = "chartseal AccessLog";
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(domain, chainId, verifier, structHash));
        if (wrong == 6) (v, s) = (55 - v, bytes32(CURVE_ORDER - uint256(s)));
        if (wrong == 7) r ^= bytes32(uint256(1));
        signature = wrong == 8 ? bytes.concat(r, s) : bytes.concat(r, s, bytes1(v));
        if (wrong < 2) signedBy = abi.encodePacked(vm.addr(key));
    }

    function _patientKey(uint256 n) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("patient", n))) % CURVE_ORDER;
    }

    function _signerBytes(uint256 key, uint256 kind) private view returns (bytes memory) {
        address account = vm.addr(key);
        if (kind == 1) return "";
        if (kind == 2) return abi.encodePacked(bytes19(bytes20(account)));
        if (kind == 3) return abi.encodePacked(account, key, key);
        return kind == 4 ? abi.encodePacked(PASSKEYS, key, key) : abi.encodePacked(account);
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
