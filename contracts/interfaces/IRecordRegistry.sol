// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Cosigner} from "../libraries/Cosigners.sol";
import {Entry} from "../libraries/Leaves.sol";

/// @title IRecordRegistry
/// @notice Each member's record log: dense, append-only, anchored in batches.
/// @dev A batch is an RFC 9162 Merkle tree. Its root is kept by (member, first index, count), so that a root binds
/// every entry's position and the batch's size.
interface IRecordRegistry {
    /// @notice Why an entry may be erased.
    enum ErasureGround {
        PATIENT, // who signs for the patient wants it
        REVIEWER, // another member's REVIEWER agreed
        RETENTION // the retention period is over
    }

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
    /// @notice Entry `index` is under legal hold.
    event EntryHeld(uint32 indexed memberId, uint64 indexed index, bytes32 indexed patientId, uint48 until);
    /// @notice The legal hold of entry `index` ended.
    event HoldLifted(uint32 indexed memberId, uint64 indexed index, bytes32 indexed patientId);
    /// @notice The content key of entry `index` was destroyed, as its certificate says.
    event EntryErased(
        uint32 indexed memberId,
        uint64 indexed index,
        bytes32 indexed patientId,
        uint64 certificateIndex,
        ErasureGround ground
    );

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
    error RetentionOutOfBounds(uint32 retentionDays);
    error NoEntries();
    error TooManyEntries(uint256 count, uint256 most);
    error DeadlinePassed(uint48 deadline);
    error HoldEndsTooSoon(uint48 until);
    error NotHeld(uint64 index);
    error HoldLasts(uint64 index, uint48 until);
    error NotLifter(address account, uint32 memberId);
    error NotCustodian(bytes32 patientId, uint32 memberId);
    error RetentionLasts(uint64 index, uint256 untilDay);
    error CertificateMismatch(uint64 index, uint64 erasedIndex);

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

    /// @notice Puts entries under legal hold (封存): they cannot be superseded, retracted or erased. By an OPERATOR of the
    /// log's member, together with the patient.
    /// @param entries Records of one patient, not withdrawn; one to 64. Held ones are held anew,
    /// never for a shorter time.
    /// @param until Unix seconds, at least a day ahead.
    /// @param signature Of who signs for the patient, over
    /// Hold(patientId, indices, until, nonce, deadline), where nonce is `nonceOf(patientId)`.
    function placeHold(
        Entry[] calldata entries,
        uint48 until,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Lifts holds before their end. By an OPERATOR of the log's member together with who signs for the
    /// patient; by a REVIEWER of another member past his waiting time, together with the patient's guardians or estate.
    /// @param signature Over HoldLift(patientId, indices, nonce, deadline).
    function liftHold(Entry[] calldata entries, uint48 deadline, bytes calldata signature) external;

    /// @notice Lifts holds that ended. By anyone.
    function liftEndedHold(Entry[] calldata entries) external;

    /// @notice Marks an entry as erased. By an OPERATOR of the log's member.
    /// @param entry A record, not held, not erased.
    /// @param certificate ERASURE_CERTIFICATE of the patient in the same log, its `ref` the erased index.
    /// @param reviewer Ground REVIEWER: of another member, over Erasure(memberId, index, certificateIndex, deadline).
    /// Ground PATIENT: `signature` and `deadline` are those of who signs for the patient, over the same; `account` is
    /// ignored. Ground RETENTION: ignored.
    function erase(
        Entry calldata entry,
        Entry calldata certificate,
        ErasureGround ground,
        Cosigner calldata reviewer
    ) external;

    /// @notice How long records are kept, in days from the day they were recorded.
    function RETENTION() external view returns (uint32);

    /// @notice Until when an entry is held, Unix seconds, inclusive; 0 if it is not held.
    function holdUntil(uint32 memberId, uint64 index) external view returns (uint48);

    /// @notice The nonce of the patient's next hold or lift.
    function nonceOf(bytes32 patientId) external view returns (uint64);

    /// @notice How many entries a member's log has: the index of its newest.
    function headOf(uint32 memberId) external view returns (uint256);

    /// @notice The patient's head: count and rolling digest of the events about entries under his pseudonym, in
    /// whoever's log.
    function patientHeadOf(bytes32 patientId) external view returns (uint256);

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
