// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {ChangeActions} from "./ChangeActions.sol";
import {vm} from "./Vm.sol";

/// @notice Guardians and delegates are named by who signs for a patient, and guardians propose changes.
abstract contract ProxyActions is ChangeActions {
    uint256 private constant DELEGATE_KEYS = 24;
    uint8 private constant TO_DEAD = 4;
    bytes32 private constant GUARDIANS_TYPEHASH = keccak256(
        "GuardianSet(bytes32 patientId,bytes[] guardians,uint8 threshold,uint48 until,uint32 nonce,uint48 deadline)"
    );
    bytes32 private constant DELEGATION_TYPEHASH = keccak256(
        "Delegation(bytes32 patientId,bytes key,uint48 until,uint32 nonce,uint48 deadline)"
    );

    /// @dev Whom a patient ever named, or ended.
    mapping(bytes32 patientId => bytes[] keys) internal _delegates;
    mapping(bytes32 patientId => mapping(bytes32 keyHash => uint256 until)) internal _delegateUntil;

    function setGuardians(uint256 seed) public action(seed) {
        bytes32 patientId = _somePatient(0);
        GhostPatient storage patient = _patients[patientId];
        uint48 deadline = _someDeadline();
        IPatientRegistry.GuardianSet memory set = _someSet(patient);
        bytes memory signature = _signProxies(
            patientId,
            deadline,
            abi.encode(GUARDIANS_TYPEHASH, patientId, _hashOfAll(set.guardians), set.threshold, set.until)
        );
        _looseningRules(patientId);
        uint256 count = set.guardians.length;
        if (count != 0) _outlastingRules(patient, set.until);
        _rule(set.possessions.length == count, IPatientRegistry.GuardiansInvalid.selector);
        for (uint256 i = 0; i < count; ++i) {
            set.possessions[i] = _possess(patientId, set.guardians[i], GUARDIAN, deadline);
        }
        _setRules(set.guardians, set.threshold, set.until);

        bytes memory call = abi.encodeCall(
            PATIENT_REGISTRY.setGuardians,
            (patientId, set, deadline, signature)
        );
        if (!_attempt(_anyone(), address(PATIENT_REGISTRY), call)) return;
        ++patient.nonce;
        _appoint(patientId, set.guardians, set.threshold, set.until);
    }

    function setDelegate(uint256 seed) public action(seed) {
        bytes32 patientId = _somePatient(0);
        GhostPatient storage patient = _patients[patientId];
        uint48 deadline = _someDeadline();
        bytes memory key = _delegateToName(patientId);
        uint48 until = _onceIn(5) ? uint48(_clock - _draw(2)) : _someTerm(patient);
        bytes memory signature = _signProxies(
            patientId,
            deadline,
            abi.encode(DELEGATION_TYPEHASH, patientId, keccak256(key), until)
        );
        bytes memory possession;
        if (until >= _clock) {
            _looseningRules(patientId);
            _outlastingRules(patient, until);
            possession = _possess(patientId, key, DELEGATE, deadline);
        }

        bytes memory call = abi.encodeCall(
            PATIENT_REGISTRY.setDelegate,
            (patientId, key, until, possession, deadline, signature)
        );
        if (!_attempt(_anyone(), address(PATIENT_REGISTRY), call)) return;
        ++patient.nonce;
        if (until >= _clock) _claim(patientId, key, DELEGATE);
        _delegates[patientId].push(key);
        _delegateUntil[patientId][keccak256(key)] = until;
    }

    function proposeByGuardians(uint256 seed) public action(seed) {
        bytes32 patientId = _guardedPatient();
        GhostPatient storage patient = _patients[patientId];
        IPatientRegistry.Change memory change = _someChange(patient);
        uint8 kind = uint8(change.kind);
        uint48 deadline = _someDeadline();
        uint32 nonce = _someNonceOf(patient);
        Signed memory signed = _signAsProxies(
            patient,
            keccak256(abi.encode(CHANGE_TYPEHASH, patientId, keccak256(abi.encode(change)), nonce, deadline))
        );
        if (nonce != patient.nonce) signed.allSigned = false;
        bool theirs = kind != TO_GUARDIANS && kind != TO_DEAD;
        _rule(theirs, IPatientRegistry.ChangeNotForGuardians.selector);
        _rule(patient.custodian != 0, IPatientRegistry.PatientUnknown.selector);
        _rule(_clock <= deadline, IPatientRegistry.DeadlinePassed.selector);
        _guardianRules(patient, signed);
        _changeRules(patientId, change);
        bytes memory possession;
        if (kind == TO_SIGNER) possession = _possess(patientId, change.keys[0], SIGNER, deadline);

        bytes memory call = abi.encodeCall(
            PATIENT_REGISTRY.proposeByGuardians,
            (patientId, change, possession, deadline, signed.signature)
        );
        if (_attempt(_anyone(), address(PATIENT_REGISTRY), call)) _keepChange(patientId, change);
    }

    /// @dev By who signs for the patient, over what is given, nonce and deadline; mostly the nonce that is next.
    function _signProxies(
        bytes32 patientId,
        uint48 deadline,
        bytes memory what
    ) private returns (bytes memory) {
        GhostPatient storage patient = _patients[patientId];
        uint32 nonce = _someNonceOf(patient);
        bytes32 structHash = keccak256(bytes.concat(what, abi.encode(nonce, deadline)));
        Signed memory signed = _signByRegistry(patientId, structHash);
        if (nonce != patient.nonce) (signed.by, signed.allSigned) = ("", false);
        _rule(_clock <= deadline, IPatientRegistry.DeadlinePassed.selector);
        _signatureRules(patientId, signed);
        return signed.signature;
    }

    /// @dev By his guardians, also where the patient could sign himself.
    function _signAsProxies(
        GhostPatient storage patient,
        bytes32 structHash
    ) private returns (Signed memory signed) {
        address registry = address(PATIENT_REGISTRY);
        if (patient.threshold != 0) return _signAsGuardians(patient, registry, PATIENTS_DOMAIN, structHash);
        (signed.signature, signed.by) = _sign(_patientKey(0), registry, PATIENTS_DOMAIN, structHash);
    }

    /// @dev Guardians give nobody more time than they have.
    function _outlastingRules(GhostPatient storage patient, uint256 until) private {
        bool within = !_guardiansSignFor(patient) || until <= patient.guardiansUntil;
        _rule(within, IPatientRegistry.GuardiansOutlasted.selector);
    }

    /// @dev Mostly new guardians, or those of now of whom another number must sign.
    function _someSet(
        GhostPatient storage patient
    ) private returns (IPatientRegistry.GuardianSet memory set) {
        if (patient.guardians.length != 0 && _onceIn(2)) {
            set.guardians = patient.guardians;
            set.threshold = uint8(1 + _draw(set.guardians.length));
        } else {
            (set.guardians, set.threshold) = _someGuardians(_onceIn(8) ? _draw(10) : 1 + _draw(3));
        }
        set.until = _someTerm(patient);
        uint256 count = set.guardians.length;
        set.possessions = new bytes[](_onceIn(12) ? count + 1 : count);
    }

    /// @dev Mostly within the guardians' own time where they sign, and at times its last second or the one after.
    function _someTerm(GhostPatient storage patient) private returns (uint48) {
        bool proxies = _guardiansSignFor(patient) && patient.guardiansUntil > _clock;
        uint256 end = proxies ? patient.guardiansUntil : _clock + 200 days;
        return uint48(_onceIn(6) ? end + _draw(2) : _clock + _draw(end - _clock + 1));
    }

    function _someNonceOf(GhostPatient storage patient) private returns (uint32) {
        return _onceIn(10) ? patient.nonce ^ 1 : patient.nonce;
    }

    /// @dev Mostly one who serves nobody else; sometimes a guardian, or no key at all.
    function _delegateToName(bytes32 patientId) private returns (bytes memory key) {
        bytes[] storage known = _delegates[patientId];
        if (known.length != 0 && _draw(3) == 0) return known[_draw(known.length)];
        bytes[] storage guardians = _patients[patientId].guardians;
        if (guardians.length != 0 && _onceIn(12)) return guardians[0];
        if (_onceIn(12)) return _someKey(_draw(5));
        for (uint256 i = 0; i < 8 && (i == 0 || !_isFree(patientId, key, DELEGATE)); ++i) {
            uint256 privateKey = _patientKey(PATIENT_KEYS + _draw(DELEGATE_KEYS));
            key = abi.encodePacked(vm.addr(privateKey));
            _keyOfSigner[keccak256(key)] = privateKey;
        }
    }

    /// @dev Mostly one with guardians for whom nothing waits.
    function _guardedPatient() private returns (bytes32 patientId) {
        for (uint256 i = 0; i < 8; ++i) {
            patientId = _somePatient(0);
            bool waits = _pending[patientId].changeHash != 0;
            if (_patients[patientId].threshold != 0 && !waits) break;
        }
    }

    function _hashOfAll(bytes[] memory items) private pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < items.length; ++i) hashes = bytes.concat(hashes, keccak256(items[i]));
        return keccak256(hashes);
    }
}
