// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "../interfaces/IPatientRegistry.sol";
import {Cosigner, Cosigners} from "../libraries/Cosigners.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";
import {PatientProxies} from "./PatientProxies.sol";

/// @title PatientChanges
/// @notice What happens to a patient who cannot act himself: a lost key, incapacity, death, guardians by court.
/// Proposed by two sides, cancelled by who signs, done only after a delay.
abstract contract PatientChanges is PatientProxies {
    uint48 private constant MIN_RECOVERY_DELAY = 3 days;
    uint48 private constant MAX_RECOVERY_DELAY = 90 days;

    bytes32 private constant CHANGE_TYPEHASH = keccak256(
        "PatientChange(bytes32 patientId,bytes32 changeHash,uint32 nonce,uint48 deadline)"
    );
    bytes32 private constant CANCELLATION_TYPEHASH = keccak256(
        "Cancellation(bytes32 patientId,bytes32 changeHash,uint48 readyAt)"
    );

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;
    /// @inheritdoc IPatientRegistry
    uint48 public immutable RECOVERY_DELAY;

    mapping(bytes32 patientId => PendingChange) private _pending;

    constructor(IMemberRegistry members, uint48 recoveryDelay) {
        if (recoveryDelay < MIN_RECOVERY_DELAY || recoveryDelay > MAX_RECOVERY_DELAY) {
            revert RecoveryDelayOutOfBounds(recoveryDelay);
        }

        MEMBERS = members;
        RECOVERY_DELAY = recoveryDelay;
    }

    /// @inheritdoc IPatientRegistry
    function proposeByGuardians(
        bytes32 patientId,
        Change calldata change,
        bytes calldata possession,
        uint48 deadline,
        bytes calldata signature
    ) external {
        if (change.kind == ChangeKind.GUARDIANS || change.kind == ChangeKind.DEAD) {
            revert ChangeNotForGuardians(change.kind);
        }
        (Patient storage patient, uint32 nonce) = _use(patientId, deadline);
        bytes32 changeHash = keccak256(abi.encode(change));
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(CHANGE_TYPEHASH, patientId, changeHash, nonce, deadline))
        );
        _requireGuardians(patient, patientId, digest, signature);
        _requireWellFormed(patient, patientId, change);
        if (change.kind == ChangeKind.SIGNER) {
            _requirePossession(patientId, change.keys[0], KeyUse.SIGNER, possession, deadline);
        }

        _propose(patientId, change, changeHash, address(0));
    }

    /// @inheritdoc IPatientRegistry
    function proposeByCustodian(
        bytes32 patientId,
        Change calldata change,
        bytes[] calldata possessions,
        Cosigner calldata reviewer
    ) external {
        uint32 custodian = _requireCustodian(patientId);
        (Patient storage patient, uint32 nonce) = _use(patientId, reviewer.deadline);
        bytes32 changeHash = keccak256(abi.encode(change));
        Cosigners.requireOutsideReviewer(
            MEMBERS,
            reviewer,
            _hashTypedDataV4(
                keccak256(abi.encode(CHANGE_TYPEHASH, patientId, changeHash, nonce, reviewer.deadline))
            ),
            custodian
        );
        _requireWellFormed(patient, patientId, change);
        if (possessions.length != change.keys.length) revert ChangeInvalid(change.kind);
        KeyUse use = change.kind == ChangeKind.SIGNER ? KeyUse.SIGNER : KeyUse.GUARDIAN;
        for (uint256 i = 0; i < possessions.length; ++i) {
            _requirePossession(patientId, change.keys[i], use, possessions[i], reviewer.deadline);
        }

        _propose(patientId, change, changeHash, reviewer.account);
    }

    /// @inheritdoc IPatientRegistry
    function cancelChange(bytes32 patientId, bytes calldata signature) external {
        Patient storage patient = _known(patientId);
        PendingChange memory pending = _requirePending(patientId);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(CANCELLATION_TYPEHASH, patientId, pending.changeHash, pending.readyAt))
        );
        _requireObjector(patient, patientId, digest, signature);

        _cancel(patientId, pending.changeHash, false);
    }

    /// @inheritdoc IPatientRegistry
    function withdrawChange(bytes32 patientId) external {
        _requireCustodian(patientId);

        _cancel(patientId, _requirePending(patientId).changeHash, true);
    }

    /// @inheritdoc IPatientRegistry
    function completeChange(bytes32 patientId, Change calldata change) external {
        PendingChange memory pending = _requirePending(patientId);
        bytes32 changeHash = keccak256(abi.encode(change));
        if (changeHash != pending.changeHash) revert ChangeUnknown(patientId, changeHash);
        if (block.timestamp < pending.readyAt) revert ChangeNotReady(patientId, pending.readyAt);

        delete _pending[patientId];
        _apply(patientId, change);
        uint48 completedAt = uint48(block.timestamp);
        _patients[patientId].loosensFrom = completedAt + RECOVERY_DELAY;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    ChangeCompleted.selector,
                    patientId,
                    changeHash,
                    keccak256(abi.encode(completedAt))
                )
            )
        );

        emit ChangeCompleted(patientId, changeHash, completedAt);
    }

    /// @inheritdoc IPatientRegistry
    function pendingChangeOf(bytes32 patientId) external view returns (PendingChange memory) {
        return _pending[patientId];
    }

    function _apply(bytes32 patientId, Change calldata change) private {
        Patient storage patient = _patients[patientId];
        if (change.kind == ChangeKind.SIGNER) {
            _claim(patientId, change.keys[0], KeyUse.SIGNER);
            patient.signer = change.keys[0];
        } else if (change.kind == ChangeKind.GUARDIANS) {
            _appoint(patientId, change.keys, change.threshold, change.until);
        } else if (change.kind == ChangeKind.INCAPABLE) {
            patient.condition = Condition.INCAPABLE;
        } else if (change.kind == ChangeKind.CAPABLE) {
            patient.condition = Condition.CAPABLE;
        } else {
            patient.condition = Condition.DEAD;
        }
    }

    function _propose(
        bytes32 patientId,
        Change calldata change,
        bytes32 changeHash,
        address reviewer
    ) private {
        PendingChange storage pending = _pending[patientId];
        if (pending.changeHash != 0) revert ChangePending(patientId, pending.changeHash);

        uint48 readyAt = uint48(block.timestamp) + RECOVERY_DELAY;
        pending.changeHash = changeHash;
        pending.readyAt = readyAt;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    ChangeProposed.selector,
                    patientId,
                    changeHash,
                    keccak256(abi.encode(change, reviewer, readyAt))
                )
            )
        );

        emit ChangeProposed(patientId, changeHash, change, reviewer, readyAt);
    }

    function _cancel(bytes32 patientId, bytes32 changeHash, bool withdrawn) private {
        delete _pending[patientId];
        uint48 cancelledAt = uint48(block.timestamp);
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    ChangeCancelled.selector,
                    patientId,
                    changeHash,
                    keccak256(abi.encode(withdrawn, cancelledAt))
                )
            )
        );

        emit ChangeCancelled(patientId, changeHash, withdrawn, cancelledAt);
    }

    /// @dev What does not fit the kind is refused, so that nobody signs what would do nothing.
    function _requireWellFormed(
        Patient storage patient,
        bytes32 patientId,
        Change calldata change
    ) private view {
        if (change.kind == ChangeKind.GUARDIANS) {
            _requireSet(change.keys, change.threshold, change.until);
            return;
        }
        uint256 keys = change.kind == ChangeKind.SIGNER ? 1 : 0;
        if (change.keys.length != keys || change.threshold != 0 || change.until != 0) {
            revert ChangeInvalid(change.kind);
        }
        // Death is taken back first, by CAPABLE.
        if (patient.condition == Condition.DEAD && change.kind != ChangeKind.CAPABLE) {
            revert PatientIsDead(patientId);
        }
    }

    /// @dev The signer, also of a patient said to be incapable or dead: who is wrongly said so must be able to object.
    function _requireObjector(
        Patient storage patient,
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) private view {
        bytes memory signer = patient.signer;
        if (signer.length == 0) {
            _requireGuardians(patient, patientId, digest, signature);
            return;
        }
        _requireSigned(patientId, signer, digest, signature);
    }

    function _requireCustodian(bytes32 patientId) private view returns (uint32 custodian) {
        custodian = _known(patientId).custodian;
        uint32 memberId = MEMBERS.authorized(msg.sender, Roles.OPERATOR, Suspension.WRITING);
        if (memberId != custodian) revert NotCustodian(patientId, memberId);
    }

    function _requirePending(bytes32 patientId) private view returns (PendingChange memory pending) {
        pending = _pending[patientId];
        if (pending.changeHash == 0) revert ChangeUnknown(patientId, 0);
    }
}
