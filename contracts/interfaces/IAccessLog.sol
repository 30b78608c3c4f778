// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../libraries/ConsentTerms.sol";
import {Entry} from "../libraries/Leaves.sol";

/// @title IAccessLog
/// @notice Every access to records outside their custodian. No log, no key: the custodian's release agent gives a
/// content key only for an access that stands here.
interface IAccessLog {
    /// @notice On what an access rests.
    enum Basis {
        GRANT, // basisRef: terms hash
        PATIENT, // basisRef: keccak256 of the key to which the answer is sealed
        BREAK_GLASS, // basisRef: terms hash, which names the window
        LEGAL_ORDER // basisRef: terms hash, which names the order
    }

    /// @notice What of a scope is meant.
    enum Extent {
        INDEX, // what entries there are: no bodies
        CHART // the bodies of all entries
    }

    struct Access {
        uint32 memberId; // the reader's; 0: the patient himself
        Basis basis;
        bytes32 basisRef;
        uint8 purpose; // of Purposes
        uint48 requestedAt; // Unix seconds
    }

    struct Scope {
        uint64 compartments; // bit n: compartment n
        uint32 recordedFrom; // days since 1970-01-01 UTC, inclusive
        uint32 recordedTo; // days since 1970-01-01 UTC, inclusive
        uint64 upTo; // newest index of the custodian's log that is meant
    }

    /// @notice A clinician requested the bodies of these entries.
    event RecordsRequested(
        bytes32 indexed accessId,
        bytes32 indexed patientId,
        address indexed reader,
        Access access,
        uint64[] indices
    );
    /// @notice A clinician requested the index or the bodies of all entries within a scope.
    event ScopeRequested(
        bytes32 indexed accessId,
        bytes32 indexed patientId,
        address indexed reader,
        Access access,
        Extent extent,
        Scope scope
    );

    error NoEntries();
    error TooManyEntries(uint256 count, uint256 most);
    error LeafOfAnotherMember(uint64 index, uint32 leafMemberId, uint32 custodian);
    error LeafOfAnotherPatient(uint64 index, bytes32 leafPatientId, bytes32 patientId);
    error KindNotReadable(uint64 index, uint8 kind);
    error CompartmentNotPermitted(uint64 index, uint8 compartment, uint64 permitted);
    error DayNotGranted(uint64 index, uint32 recordedDay, uint32 recordedFrom, uint32 recordedTo);
    error EntryWithdrawn(uint64 index, uint8 status);
    error CompartmentsNotPermitted(uint64 compartments, uint64 permitted);
    error PeriodNotGranted(uint32 recordedFrom, uint32 recordedTo);
    error BeyondHead(uint64 upTo, uint256 head);
    error DeadlinePassed(uint48 deadline);
    error RecipientKeyZero();

    /// @notice Logs one access to up to 64 entries of one patient. By a CLINICIAN of the grantee.
    /// @param terms As granted by the patient, ordered (purpose HLEGAL), or of the caller's own window (purpose BTG).
    /// @param purpose One that the terms name.
    /// @param entries Anchored in the custodian's log, of this patient, kind RECORD, within the terms, not withdrawn.
    /// @return accessId Names the access.
    function requestRecords(
        Terms calldata terms,
        uint8 purpose,
        Entry[] calldata entries
    ) external returns (bytes32 accessId);

    /// @notice Logs one access to all entries within a scope of one patient. By a CLINICIAN of the grantee.
    /// @dev No leaf is shown here: the release agent gives only what lies within the scope, each with its receipt.
    /// @param scope Within the terms and the custodian's log.
    /// @return accessId Names the access.
    function requestScope(
        Terms calldata terms,
        uint8 purpose,
        Extent extent,
        Scope calldata scope
    ) external returns (bytes32 accessId);

    /// @notice Logs the patient's request of his own records (PATRQT). Relayed by anyone; the event's reader is zero.
    /// @dev His directive binds others, not himself.
    /// @param recipientKey keccak256 of the encryption key to which the custodian seals the answer.
    /// @param signature Of who signs for the patient, over OwnRequest(patientId, extent, compartments, recordedFrom,
    /// recordedTo, upTo, recipientKey, nonce, deadline), where nonce is `ownNonceOf(patientId)`.
    /// @return accessId Names the access.
    function requestOwn(
        bytes32 patientId,
        Extent extent,
        Scope calldata scope,
        bytes32 recipientKey,
        uint48 deadline,
        bytes calldata signature
    ) external returns (bytes32 accessId);

    /// @notice The nonce of the patient's next own request.
    function ownNonceOf(bytes32 patientId) external view returns (uint64);

    /// @notice The patient's head: count and rolling digest of this log's events about him.
    function headOf(bytes32 patientId) external view returns (uint256);
}
