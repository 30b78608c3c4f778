// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry} from "../libraries/Leaves.sol";

/// @title IRecordRegistry
/// @notice Each member's record log: dense, append-only, anchored in batches.
/// @dev A batch is an RFC 9162 Merkle tree. Its root is kept by (member, first index, count), so that a root binds
/// every entry's position and the batch's size.
interface IRecordRegistry {
    /// @notice Entries `firstIndex` to `firstIndex + count - 1` were appended to a member's log.
    event BatchAnchored(
        uint32 indexed memberId,
        uint64 firstIndex,
        uint32 count,
        bytes32 root,
        bytes32 manifestDigest
    );
    /// @notice Entry `index` is amended by entry `byIndex`.
    event EntrySuperseded(
        uint32 indexed memberId,
        uint64 indexed index,
        bytes32 indexed patientId,
        uint64 byIndex
    );
    /// @notice Entry `index` was entered in error.
    event EntryRetracted(uint32 indexed memberId, uint64 indexed index, bytes32 indexed patientId);

    error IndexNotNext(uint32 memberId, uint64 firstIndex, uint256 expected);
    error BatchEmpty();
    error RootZero();
    error BatchUnknown(uint32 memberId, uint64 firstIndex, uint32 count);
    error IndexOutsideBatch(uint64 index, uint64 firstIndex, uint32 count);
    error LeafOfAnotherMember(uint32 leafMemberId, uint32 memberId);
    error RefMismatch(bytes32 ref, uint64 index);
    error PatientMismatch(bytes32 newerPatientId, bytes32 olderPatientId);
    error KindForbids(uint64 index, uint8 kind);
    error NotLater(uint64 newerIndex, uint64 olderIndex);
    error StatusForbids(uint32 memberId, uint64 index, uint8 status);

    /// @notice Appends a batch to the log of the caller's member. By an OPERATOR.
    /// @dev A resubmitted batch reverts, and a gap is impossible: the head moves only from its own end.
    /// @param firstIndex Index of the batch's first entry: the member's head plus one.
    /// @param count Number of entries.
    /// @param root RFC 9162 root of the entries' leaves.
    /// @param manifestDigest SHA-256 of the batch manifest (leaf hashes and CIDs), which any member may keep.
    function anchor(uint64 firstIndex, uint32 count, bytes32 root, bytes32 manifestDigest) external;

    /// @notice Marks `older` as amended by `newer`. By an OPERATOR of the log's member.
    /// @dev Both must be anchored records of one patient, `newer` the later one, not withdrawn, its `ref` naming
    /// `older`; `older` must be plain.
    function supersede(Entry calldata older, Entry calldata newer) external;

    /// @notice Marks an entry as entered in error. By an OPERATOR of the log's member.
    function retract(Entry calldata entry) external;

    /// @notice How many entries a member's log has: the index of its newest.
    function headOf(uint32 memberId) external view returns (uint256);

    /// @notice Status flags (EntryStatus) of an entry; 0 when plain.
    function statusOf(uint32 memberId, uint64 index) external view returns (uint8);

    /// @notice Root of the batch that holds `index`, and the entry's status. Reverts if there is no such batch, or if
    /// it does not reach over `index`.
    function rootAndStatus(
        uint32 memberId,
        uint64 firstIndex,
        uint32 count,
        uint64 index
    ) external view returns (bytes32 root, uint8 status);

    /// @notice Reverts unless the entry is anchored exactly as given.
    /// @return status Its flags.
    function requireAnchored(Entry calldata entry) external view returns (uint8 status);
}
