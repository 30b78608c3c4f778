// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../libraries/ConsentTerms.sol";
import {Cosigner} from "../libraries/Cosigners.sol";

/// @title IBreakGlass
/// @notice Emergencies: two clinicians open a window through which one of them reads a patient's records without his
/// consent, and must account for it.
/// @dev A window is named by the hash of the terms it stands for: the patient, the reader's member, all compartments
/// and days, purpose BTG, from its opening to its end, salted with what was signed.
interface IBreakGlass {
    /// @notice What a consortium sets once, within the contract's bounds.
    struct Limits {
        uint48 windowLength; // seconds, 30 minutes to 24 hours
        uint48 justifyWithin; // seconds from the opening, 1 to 14 days
        uint48 reviewWithin; // seconds from the opening, longer than justifyWithin, at most 90 days
        uint48 fileWithin; // seconds from a release while the chain was down, 1 to 30 days
        uint16 personQuota; // windows a day in which one person may take part, 1 to 100
        uint16 memberQuota; // windows a day of one member, at least ten times personQuota
        uint16 overdueThreshold; // persons of one member with overdue windows at which the member is stopped, 3 or more
        uint16 lookupQuota; // identifiers a day that one person may look up, 1 to 100; a member twenty times as many
    }

    struct Window {
        bytes32 patientId; // 0: no such window
        address reader;
        uint48 openedAt; // Unix seconds; of a late one, when it was filed
        uint32 memberId; // the reader's
        address colleague; // who signed
        uint32 colleagueMember;
        uint32 custodian; // the patient's
        bool overdue; // flagged, and not yet justified
        bool late; // released while the chain was down: nothing is read through it
        Verdict verdict;
        bytes32 readerPerson;
        bytes32 colleaguePerson;
        bytes32 justification; // digest of the statement; 0: none yet
    }

    /// @notice What two clinicians were given while the chain was down, as the custodian files it.
    struct LateRelease {
        bytes32 patientId;
        address initiator; // who read
        address colleague;
        bytes32 reasonDigest; // as in breakGlass
        bytes32 nonce;
        uint48 deadline; // Unix seconds, inclusive; part of what both signed
        uint48 releasedAt; // Unix seconds, by the custodian's clock
        bytes32 releaseDigest; // SHA-256 of what was handed out
        bytes initiatorSignature; // both over EmergencyRelease(initiator, colleague, patientId, reasonDigest, nonce, deadline)
        bytes colleagueSignature;
    }

    /// @notice What the review found.
    enum Verdict {
        NONE,
        APPROPRIATE,
        INAPPROPRIATE
    }

    /// @notice A window was opened.
    event GlassBroken(
        bytes32 indexed windowId,
        bytes32 indexed patientId,
        address indexed reader,
        Terms terms,
        address colleague,
        bytes32 reasonDigest
    );
    /// @notice Records were released while the chain was down. Filed late: neither `releasedAt` nor the release was
    /// checked by any contract when it happened.
    event LateReleaseFiled(
        bytes32 indexed windowId,
        bytes32 indexed patientId,
        address indexed reader,
        uint32 memberId,
        address colleague,
        bytes32 reasonDigest,
        bytes32 releaseDigest,
        uint48 releasedAt,
        uint48 filedAt
    );
    /// @notice A clinician asks custodians whether they know somebody: the evaluation that he may ask each of them for.
    event LookupLogged(
        bytes32 indexed lookupId,
        address indexed reader,
        uint32 memberId,
        bytes32 blindedDigest,
        uint48 loggedAt
    );
    /// @notice A privacy officer of the reader's member, or of the colleague's, justified a window.
    event WindowJustified(
        bytes32 indexed windowId,
        bytes32 indexed patientId,
        address indexed officer,
        bytes32 statementDigest,
        uint48 justifiedAt
    );
    /// @notice A window was reviewed.
    event WindowReviewed(
        bytes32 indexed windowId,
        bytes32 indexed patientId,
        address indexed officer,
        Verdict verdict,
        bytes32 statementDigest,
        uint48 reviewedAt
    );
    /// @notice A window's justification is overdue; its two persons may open none until it is filed.
    event WindowOverdue(bytes32 indexed windowId, bytes32 indexed patientId, uint48 flaggedAt);

