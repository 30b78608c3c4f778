// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title MemberRegistry
contract MemberRegistry is IMemberRegistry, AccessManaged {
    uint48 private constant MIN_WAITING_TIME = 1 hours;
    uint48 private constant MAX_WAITING_TIME = 14 days;

    /// @inheritdoc IMemberRegistry
    uint48 public immutable WAITING_TIME;
    /// @inheritdoc IMemberRegistry
    uint32 public memberCount;

    mapping(uint32 memberId => Member) private _members;
    mapping(address account => Staff) private _staff;
    /// @inheritdoc IMemberRegistry
    mapping(bytes32 personId => uint32 memberId) public homeOf;
    mapping(bytes32 personId => mapping(uint32 memberId => bool)) private _shared;

    modifier onlyAdminOf(uint32 memberId) {
        _requireAdmin(memberId);
        _;
    }

    /// @param authority The AccessManager that governs admission.
    /// @param waitingTime Seconds, from 1 hour to 14 days.
    constructor(address authority, uint48 waitingTime) AccessManaged(authority) {
        if (waitingTime < MIN_WAITING_TIME || waitingTime > MAX_WAITING_TIME) {
            revert WaitingTimeOutOfBounds(waitingTime);
        }

        WAITING_TIME = waitingTime;
    }

    /// @inheritdoc IMemberRegistry
    function admit(address admin, string calldata name) external restricted returns (uint32 memberId) {
        if (admin == address(0)) revert AdminZero();

        memberId = ++memberCount;
        _members[memberId].admin = admin;
        _members[memberId].admittedAt = uint48(block.timestamp);

        emit MemberAdmitted(memberId, admin, name);
    }

    /// @inheritdoc IMemberRegistry
    function setSuspension(uint32 memberId, uint8 suspension) external restricted {
        if (suspension & ~(Suspension.READING | Suspension.WRITING) != 0)
            revert SuspensionInvalid(suspension);
        Member storage member = _present(memberId);

        member.suspension = suspension;

        emit MemberSuspensionSet(memberId, suspension);
    }

    /// @inheritdoc IMemberRegistry
    function removeMember(uint32 memberId) external restricted {
        Member storage member = _present(memberId);

        member.suspension = Suspension.READING | Suspension.WRITING | Suspension.REMOVED;

        emit MemberRemoved(memberId);
    }

    /// @inheritdoc IMemberRegistry
    function setAdmin(uint32 memberId, address admin) external {
        if (admin == address(0)) revert AdminZero();
        Member storage member = _present(memberId);
        if (msg.sender != member.admin) _checkCanCall(msg.sender, msg.data);

        member.admin = admin;

        emit MemberAdminSet(memberId, admin);
    }

    /// @inheritdoc IMemberRegistry
    function publishKey(
        uint32 memberId,
        bytes calldata key
    ) external onlyAdminOf(memberId) returns (uint32 epoch) {
        if (key.length == 0) revert KeyEmpty();

        Member storage member = _members[memberId];
        epoch = ++member.keyEpoch;
        member.keyDigest = keccak256(key);

        emit KeyPublished(memberId, epoch, key);
    }

    /// @inheritdoc IMemberRegistry
    function withdrawKey(uint32 memberId, uint48 since) external onlyAdminOf(memberId) {
        if (since > block.timestamp) revert RevocationInFuture(since);
        Member storage member = _members[memberId];
        if (member.keyDigest == 0) revert KeyUnknown(memberId);

        member.keyDigest = 0;

        emit KeyWithdrawn(memberId, member.keyEpoch, since);
    }

    /// @inheritdoc IMemberRegistry
    function enrolStaff(
        uint32 memberId,
        address account,
        uint8 roles,
        uint48 notAfter,
        bytes32 personId
    ) external onlyAdminOf(memberId) {
        if (account == address(0)) revert AccountZero();
        if (personId == 0) revert PersonIdZero();
        _requireTerm(roles, notAfter);
        uint32 present = _staff[account].memberId;
        if (present != 0) revert StaffAlreadyEnrolled(account, present);
        _requirePersonOf(memberId, personId);

        _staff[account] = Staff({
            memberId: memberId,
            roles: roles,
            since: uint48(block.timestamp),
            notAfter: notAfter,
            revokedSince: 0,
            personId: personId
        });

        emit StaffEnrolled(memberId, account, personId, roles, notAfter);
    }

    /// @inheritdoc IMemberRegistry
    function sharePerson(bytes32 personId, uint32 memberId) external {
        uint32 home = homeOf[personId];
        if (home == 0) revert PersonUnknown(personId);
        _requireAdmin(home);
        _present(memberId);

        _shared[personId][memberId] = true;

        emit PersonShared(personId, home, memberId);
    }

    /// @inheritdoc IMemberRegistry
    function updateStaff(address account, uint8 roles, uint48 notAfter) external {
        Staff storage staff = _administered(account);
        if (staff.revokedSince != 0) revert StaffIsRevoked(account, staff.revokedSince);
        _requireTerm(roles, notAfter);

        // Otherwise a long-enrolled account could be handed a role and use it the same minute.
        if (roles & ~staff.roles != 0) staff.since = uint48(block.timestamp);
        staff.roles = roles;
        staff.notAfter = notAfter;

        emit StaffUpdated(staff.memberId, account, roles, staff.since, notAfter);
    }

    /// @inheritdoc IMemberRegistry
    function revokeStaff(address account, uint48 since, RevocationReason reason) external {
        Staff storage staff = _staff[account];
        _requireMayRevoke(staff.memberId, account);
        if (since > block.timestamp) revert RevocationInFuture(since);
        // A compromise may turn out to be older than was thought, never younger.
        uint48 present = staff.revokedSince;
        // Zero means "not revoked": a revocation since the epoch is kept as one second later.
        if (since == 0) since = 1;
        if (present != 0 && since >= present) revert StaffIsRevoked(account, present);

        staff.revokedSince = since;
        staff.notAfter = 0; // at once, whatever its term was

        emit StaffRevoked(staff.memberId, account, since, reason);
    }

    /// @inheritdoc IMemberRegistry
    function requireMember(uint32 memberId) external view {
        _known(memberId);
    }

    /// @inheritdoc IMemberRegistry
    function memberOf(uint32 memberId) external view returns (Member memory) {
        return _known(memberId);
    }

    /// @inheritdoc IMemberRegistry
    function staffOf(address account) external view returns (Staff memory) {
        return _staff[account];
    }

    /// @inheritdoc IMemberRegistry
    function authorized(address account, uint8 role, uint8 activity) external view returns (uint32 memberId) {
        return _authorize(_staff[account], account, role, activity);
    }

    /// @inheritdoc IMemberRegistry
    function authorizedSeasoned(
        address account,
        uint8 role,
        uint8 activity
    ) external view returns (uint32 memberId, bytes32 personId) {
        Staff storage staff = _staff[account];
        memberId = _authorize(staff, account, role, activity);
        personId = staff.personId;

        uint48 seasonedAt = staff.since + WAITING_TIME;
        if (block.timestamp < seasonedAt) revert StaffTooNew(account, seasonedAt);
    }

    function _authorize(
        Staff storage staff,
        address account,
        uint8 role,
        uint8 activity
    ) private view returns (uint32 memberId) {
        memberId = staff.memberId;
        // An unknown account has no term, and a revoked one's is over: told apart only where somebody is refused, so
        // that not everyone pays for it.
        if (block.timestamp > staff.notAfter) {
            if (memberId == 0) revert StaffUnknown(account);
            if (staff.revokedSince != 0) revert StaffIsRevoked(account, staff.revokedSince);
            revert StaffExpired(account, staff.notAfter);
        }
        if (staff.roles & role == 0) revert StaffRoleMissing(account, role);

        uint8 suspension = _members[memberId].suspension;
        if (suspension & activity != 0) revert MemberSuspended(memberId, suspension);
    }

    function _requireAdmin(uint32 memberId) private view {
        if (msg.sender != _present(memberId).admin) revert NotMemberAdmin(memberId, msg.sender);
    }

    /// @dev What a person opens and owes counts for him at every member: nobody else's admin may run that up.
    function _requirePersonOf(uint32 memberId, bytes32 personId) private {
        uint32 home = homeOf[personId];
        if (home == 0) homeOf[personId] = memberId;
        else if (home != memberId && !_shared[personId][memberId]) {
            revert PersonOfAnotherMember(personId, home);
        }
    }

    function _requireTerm(uint8 roles, uint48 notAfter) private view {
        if (roles == 0 || roles & ~Roles.ALL != 0) revert RolesInvalid(roles);
        if (notAfter < block.timestamp) revert StaffExpiryPast(notAfter);
    }

    /// @dev The account, provided that the caller is its member's admin.
    function _administered(address account) private view returns (Staff storage staff) {
        staff = _staff[account];
        if (staff.memberId == 0) revert StaffUnknown(account);
        _requireAdmin(staff.memberId);
    }

    /// @dev Who left has nobody to revoke its staff: governance does.
    function _requireMayRevoke(uint32 memberId, address account) private {
        if (memberId == 0) revert StaffUnknown(account);
        if (_members[memberId].suspension & Suspension.REMOVED != 0) _checkCanCall(msg.sender, msg.data);
        else _requireAdmin(memberId);
    }

    function _known(uint32 memberId) private view returns (Member storage member) {
        member = _members[memberId];
        if (member.admin == address(0)) revert MemberUnknown(memberId);
    }

    function _present(uint32 memberId) private view returns (Member storage member) {
        member = _known(memberId);
        if (member.suspension & Suspension.REMOVED != 0) revert MemberGone(memberId);
    }
}
