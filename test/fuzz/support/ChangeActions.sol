// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Cosigner, Cosigners} from "../../../contracts/libraries/Cosigners.sol";
import {PatientActions} from "./PatientActions.sol";

/// @notice Patients and those who sign for them take other keys; what two sides propose is refused or waits its time.
abstract contract ChangeActions is PatientActions {
    uint256 private constant DELAY = 3 days;
    uint8 internal constant TO_SIGNER = 0;
    uint8 internal constant TO_GUARDIANS = 1;
    uint8 private constant TO_CAPABLE = 3;
    bytes32 internal constant CHANGE_TYPEHASH = keccak256(
        "PatientChange(bytes32 patientId,bytes32 changeHash,uint32 nonce,uint48 deadline)"
    );

    struct GhostPending {
        bytes32 changeHash; // 0: none
        uint256 readyAt;
    }

    mapping(bytes32 patientId => GhostPending pending) internal _pending;
    mapping(bytes32 patientId => IPatientRegistry.Change change) private _proposed;

    function rotateSigner(uint256 seed) public action(seed) {
        bytes32 patientId = _somePatient(0);
        GhostPatient storage patient = _patients[patientId];
        uint48 deadline = _someDeadline();
        bytes memory key = _someKey(_onceIn(10) ? _draw(5) : 0);
        uint32 nonce = _onceIn(10) ? patient.nonce ^ 1 : patient.nonce;
        Signed memory signed = _signByRegistry(
            patientId,
            keccak256(
                abi.encode(
                    keccak256("SignerRotation(bytes32 patientId,bytes key,uint32 nonce,uint48 deadline)"),
                    patientId,
                    keccak256(key),
                    nonce,
                    deadline
                )
            )
        );
        if (nonce != patient.nonce) (signed.by, signed.allSigned) = ("", false);
        _signatureRules(patientId, signed);
        _rule(patient.condition != 2, IPatientRegistry.PatientIsDead.selector);
        bool first = !_guardiansSignFor(patient) || patient.signer.length == 0;
        _rule(first, IPatientRegistry.SignerStands.selector);
        bytes memory possession = _possess(patientId, key, SIGNER, deadline);

        bytes memory call = abi.encodeCall(
            PATIENT_REGISTRY.rotateSigner,
            (patientId, key, possession, deadline, signed.signature)
        );
        if (!_attempt(_anyone(), address(PATIENT_REGISTRY), call)) return;
        ++patient.nonce;
        patient.signer = key;
        _claim(patientId, key, SIGNER);
    }

    function proposeChange(uint256 seed) public action(seed) {
        bytes32 patientId = _onceIn(3) ? _patientToChange(true) : _patientToChange(false);
        GhostPatient storage patient = _patients[patientId];
        IPatientRegistry.Change memory change = _someChange(patient);
        uint48 deadline = _someDeadline();
        bytes[] memory possessions = new bytes[](change.keys.length);
        uint8 kind = uint8(change.kind);
        for (uint256 i = 0; i < possessions.length; ++i) {
            uint8 use = kind == TO_SIGNER ? SIGNER : GUARDIAN;
            possessions[i] = _possess(patientId, change.keys[i], use, deadline);
        }
        Cosigner memory reviewer = _reviewerOf(patientId, change, deadline);
        _changeRules(patientId, change);
        address from = _operatorOf(patientId);
        bool two = _staff[from].personId != _staff[reviewer.account].personId;
        _rule(two, Cosigners.SamePerson.selector);

        bytes memory call = abi.encodeCall(
            PATIENT_REGISTRY.proposeByCustodian,
            (patientId, change, possessions, reviewer)
        );
        if (_attempt(from, address(PATIENT_REGISTRY), call)) _keepChange(patientId, change);
    }

    function cancelChange(uint256 seed) public action(seed) {
        bytes32 patientId = _patientToChange(true);
        GhostPatient storage patient = _patients[patientId];
        GhostPending storage pending = _pending[patientId];
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Cancellation(bytes32 patientId,bytes32 changeHash,uint48 readyAt)"),
                patientId,
                pending.changeHash,
                pending.readyAt
            )
        );
        _pendingRules(patientId);
        _rule(patient.custodian != 0, IPatientRegistry.PatientUnknown.selector);
        bytes memory signature;
        if (patient.signer.length != 0) {
            // Also of a patient said to be incapable or dead.
            bytes memory by;
            uint256 key = _keyOfSigner[keccak256(patient.signer)];
            (signature, by) = _sign(key, address(PATIENT_REGISTRY), PATIENTS_DOMAIN, structHash);
            bool own = keccak256(by) == keccak256(patient.signer);
            _rule(own, IPatientRegistry.SignatureInvalid.selector);
        } else {
            Signed memory signed = _signByRegistry(patientId, structHash);
            _guardianRules(patient, signed);
            signature = signed.signature;
        }

        bytes memory call = abi.encodeCall(PATIENT_REGISTRY.cancelChange, (patientId, signature));
        if (_attempt(_anyone(), address(PATIENT_REGISTRY), call)) delete _pending[patientId];
    }

    function withdrawChange(uint256 seed) public action(seed) {
        bytes32 patientId = _patientToChange(true);
        _pendingRules(patientId);
        address from = _operatorOf(patientId);

        bytes memory call = abi.encodeCall(PATIENT_REGISTRY.withdrawChange, (patientId));
        if (_attempt(from, address(PATIENT_REGISTRY), call)) delete _pending[patientId];
    }

    function completeChange(uint256 seed) public action(seed) {
        bytes32 patientId = _patientToChange(true);
        GhostPending storage pending = _pending[patientId];
        if (pending.changeHash != 0 && !_onceIn(3)) _passTo(pending.readyAt + _draw(3) - 1);
        IPatientRegistry.Change memory change = _proposed[patientId];
        if (_onceIn(8)) change.document = bytes32(_draw(type(uint256).max));
        _pendingRules(patientId);
        bool same = keccak256(abi.encode(change)) == pending.changeHash;
        _rule(same, IPatientRegistry.ChangeUnknown.selector);
        _rule(_clock >= pending.readyAt, IPatientRegistry.ChangeNotReady.selector);
        uint8 kind = uint8(change.kind);
        if (kind == TO_GUARDIANS) _setRules(change.keys, change.threshold, change.until);
        for (uint256 i = 0; i < change.keys.length; ++i) {
            bool free = _isFree(patientId, change.keys[i], kind == TO_SIGNER ? SIGNER : GUARDIAN);
            _rule(free, IPatientRegistry.KeyInUse.selector);
        }

        bytes memory call = abi.encodeCall(PATIENT_REGISTRY.completeChange, (patientId, change));
        if (!_attempt(_anyone(), address(PATIENT_REGISTRY), call)) return;
        delete _pending[patientId];
        _patients[patientId].loosensFrom = _clock + DELAY;
        _apply(patientId, change);
    }

    /// @dev Of the change itself, whoever proposes it.
    function _changeRules(bytes32 patientId, IPatientRegistry.Change memory change) internal {
        uint8 kind = uint8(change.kind);
        if (kind == TO_GUARDIANS) _setRules(change.keys, change.threshold, change.until);
        uint256 keys = kind == TO_SIGNER ? 1 : 0;
        bool fits = change.keys.length == keys && change.threshold == 0 && change.until == 0;
        _rule(kind == TO_GUARDIANS || fits, IPatientRegistry.ChangeInvalid.selector);
        bool dead = _patients[patientId].condition == 2 && kind != TO_CAPABLE && kind != TO_GUARDIANS;
        _rule(!dead, IPatientRegistry.PatientIsDead.selector);
        _rule(_pending[patientId].changeHash == 0, IPatientRegistry.ChangePending.selector);
    }

    function _keepChange(bytes32 patientId, IPatientRegistry.Change memory change) internal {
        ++_patients[patientId].nonce;
        _pending[patientId] = GhostPending(keccak256(abi.encode(change)), _clock + DELAY);
        IPatientRegistry.Change storage kept = _proposed[patientId];
        (kept.kind, kept.threshold, kept.until, kept.document) = (
            change.kind,
            change.threshold,
            change.until,
            change.document
        );
        delete kept.keys;
        for (uint256 i = 0; i < change.keys.length; ++i) kept.keys.push(change.keys[i]);
    }

    function _apply(bytes32 patientId, IPatientRegistry.Change memory change) private {
        GhostPatient storage patient = _patients[patientId];
        uint8 kind = uint8(change.kind);
        if (kind == TO_GUARDIANS) {
            _appoint(patientId, change.keys, change.threshold, change.until);
        } else if (kind == TO_SIGNER) {
            patient.signer = change.keys[0];
            _claim(patientId, change.keys[0], SIGNER);
        } else {
            patient.condition =
                kind == TO_CAPABLE
                    ? 0
                    : kind == 2
                        ? 1
                        : 2;
        }
    }

    /// @dev The custodian's operator, mostly.
    function _operatorOf(bytes32 patientId) private returns (address from) {
        uint32 custodian = _patients[patientId].custodian;
        _rule(custodian != 0, IPatientRegistry.PatientUnknown.selector);
        from = _staffFor(custodian, OPERATOR, WRITING);
        uint32 memberId = _staffRules(from, OPERATOR, WRITING);
        _rule(memberId == custodian, IPatientRegistry.NotCustodian.selector);
    }

    function _reviewerOf(
        bytes32 patientId,
        IPatientRegistry.Change memory change,
        uint48 deadline
    ) private returns (Cosigner memory reviewer) {
        GhostPatient storage patient = _patients[patientId];
        uint32 nonce = _onceIn(12) ? patient.nonce ^ 1 : patient.nonce;
        address account = _seasonedFor(0, _onceIn(10) ? 0 : patient.custodian, REVIEWER, REMOVED);
        bytes memory by;
        (reviewer, by) = _cosign(
            account,
            deadline,
            address(PATIENT_REGISTRY),
            PATIENTS_DOMAIN,
            keccak256(abi.encode(CHANGE_TYPEHASH, patientId, keccak256(abi.encode(change)), nonce, deadline))
        );
        if (nonce != patient.nonce) by = "";
        _rule(_clock <= deadline, IPatientRegistry.DeadlinePassed.selector);
        uint32 memberId = _secondRules(reviewer, by, REVIEWER, REMOVED);
        _rule(memberId != patient.custodian, Cosigners.ReviewerOfCustodian.selector);
    }

    function _pendingRules(bytes32 patientId) private {
        _rule(_pending[patientId].changeHash != 0, IPatientRegistry.ChangeUnknown.selector);
    }

    /// @dev Mostly one with a change that waits, or without.
    function _patientToChange(bool waits) private returns (bytes32 patientId) {
        for (uint256 i = 0; i < 8; ++i) {
            patientId = _somePatient(0);
            if ((_pending[patientId].changeHash != 0) == waits) break;
        }
    }

    /// @dev Mostly another signer; who is not himself any more mostly becomes so again.
    function _someChange(
        GhostPatient storage patient
    ) internal returns (IPatientRegistry.Change memory change) {
        uint8 kind = uint8(_onceIn(2) ? 0 : _draw(5));
        if (patient.condition != 0 && _draw(2) == 0) kind = TO_CAPABLE;
        change.kind = IPatientRegistry.ChangeKind(kind);
        change.document = bytes32(_draw(type(uint256).max));
        if (kind == TO_SIGNER) {
            change.keys = new bytes[](1);
            change.keys[0] = _someKey(_onceIn(10) ? _draw(5) : 0);
        }
        if (kind == TO_GUARDIANS) {
            (change.keys, change.threshold) = _someGuardians(_draw(4));
            change.until = uint48(_clock + _draw(60 days));
        }
        if (_onceIn(16)) change.threshold += 1;
    }
}