    error LimitsOutOfBounds();
    error OwnPatient(bytes32 patientId, uint32 memberId);
    error PatientIsDead(bytes32 patientId);
    error EmergencyDenied(bytes32 patientId);
    error SignatureUsed(bytes32 nonce);
    error WindowUnknown(bytes32 windowId);
    error WindowOfAnother(bytes32 windowId, address reader);
    error WindowIsLate(bytes32 windowId);
    error ReleaserOfAnother(bytes32 patientId, uint32 memberId);
    error DeadlineTooFar(uint48 deadline, uint48 latest);
    error ReleaseOutsideSignature(uint48 releasedAt, uint48 deadline);
    error ReleaseInFuture(uint48 releasedAt);
    error FiledTooLate(uint48 releasedAt, uint48 fileWithin);
    error AlreadyFiled(bytes32 windowId);
    error StaffNeverKnown(address account);
    error QuotaOfPersonUsed(bytes32 personId, uint16 quota);
    error QuotaOfMemberUsed(uint32 memberId, uint16 quota);
    error PersonOverdue(bytes32 personId, uint32 windows);
    error MemberOverdue(uint32 memberId, uint32 persons);
    error DigestZero();
    error AlreadyJustified(bytes32 windowId);
    error AlreadyReviewed(bytes32 windowId, Verdict verdict);
    error AlreadyFlagged(bytes32 windowId);
    error NotYetJustified(bytes32 windowId);
    error NotOverdue(bytes32 windowId, uint48 dueAt);
    error OwnEmergency(bytes32 windowId, bytes32 personId);
    error NotReviewer(bytes32 windowId, uint32 memberId);
    error VerdictMissing(bytes32 windowId);

    /// @notice Opens a window on a patient for the caller. By a CLINICIAN past his waiting time, of another member than
    /// the custodian.
    /// @param reasonDigest SHA-256 of the reason, which stays off chain, with 32 random bytes before it.
    /// @param nonce Random: each signature opens one window.
    /// @param colleague Another CLINICIAN past his waiting time, of any member, another person; signs
    /// Emergency(initiator, patientId, reasonDigest, nonce, deadline). The deadline is at most an hour ahead.
    /// @return windowId The terms' hash.
    function breakGlass(
        bytes32 patientId,
        bytes32 reasonDigest,
        bytes32 nonce,
        Cosigner calldata colleague
    ) external returns (bytes32 windowId);

    /// @notice Puts on record what was released while the chain was down, once. By a RELEASER of the custodian.
    /// @dev Opens the same duties as breakGlass, from the filing on, and nothing that could be read through. What
    /// became of either person's account, of the patient or his directive since does not matter: it was released, and
    /// nobody may be able to keep that from the patient's list. Hence two accounts with an ordinary key each (ECDSA
    /// alone: a contract account could disown its signature), of two persons that were ever enrolled.
    /// @return windowId The struct hash of what was signed; no terms have it as their hash.
    function fileLate(LateRelease calldata released) external returns (bytes32 windowId);

    /// @notice Logs that the caller is about to look for one person at any custodians. By a CLINICIAN past his waiting
    /// time.
    /// @param blindedDigest SHA-256 of the blinded identifier, from which nobody learns it.
    /// @return lookupId Keccak-256 of chain id, this contract, caller and digest. Logging the same again counts again.
    function logLookup(bytes32 blindedDigest) external returns (bytes32 lookupId);

    /// @notice Files the account of a window, also when it is overdue. By a REVIEWER of the reader's member who is
    /// neither of its two persons; once it is flagged as overdue, also by such a one of the colleague's member.
    /// @param statementDigest SHA-256 of the statement, with 32 random bytes before it.
    function justify(bytes32 windowId, bytes32 statementDigest) external;

    /// @notice Reviews a window, once. By a REVIEWER of the custodian; once the time for it is over, also by one of
    /// neither member.
    /// @dev Not by either of the two persons. A window is reviewed with or without its justification once that is due.
    function review(bytes32 windowId, Verdict verdict, bytes32 statementDigest) external;

    /// @notice Marks a window whose justification is overdue. By anyone.
    function flagOverdue(bytes32 windowId) external;

    /// @notice The limits in force.
    function limits() external view returns (Limits memory);

    /// @notice The window; `patientId` is 0 if there is none.
    function windowOf(bytes32 windowId) external view returns (Window memory);

    /// @notice How many overdue windows keep a person from opening another.
    function overdueOfPerson(bytes32 personId) external view returns (uint32 windows);

    /// @notice How many persons of a member have overdue windows.
    function overdueOfMember(uint32 memberId) external view returns (uint32 persons);

    /// @notice The patient's head: count and rolling digest of these events about him.
    function headOf(bytes32 patientId) external view returns (uint256);

    /// @notice Reverts unless the window is the reader's own, was opened on chain, and the patient's directive lets emergencies in.
    /// @dev That it has not ended, the terms say.
    /// @return custodian Member id of the patient's custodian.
    /// @return deniedCompartments Bitmap of what the patient's directive denies.
    function standingOf(
        bytes32 windowId,
        address reader
    ) external view returns (uint32 custodian, uint64 deniedCompartments);
}
