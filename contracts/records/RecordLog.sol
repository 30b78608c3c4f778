// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRecordRegistry} from "../interfaces/IRecordRegistry.sol";
import {Heads} from "../libraries/Heads.sol";
import {Entry, Leaf, Leaves} from "../libraries/Leaves.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";

/// @title RecordLog
/// @notice Each member's log and the flags of its entries.
abstract contract RecordLog is IRecordRegistry {
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
    mapping(bytes32 patientId => uint256 head) private _patientHeads;

    constructor(IMemberRegistry members) {
        MEMBERS = members;
    }

    /// @inheritdoc IRecordRegistry
    function anchor(uint64 firstIndex, uint32 count, bytes32 root, bytes32) external {
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

        _emitBatchAnchored(memberId);
    }

    /// @inheritdoc IRecordRegistry
    function headOf(uint32 memberId) external view returns (uint256) {
        return _logs[memberId].head;
    }

    /// @inheritdoc IRecordRegistry
    function patientHeadOf(bytes32 patientId) external view returns (uint256) {
        return _patientHeads[patientId];
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

    /// @dev BatchAnchored's data are the four arguments of `anchor`, checked when they were read, as they came.
    function _emitBatchAnchored(uint32 memberId) private {
        bytes32 selector = BatchAnchored.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0x04, 0x80)
            log2(data, 0x80, selector, memberId)
        }
    }

    function _requireOwn(uint32 memberId, Entry calldata entry) internal view returns (uint8 status) {
        if (entry.leaf.memberId != memberId) revert LeafOfAnotherMember(entry.leaf.memberId, memberId);
        status = requireAnchored(entry);
    }

    /// @dev Other kinds give `ref` another meaning: an erasure certificate names what it erased, it amends nothing.
    function _requireRecord(Leaf calldata leaf) internal pure {
        if (leaf.kind != Leaves.RECORD) revert KindForbids(leaf.index, leaf.kind);
    }

    function _operatorsMember() internal view returns (uint32) {
        return MEMBERS.authorized(msg.sender, Roles.OPERATOR, Suspension.WRITING);
    }

    function _setFlag(uint32 memberId, uint64 index, uint8 flag) internal {
        (uint256 slot, uint256 shift) = _statusPlace(index);
        _logs[memberId].statuses[slot] |= uint256(flag) << shift;
    }

    function _clearFlag(uint32 memberId, uint64 index, uint8 flag) internal {
        (uint256 slot, uint256 shift) = _statusPlace(index);
        _logs[memberId].statuses[slot] &= ~(uint256(flag) << shift);
    }

    /// @dev Takes note, in the patient's head, of an event about an entry: `data` is what its log holds past its topics.
    function _advance(bytes32 selector, Leaf calldata leaf, bytes memory data) internal {
        bytes32 patientId = leaf.patientId;
        bytes32 eventDigest = keccak256(
            abi.encode(selector, uint256(leaf.memberId), uint256(leaf.index), patientId, keccak256(data))
        );
        _patientHeads[patientId] = Heads.advance(_patientHeads[patientId], eventDigest);
    }

    function _statusPlace(uint64 index) private pure returns (uint256 slot, uint256 shift) {
        return (index / STATUSES_PER_SLOT, (index % STATUSES_PER_SLOT) * 8);
    }

    function _batchKey(uint64 firstIndex, uint32 count) private pure returns (uint256) {
        return (uint256(firstIndex) << 32) | count;
    }
}
