// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "./interfaces/IRecordRegistry.sol";
import {Cosigner, Cosigners} from "./libraries/Cosigners.sol";
import {EntryStatus} from "./libraries/EntryStatus.sol";
import {Entry, Leaf, Leaves} from "./libraries/Leaves.sol";
import {RecordHolds} from "./records/RecordHolds.sol";
import {RecordLog} from "./records/RecordLog.sol";

/// @title RecordRegistry
/// @dev What may become of an entry is here; the logs themselves and legal holds are in records/.
contract RecordRegistry is RecordHolds {
    uint32 private constant MIN_RETENTION_DAYS = 365;
    uint32 private constant MAX_RETENTION_DAYS = 36_525;

    bytes32 private constant ERASURE_TYPEHASH = keccak256(
        "Erasure(uint32 memberId,uint64 index,uint64 certificateIndex,uint48 deadline)"
    );

    /// @inheritdoc IRecordRegistry
    uint32 public immutable RETENTION;

    constructor(
        IMemberRegistry members,
        IPatientRegistry patients,
        uint32 retentionDays
    ) EIP712("chartseal RecordRegistry", "1") RecordLog(members) RecordHolds(patients) {
        if (retentionDays < MIN_RETENTION_DAYS || retentionDays > MAX_RETENTION_DAYS) {
            revert RetentionOutOfBounds(retentionDays);
        }

        RETENTION = retentionDays;
    }

    /// @inheritdoc IRecordRegistry
    function supersede(Entry calldata older, Entry calldata newer) external {
        uint32 memberId = _operatorsMember();
        uint8 status = _requireOwn(memberId, older);
        uint8 newerStatus = _requireOwn(memberId, newer);
        _requireRecord(older.leaf);
        _requireRecord(newer.leaf);
        if (newer.leaf.index <= older.leaf.index) revert NotLater(newer.leaf.index, older.leaf.index);
        if (newer.leaf.ref != bytes32(uint256(older.leaf.index))) {
            revert RefMismatch(newer.leaf.ref, older.leaf.index);
        }
        if (newer.leaf.patientId != older.leaf.patientId) {
            revert PatientMismatch(newer.leaf.patientId, older.leaf.patientId);
        }
        if (status != 0) revert StatusForbids(memberId, older.leaf.index, status);
        if (newerStatus & EntryStatus.WITHDRAWN != 0) {
            revert StatusForbids(memberId, newer.leaf.index, newerStatus);
        }

        _setFlag(memberId, older.leaf.index, EntryStatus.SUPERSEDED);
        _advance(EntrySuperseded.selector, older.leaf, abi.encode(newer.leaf.index));

        emit EntrySuperseded(memberId, older.leaf.index, older.leaf.patientId, newer.leaf.index);
    }

    /// @inheritdoc IRecordRegistry
    function retract(Entry calldata entry) external {
        uint32 memberId = _operatorsMember();
        uint8 status = _requireOwn(memberId, entry);
        // What is held stays as it is and where it is; a hold is lifted first.
        if (status & (EntryStatus.WITHDRAWN | EntryStatus.HELD) != 0) {
            revert StatusForbids(memberId, entry.leaf.index, status);
        }

        _setFlag(memberId, entry.leaf.index, EntryStatus.RETRACTED);
        _advance(EntryRetracted.selector, entry.leaf, "");

        emit EntryRetracted(memberId, entry.leaf.index, entry.leaf.patientId);
    }

    /// @inheritdoc IRecordRegistry
    function erase(
        Entry calldata entry,
        Entry calldata certificate,
        ErasureGround ground,
        Cosigner calldata reviewer
    ) external {
        uint32 memberId = _operatorsMember();
        uint8 status = _requireOwn(memberId, entry);
        _requireRecord(entry.leaf);
        if (status & (EntryStatus.ERASED | EntryStatus.HELD) != 0) {
            revert StatusForbids(memberId, entry.leaf.index, status);
        }
        _requireCertificate(memberId, entry.leaf, certificate);
        _requireGround(memberId, entry.leaf, certificate.leaf.index, ground, reviewer);

        _setFlag(memberId, entry.leaf.index, EntryStatus.ERASED);
        _advance(EntryErased.selector, entry.leaf, abi.encode(certificate.leaf.index, ground));

        emit EntryErased(memberId, entry.leaf.index, entry.leaf.patientId, certificate.leaf.index, ground);
    }

    function _requireCertificate(
        uint32 memberId,
        Leaf calldata erased,
        Entry calldata certificate
    ) private view {
        uint8 status = _requireOwn(memberId, certificate);
        Leaf calldata leaf = certificate.leaf;
        if (
            leaf.kind != Leaves.ERASURE_CERTIFICATE ||
            leaf.patientId != erased.patientId ||
            leaf.ref != bytes32(uint256(erased.index)) ||
            status & EntryStatus.WITHDRAWN != 0
        ) revert CertificateMismatch(leaf.index, erased.index);
    }

    function _requireGround(
        uint32 memberId,
        Leaf calldata erased,
        uint64 certificateIndex,
        ErasureGround ground,
        Cosigner calldata reviewer
    ) private view {
        if (ground == ErasureGround.RETENTION) {
            uint256 untilDay = uint256(erased.recordedDay) + RETENTION;
            if (block.timestamp / 1 days <= untilDay) revert RetentionLasts(erased.index, untilDay);
            return;
        }
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(ERASURE_TYPEHASH, memberId, erased.index, certificateIndex, reviewer.deadline)
            )
        );
        if (ground == ErasureGround.REVIEWER) {
            Cosigners.requireOutsideReviewer(MEMBERS, reviewer, digest, memberId);
            return;
        }
        if (block.timestamp > reviewer.deadline) revert DeadlinePassed(reviewer.deadline);
        _requireCustodian(erased.patientId, memberId);
        PATIENT_REGISTRY.requireLoosening(erased.patientId, digest, reviewer.signature);
    }
}
