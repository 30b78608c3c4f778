// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Signatures} from "./Signatures.sol";
import {vm} from "./Vm.sol";

/// @notice Patients are registered, with a key of theirs or with guardians.
abstract contract PatientActions is Signatures {
    uint256 private constant SEEDS = 8;
    uint8 internal constant SIGNER = 1;
    uint8 internal constant GUARDIAN = 2;
    uint8 internal constant DELEGATE = 3;

    struct GhostKey {
        bytes32 patientId;
        uint8 use; // 0: nobody's
    }

    bytes32[] internal _patientIds;
    bytes[] internal _keysEver;
    mapping(bytes32 keyHash => GhostKey key) internal _keys;

    function register(uint256 seed) public action(seed) {
        address from = _staffFor(0, OPERATOR, WRITING);
        // Some have no device: the third always, so that there is one from the beginning.
        bool none = _patientIds.length == 2 || _onceIn(4);
        bytes memory key = _someKey(
            none
                ? 1
                : _onceIn(8)
                    ? _draw(5)
                    : 0
        );
        bytes32 random = bytes32(_draw(SEEDS));
        uint48 deadline = _someDeadline();
        (bytes32 patientId, uint32 custodian) = _newPatientRules(from, random);
        bytes memory possession = key.length == 0 ? bytes("") : _possess(patientId, key, SIGNER, deadline);

        bytes memory call = abi.encodeCall(PATIENT_REGISTRY.register, (random, key, possession, deadline));
        if (!_attempt(from, address(PATIENT_REGISTRY), call)) return;
        _patients[patientId].custodian = custodian;
        _patients[patientId].signer = key;
        if (key.length != 0) _claim(patientId, key, SIGNER);
        _patientIds.push(patientId);
    }

    function registerWithGuardians(uint256 seed) public action(seed) {
        address from = _staffFor(0, OPERATOR, WRITING);
        bytes32 random = bytes32(_draw(SEEDS));
        uint48 deadline = _someDeadline();
        (bytes32 patientId, uint32 custodian) = _newPatientRules(from, random);
        IPatientRegistry.GuardianSet memory set;
        (set.guardians, set.threshold) = _someGuardians(_onceIn(10) ? _draw(10) : 1 + _draw(3));
        set.until = uint48(_onceIn(10) ? _clock - 1 : _clock + 20 days + _draw(200 days));
        uint256 count = set.guardians.length;
        set.possessions = new bytes[](_onceIn(12) ? count + 1 : count);
        _rule(set.possessions.length == count, IPatientRegistry.GuardiansInvalid.selector);
        for (uint256 i = 0; i < count; ++i) {
            set.possessions[i] = _possess(patientId, set.guardians[i], GUARDIAN, deadline);
        }
        _rule(count != 0, IPatientRegistry.GuardiansInvalid.selector);
        _setRules(set.guardians, set.threshold, set.until);

        bytes memory call = abi.encodeCall(PATIENT_REGISTRY.registerWithGuardians, (random, set, deadline));
        if (!_attempt(from, address(PATIENT_REGISTRY), call)) return;
        _patients[patientId].custodian = custodian;
        _patientIds.push(patientId);
        _appoint(patientId, set.guardians, set.threshold, set.until);
    }

    function _newPatientRules(
        address from,
        bytes32 random
    ) private returns (bytes32 patientId, uint32 custodian) {
        custodian = _staffRules(from, OPERATOR, WRITING);
        patientId = keccak256(bytes.concat(bytes4(custodian), random));
        _rule(_patients[patientId].custodian == 0, IPatientRegistry.PatientAlreadyRegistered.selector);
    }

    /// @dev The key's signature that it is held, mostly right.
    function _possess(
        bytes32 patientId,
        bytes memory key,
        uint8 use,
        uint48 deadline
    ) internal returns (bytes memory possession) {
        bytes32 typeHash = keccak256(
            use == SIGNER
                ? bytes("PatientSigner(bytes32 patientId,bytes key,uint48 deadline)")
                : use == GUARDIAN
                    ? bytes("PatientGuardian(bytes32 patientId,bytes key,uint48 deadline)")
                    : bytes("PatientDelegate(bytes32 patientId,bytes key,uint48 deadline)")
        );
        bytes memory by;
        uint256 privateKey = _keyOfSigner[keccak256(key)];
        (possession, by) = _sign(
            privateKey == 0 ? _patientKey(0) : privateKey,
            address(PATIENT_REGISTRY),
            PATIENTS_DOMAIN,
            keccak256(abi.encode(typeHash, patientId, keccak256(key), deadline))
        );
        bool passkey = key.length == 84 && address(bytes20(key)) == PASSKEYS;
        _rule(key.length == 20 || passkey, IPatientRegistry.KeyUnsupported.selector);
        _rule(_clock <= deadline, IPatientRegistry.DeadlinePassed.selector);
        _rule(_isFree(patientId, key, use), IPatientRegistry.KeyInUse.selector);
        _rule(keccak256(by) == keccak256(key), IPatientRegistry.SignatureInvalid.selector);
    }

    /// @dev A key serves one patient, in one use, for good; a guardian's or delegate's serves the same patient again.
    function _isFree(bytes32 patientId, bytes memory key, uint8 use) internal view returns (bool) {
        GhostKey storage owner = _keys[keccak256(key)];
        return owner.use == 0 || (owner.patientId == patientId && owner.use == use && use != SIGNER);
    }

    function _claim(bytes32 patientId, bytes memory key, uint8 use) internal {
        if (_keys[keccak256(key)].use == 0) _keysEver.push(key);
        _keys[keccak256(key)] = GhostKey(patientId, use);
    }

    function _setRules(bytes[] memory guardians, uint8 threshold, uint256 until) internal {
        uint256 count = guardians.length;
        bool sized = count <= 8 && threshold <= count && (count == 0 || threshold != 0);
        _rule(sized, IPatientRegistry.GuardiansInvalid.selector);
        _rule(count == 0 || _clock <= until, IPatientRegistry.DeadlinePassed.selector);
        for (uint256 i = 1; i < count; ++i) {
            bool rising = keccak256(guardians[i - 1]) < keccak256(guardians[i]);
            _rule(rising, IPatientRegistry.GuardiansInvalid.selector);
        }
    }

    function _appoint(bytes32 patientId, bytes[] memory guardians, uint8 threshold, uint256 until) internal {
        GhostPatient storage patient = _patients[patientId];
        delete patient.guardians;
        for (uint256 i = 0; i < guardians.length; ++i) {
            patient.guardians.push(guardians[i]);
            _claim(patientId, guardians[i], GUARDIAN);
        }
        patient.threshold = threshold;
        patient.guardiansUntil = until;
    }

    /// @dev Mostly in the order that is asked, and mostly fewer must sign than there are.
    function _someGuardians(uint256 count) internal returns (bytes[] memory guardians, uint8 threshold) {
        guardians = new bytes[](count);
        bool sorts = !_onceIn(10);
        for (uint256 i = 0; i < count; ++i) {
            bytes memory key = _someKey(_onceIn(24) ? _draw(5) : 0);
            uint256 place = i;
            while (sorts && place > 0 && keccak256(guardians[place - 1]) > keccak256(key)) {
                guardians[place] = guardians[place - 1];
                --place;
            }
            guardians[place] = key;
        }
        threshold = uint8(
            _onceIn(12)
                ? _draw(4)
                : count == 0
                    ? 0
                    : 1 + _draw(count)
        );
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

    /// @dev Mostly one that serves nobody yet.
    /// @param kind 0: an ordinary key, 1: none, 2: too short, 3: a verifier of somebody's, 4: the consortium's passkey
    /// verifier with a key that did not sign.
    function _someKey(uint256 kind) internal returns (bytes memory signer) {
        uint256 key = _patientKey(_draw(PATIENT_KEYS));
        for (uint256 i = 0; i < 12 && _keys[keccak256(_signerBytes(key, kind))].use != 0; ++i) {
            key = _patientKey(_draw(PATIENT_KEYS));
            if (_onceIn(24)) break;
        }
        signer = _signerBytes(key, kind);
        _keyOfSigner[keccak256(signer)] = key;
    }

    function _signerBytes(uint256 key, uint256 kind) private view returns (bytes memory) {
        address account = vm.addr(key);
        if (kind == 1) return "";
        if (kind == 2) return abi.encodePacked(bytes19(bytes20(account)));
        if (kind == 3) return abi.encodePacked(account, key, key);
        return kind == 4 ? abi.encodePacked(PASSKEYS, key, key) : abi.encodePacked(account);
    }
}
