// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IRecordRegistry} from "./interfaces/IRecordRegistry.sol";
import {EntryStatus} from "./libraries/EntryStatus.sol";
import {Entry, Leaf, Leaves} from "./libraries/Leaves.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title RecordRegistry
contract RecordRegistry is IRecordRegistry {
    using Leaves for Entry;

    /// @dev Status flags are eight bits an entry, 32 entries a slot.
    uint256 private constant STATUSES_PER_SLOT = 32;

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;

    struct Log {
        uint256 head; // entries so far
        mapping(uint256 batchKey => bytes32 root) roots;
        mapping(uint256 slot => uint256 flags) statuses;
    }

    mapping(uint32 memberId => Log) private _logs;

    constructor(IMemberRegistry members) {
        MEMBERS = members;
    }

    /// @inheritdoc IRecordRegistry
    function anchor(uint64 firstIndex, uint32 count, bytes32 root, bytes32 manifestDigest) external {
        uint32 memberId = _operatorsMember();
        if (count == 0) revert BatchEmpty();
        if (root == 0) revert RootZero();
        Log storage log = _logs[memberId];
        unchecked {
            // No log reaches 2^256 entries; past 2^64 no first index fits.
            uint256 head = log.head;
            if (firstIndex != head + 1) revert IndexNotNext(memberId, firstIndex, head + 1);

            log.head = head + count;
        }
        log.roots[_batchKey(firstIndex, count)] = root;

        emit BatchAnchored(memberId, firstIndex, count, root, manifestDigest);
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

        _flag(memberId, older.leaf.index, EntryStatus.SUPERSEDED);

        emit EntrySuperseded(memberId, older.leaf.index, older.leaf.patientId, newer.leaf.index);
    }

    /// @inheritdoc IRecordRegistry
    function retract(Entry calldata entry) external {
        uint32 memberId = _operatorsMember();
        uint8 status = _requireOwn(memberId, entry);
        if (status & EntryStatus.WITHDRAWN != 0) revert StatusForbids(memberId, entry.leaf.index, status);

        _flag(memberId, entry.leaf.index, EntryStatus.RETRACTED);

        emit EntryRetracted(memberId, entry.leaf.index, entry.leaf.patientId);
    }

    /// @inheritdoc IRecordRegistry
    function headOf(uint32 memberId) external view returns (uint256) {
        return _logs[memberId].head;
    }

    /// @inheritdoc IRecordRegistry
    function statusOf(uint32 memberId, uint64 index) public view returns (uint8) {
        (uint256 slot, uint256 shift) = _statusPlace(index);
        return uint8(_logs[memberId].statuses[slot] >> shift);
    }

    /// @inheritdoc IRecordRegistry
    function rootAndStatus(
        uint32 memberId,
        uint64 firstIndex,
        uint32 count,
        uint64 index
    ) public view returns (bytes32 root, uint8 status) {
        root = _logs[memberId].roots[_batchKey(firstIndex, count)];
        if (root == 0) revert BatchUnknown(memberId, firstIndex, count);
        if (index < firstIndex || index - firstIndex >= count)
            revert IndexOutsideBatch(index, firstIndex, count);
        status = statusOf(memberId, index);
    }

    /// @inheritdoc IRecordRegistry
    function requireAnchored(Entry calldata entry) public view returns (uint8 status) {
        bytes32 root;
        (root, status) = rootAndStatus(entry.leaf.memberId, entry.firstIndex, entry.count, entry.leaf.index);
        entry.requireIncluded(root);
    }

    function _requireOwn(uint32 memberId, Entry calldata entry) private view returns (uint8 status) {
        if (entry.leaf.memberId != memberId) revert LeafOfAnotherMember(entry.leaf.memberId, memberId);
        status = requireAnchored(entry);
    }

    /// @dev Other kinds give `ref` another meaning: an erasure certificate names what it erased, it amends nothing.
    function _requireRecord(Leaf calldata leaf) private pure {
        if (leaf.kind != Leaves.RECORD) revert KindForbids(leaf.index, leaf.kind);
    }

    function _operatorsMember() private view returns (uint32) {
        return MEMBERS.authorized(msg.sender, Roles.OPERATOR, Suspension.WRITING);
    }

    function _flag(uint32 memberId, uint64 index, uint8 flag) private {
        (uint256 slot, uint256 shift) = _statusPlace(index);
        _logs[memberId].statuses[slot] |= uint256(flag) << shift;
    }

    function _statusPlace(uint64 index) private pure returns (uint256 slot, uint256 shift) {
        return (index / STATUSES_PER_SLOT, (index % STATUSES_PER_SLOT) * 8);
    }

    function _batchKey(uint64 firstIndex, uint32 count) private pure returns (uint256) {
        return (uint256(firstIndex) << 32) | count;
    }
}
