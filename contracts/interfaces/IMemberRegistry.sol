// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IMemberRegistry
/// @notice The consortium's members and their staff: who may write, read, review and release.
/// @dev Admission, suspension and removal belong to governance (an OpenZeppelin AccessManager), everything inside a
/// member to that member's admin.
interface IMemberRegistry {
    struct Member {
        address admin; // manages staff and encryption keys
        uint8 suspension; // bits of Suspension
        uint32 keyEpoch; // 0 until a key is published, then from 1
        uint48 admittedAt; // Unix seconds
        bytes32 keyDigest; // keccak256 of the current encryption key; its bytes are in KeyPublished; 0: none
    }

    struct Staff {
        uint32 memberId; // 0: no such account
        uint8 roles; // bits of Roles
        uint48 since; // Unix seconds; the waiting time runs from here
        uint48 notAfter; // Unix seconds, inclusive; 0 once revoked
        uint48 revokedSince; // Unix seconds; 0: not revoked
        bytes32 personId; // opaque, the same for every account of one person in the whole consortium
    }

    /// @notice Why an account was revoked.
    enum RevocationReason {
        LEFT, // the person no longer works there
        KEY_LOST,
        KEY_COMPROMISED, // what it signed since `revokedSince` is suspect
        MISUSE
    }

    /// @notice A member was admitted; `name` is its institution's, for people.
    event MemberAdmitted(uint32 indexed memberId, address indexed admin, string name);
    /// @notice A member's suspension is now these bits of Suspension.
    event MemberSuspensionSet(uint32 indexed memberId, uint8 suspension);
    /// @notice A member left the consortium, for good.
    event MemberRemoved(uint32 indexed memberId);
    /// @notice Another account now administers the member.
    event MemberAdminSet(uint32 indexed memberId, address indexed admin);
    /// @notice The member's encryption key of this epoch; capsules are sealed to the newest.
    event KeyPublished(uint32 indexed memberId, uint32 indexed epoch, bytes key);
    /// @notice The member's encryption key of this epoch is compromised: nothing is sealed to it any more, and what was
    /// sealed from `since` on may have been read by others.
    event KeyWithdrawn(uint32 indexed memberId, uint32 indexed epoch, uint48 since);
    /// @notice An account was enrolled with bits of Roles, until `notAfter` (Unix seconds).
    event StaffEnrolled(
        uint32 indexed memberId,
        address indexed account,
        bytes32 indexed personId,
        uint8 roles,
        uint48 notAfter
    );
    /// @notice The person's home member lets another one enrol accounts of his, too.
    event PersonShared(bytes32 indexed personId, uint32 indexed home, uint32 indexed memberId);
    /// @notice An account's roles or end date changed; its waiting time runs from `since`.
    event StaffUpdated(
        uint32 indexed memberId,
        address indexed account,
        uint8 roles,
        uint48 since,
        uint48 notAfter
    );
    /// @notice An account was revoked; what it signed from `since` on is to be doubted.
    event StaffRevoked(
        uint32 indexed memberId,
        address indexed account,
        uint48 since,
        RevocationReason reason
    );

    error MemberUnknown(uint32 memberId);
    error MemberGone(uint32 memberId);
    error MemberSuspended(uint32 memberId, uint8 suspension);
    error SuspensionInvalid(uint8 suspension);
    error NotMemberAdmin(uint32 memberId, address caller);
    error AdminZero();
    error KeyEmpty();
    error KeyUnknown(uint32 memberId);
    error WaitingTimeOutOfBounds(uint48 waitingTime);
    error AccountZero();
    error PersonIdZero();
    error PersonUnknown(bytes32 personId);
    error PersonOfAnotherMember(bytes32 personId, uint32 home);
    error RolesInvalid(uint8 roles);
    error StaffUnknown(address account);
    error StaffAlreadyEnrolled(address account, uint32 memberId);
    error StaffExpiryPast(uint48 notAfter);
    error StaffIsRevoked(address account, uint48 since);
    error StaffExpired(address account, uint48 notAfter);
    error StaffRoleMissing(address account, uint8 role);
    error StaffTooNew(address account, uint48 seasonedAt);
    error RevocationInFuture(uint48 since);

