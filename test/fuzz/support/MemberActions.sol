// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IMemberRegistry} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {check} from "./Check.sol";
import {ConsortiumStage} from "./ConsortiumStage.sol";

/// @notice Members and staff come, change and go.
abstract contract MemberActions is ConsortiumStage {
    uint32 private constant MOST_MEMBERS = 6;

    mapping(bytes32 personId => uint32 memberId) private _homes;
    mapping(bytes32 personId => mapping(uint32 memberId => bool)) private _sharedWith;

    function admit(uint256 seed) public action(seed) {
        address from = _memberCount < MOST_MEMBERS ? _governance() : _account(_draw(ACCOUNTS));
        _admit(from, _onceIn(8) ? address(0) : _anyone());
    }

    function setSuspension(uint256 seed) public action(seed) {
        uint32 memberId = _anyMember();
        uint8 suspension = uint8(_onceIn(3) ? _draw(_onceIn(8) ? 256 : 4) : 0);
        address from = _governance();
        _governanceRule(from);
        _rule(suspension <= 3, IMemberRegistry.SuspensionInvalid.selector);
        _presenceRules(memberId);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.setSuspension, (memberId, suspension)))) {
            _members[memberId].noReading = suspension & 1 != 0;
            _members[memberId].noWriting = suspension & 2 != 0;
        }
    }

    function remove(uint256 seed) public action(seed) {
        // Rarely by governance, or nobody would be left to act.
        address from = _onceIn(8) ? GOVERNANCE : _anyone();
        uint32 memberId = _anyMember();
        if (from == GOVERNANCE && memberId == 1) return;
        _governanceRule(from);
        _presenceRules(memberId);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.removeMember, (memberId)))) {
            _members[memberId].removed = true;
        }
    }

    function setAdmin(uint256 seed) public action(seed) {
        uint32 memberId = _anyMember();
        address admin = _onceIn(8) ? address(0) : _anyone();
        address from = _onceIn(3) ? GOVERNANCE : _adminOf(memberId);
        _rule(admin != address(0), IMemberRegistry.AdminZero.selector);
        _presenceRules(memberId);
        if (from != _members[memberId].admin) _governanceRule(from);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.setAdmin, (memberId, admin)))) {
            _members[memberId].admin = admin;
        }
    }

    function publishKey(uint256 seed) public action(seed) {
        uint32 memberId = _anyMember();
        bytes memory key = new bytes(_draw(4));
        address from = _adminOf(memberId);
        _rule(key.length != 0, IMemberRegistry.KeyEmpty.selector);
        _adminRules(memberId, from);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.publishKey, (memberId, key)))) {
            ++_members[memberId].keyEpoch;
            _members[memberId].keyStands = true;
            check(MEMBERS.memberOf(memberId).keyDigest == keccak256(key), "publishKey: digest");
        }
    }

    function withdrawKey(uint256 seed) public action(seed) {
        uint32 memberId = _anyMember();
        // Mostly one that has a key.
        for (uint256 i = 0; i < MOST_MEMBERS && !_members[memberId].keyStands; ++i) memberId = _anyMember();
        uint48 since = uint48(_onceIn(6) ? _clock + 1 : _clock - _draw(2 days));
        address from = _adminOf(memberId);
        _rule(since <= _clock, IMemberRegistry.RevocationInFuture.selector);
        _rule(_members[memberId].keyStands, IMemberRegistry.KeyUnknown.selector);
        _adminRules(memberId, from);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.withdrawKey, (memberId, since)))) {
            _members[memberId].keyStands = false;
        }
    }

    function enrolStaff(uint256 seed) public action(seed) {
        uint32 memberId = _anyMember();
        address account = _onceIn(12) ? address(0) : _account(_draw(ACCOUNTS));
        uint8 roles = uint8(_onceIn(3) ? _draw(17) : 7);
        uint48 notAfter = uint48(_onceIn(6) ? _clock : _clock + _draw(200 days) - 10 days);
        bytes32 personId = _onceIn(12) ? bytes32(0) : bytes32(1 + _draw(PERSONS));
        // Mostly one of its own, a new one, or one whom it shares.
        for (uint256 i = 0; i < 4 && !_mayEnrol(memberId, personId); ++i)
            personId = bytes32(1 + _draw(PERSONS));
        _enrol(_adminOf(memberId), memberId, account, roles, notAfter, personId);
    }

    function sharePerson(uint256 seed) public action(seed) {
        bytes32 personId = _onceIn(8) ? keccak256("nobody") : bytes32(1 + _draw(PERSONS));
        uint32 with = _anyMember();
        uint32 home = _homes[personId];
        address from = _adminOf(home);
        _rule(home != 0, IMemberRegistry.PersonUnknown.selector);
        if (home != 0) _adminRules(home, from);
        _presenceRules(with);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.sharePerson, (personId, with)))) {
            _sharedWith[personId][with] = true;
            check(MEMBERS.homeOf(personId) == home, "sharePerson: home");
        }
    }

    function updateStaff(uint256 seed) public action(seed) {
        address account = _account(_draw(ACCOUNTS));
        uint8 roles = uint8(_onceIn(3) ? _draw(20) : 7);
        uint48 notAfter = uint48(_clock + _draw(200 days) - 10 days);
        address from = _adminOf(_staff[account].memberId);
        _administeredRules(account, from);
        _rule(_staff[account].revokedSince == 0, IMemberRegistry.StaffIsRevoked.selector);
        _termRules(roles, notAfter);

        if (
            _attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.updateStaff, (account, roles, notAfter)))
        ) {
            // A bit that was not there before.
            if (_staff[account].roles | roles != _staff[account].roles) _staff[account].since = _clock;
            _staff[account].roles = roles;
            _staff[account].notAfter = notAfter;
        }
    }

    function revokeStaff(uint256 seed) public action(seed) {
        address account = _account(_draw(ACCOUNTS));
        uint48 since = uint48(_onceIn(4) ? 0 : _clock + 100 - _draw(2000));
        bool orphaned = _members[_staff[account].memberId].removed;
        address from =
            !_onceIn(3)
                ? _anyone()
                : orphaned
                    ? _governance()
                    : _adminOf(_staff[account].memberId);
        if (_members[_staff[account].memberId].removed) _governanceRule(from);
        else _administeredRules(account, from);
        _rule(since <= _clock, IMemberRegistry.RevocationInFuture.selector);
        // 0 is kept as 1, for 0 means "not revoked"; once revoked, only an earlier time may be set.
        uint48 kept = since == 0 ? 1 : since;
        uint48 before = _staff[account].revokedSince;
        _rule(before == 0 || kept < before, IMemberRegistry.StaffIsRevoked.selector);
        bytes memory call = abi.encodeCall(
            MEMBERS.revokeStaff,
            (account, since, IMemberRegistry.RevocationReason(_draw(4)))
        );

        if (_attempt(from, address(MEMBERS), call)) _staff[account].revokedSince = kept;
    }

    function _admit(address from, address admin) internal {
        _governanceRule(from);
        _rule(admin != address(0), IMemberRegistry.AdminZero.selector);

        if (_attempt(from, address(MEMBERS), abi.encodeCall(MEMBERS.admit, (admin, "A member")))) {
            _members[++_memberCount].admin = admin;
        }
    }

    function _enrol(
        address from,
        uint32 memberId,
        address account,
        uint8 roles,
        uint48 notAfter,
        bytes32 personId
    ) internal {
        _adminRules(memberId, from);
        _rule(account != address(0), IMemberRegistry.AccountZero.selector);
        _rule(personId != 0, IMemberRegistry.PersonIdZero.selector);
        _termRules(roles, notAfter);
        _rule(_staff[account].memberId == 0, IMemberRegistry.StaffAlreadyEnrolled.selector);
        _rule(_mayEnrol(memberId, personId), IMemberRegistry.PersonOfAnotherMember.selector);
        bytes memory call = abi.encodeCall(
            MEMBERS.enrolStaff,
            (memberId, account, roles, notAfter, personId)
        );

        if (_attempt(from, address(MEMBERS), call)) {
            _staff[account] = GhostStaff(memberId, roles, notAfter, 0, _clock, personId);
            if (_homes[personId] == 0) _homes[personId] = memberId;
        }
    }

    /// @dev A person is of the member that enrolled him first, unless that one shares him.
    function _mayEnrol(uint32 memberId, bytes32 personId) private view returns (bool) {
        uint32 home = _homes[personId];
        return home == 0 || home == memberId || _sharedWith[personId][memberId];
    }

    function _governanceRule(address from) private {
        _rule(from == GOVERNANCE, IAccessManaged.AccessManagedUnauthorized.selector);
    }

    function _presenceRules(uint32 memberId) private {
        _rule(memberId >= 1 && memberId <= _memberCount, IMemberRegistry.MemberUnknown.selector);
        _rule(!_members[memberId].removed, IMemberRegistry.MemberGone.selector);
    }

    function _adminRules(uint32 memberId, address from) private {
        _presenceRules(memberId);
        _rule(from == _members[memberId].admin, IMemberRegistry.NotMemberAdmin.selector);
    }

    function _administeredRules(address account, address from) private {
        _rule(_staff[account].memberId != 0, IMemberRegistry.StaffUnknown.selector);
        if (_staff[account].memberId == 0) return;
        _adminRules(_staff[account].memberId, from);
    }

    function _termRules(uint8 roles, uint48 notAfter) private {
        _rule(roles >= 1 && roles <= 15, IMemberRegistry.RolesInvalid.selector);
        _rule(notAfter >= _clock, IMemberRegistry.StaffExpiryPast.selector);
    }

    function _governance() private returns (address) {
        return _onceIn(4) ? _anyone() : GOVERNANCE;
    }

    function _adminOf(uint32 memberId) private returns (address) {
        return _onceIn(5) || memberId == 0 ? _anyone() : _members[memberId].admin;
    }
}