    /// @notice Admits a member. Governance only.
    /// @param admin Account that manages the member's staff and keys.
    /// @param name The institution's name, for people: only in the event.
    /// @return memberId From 1, in order of admission.
    function admit(address admin, string calldata name) external returns (uint32 memberId);

    /// @notice Suspends a member's reading, writing or both, or lifts it. Governance only.
    /// @param suspension Bits READING and WRITING of Suspension; 0 lifts.
    function setSuspension(uint32 memberId, uint8 suspension) external;

    /// @notice Removes a member, for good. Its log and its past grants stay provable. Governance only.
    function removeMember(uint32 memberId) external;

    /// @notice Hands the member's administration to another account. By its admin, or by governance when the admin's
    /// key is lost.
    function setAdmin(uint32 memberId, address admin) external;

    /// @notice Publishes the member's next encryption key, to which capsules are sealed from now on. By its admin.
    /// @param key Public key bytes; X-Wing: 1,216 bytes.
    /// @return epoch The key's number, from 1.
    function publishKey(uint32 memberId, bytes calldata key) external returns (uint32 epoch);

    /// @notice Withdraws the member's current encryption key, because it is compromised. By its admin. Until the next
    /// one is published, nothing can be released to the member.
    /// @param since Unix seconds, not in the future: from when on what was sealed to it is to be doubted.
    function withdrawKey(uint32 memberId, uint48 since) external;

    /// @notice Enrols a staff account. By the member's admin. An account serves one member, once.
    /// @param notAfter Unix seconds, inclusive.
    /// @param personId Opaque and the same in the whole consortium for all accounts of one person. A new one is this
    /// member's own; another member's only if that one shares it.
    function enrolStaff(
        uint32 memberId,
        address account,
        uint8 roles,
        uint48 notAfter,
        bytes32 personId
    ) external;

    /// @notice Lets another member enrol accounts of a person, too, who works at both. By the admin of the person's
    /// home member. For good: what is enrolled stays that person's.
    function sharePerson(bytes32 personId, uint32 memberId) external;

    /// @notice Changes an account's roles and end date. By its member's admin. A role that is new to the account
    /// starts its waiting time again.
    function updateStaff(address account, uint8 roles, uint48 notAfter) external;

    /// @notice Revokes an account, at once and for good. By its member's admin; by governance once the member left.
    /// Again only to set an earlier `since`.
    /// @param since Unix seconds, not in the future: from when on what it signed is to be doubted.
    function revokeStaff(address account, uint48 since, RevocationReason reason) external;

    /// @notice The member that enrolled this person's first account; 0: nobody did.
    function homeOf(bytes32 personId) external view returns (uint32 memberId);

    /// @notice How long a new account waits before it may witness or be a second clinician, in seconds.
    function WAITING_TIME() external view returns (uint48);

    /// @notice Number of members ever admitted; the newest has this id.
    function memberCount() external view returns (uint32);

    /// @notice Reverts with MemberUnknown unless the member was admitted, whatever became of it.
    function requireMember(uint32 memberId) external view;

    /// @notice The member. Reverts with MemberUnknown.
    function memberOf(uint32 memberId) external view returns (Member memory);

    /// @notice The staff account, as enrolled, updated or revoked. `memberId` is 0 for an unknown one.
    function staffOf(address account) external view returns (Staff memory);

    /// @notice The member for which `account` may now act in `role`. Reverts with the reason why it may not.
    /// @param role One bit of Roles.
    /// @param activity Bits of Suspension that must not be set for the member: READING, WRITING, or REMOVED alone for
    /// acts that a suspended member may still do. 0 would let removed members in.
    function authorized(address account, uint8 role, uint8 activity) external view returns (uint32 memberId);

    /// @notice As `authorized`, for acts that need two persons: the account must also be past its waiting time.
    /// @return memberId The account's member.
    /// @return personId Whose account it is: two accounts of one person count once.
    function authorizedSeasoned(
        address account,
        uint8 role,
        uint8 activity
    ) external view returns (uint32 memberId, bytes32 personId);
}
