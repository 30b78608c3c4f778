// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBreakGlass} from "../interfaces/IBreakGlass.sol";
import {Heads} from "../libraries/Heads.sol";

/// @title Emergencies
/// @notice The windows there are, and what their persons still owe: quotas a day and overdue justifications.
abstract contract Emergencies is IBreakGlass {
    struct DayCount {
        uint48 day; // since 1970-01-01 UTC
        uint16 times;
    }

    Limits private _limits;

    mapping(bytes32 windowId => Window) internal _windows;
    mapping(bytes32 personId => DayCount) private _ofPersonToday;
    mapping(uint32 memberId => DayCount) private _ofMemberToday;
    mapping(bytes32 personId => uint32 windows) private _overdueOfPerson;
    mapping(uint32 memberId => mapping(bytes32 personId => uint32 windows)) private _overdueAtMember;
    mapping(uint32 memberId => uint32 persons) private _overdueOfMember;
    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(Limits memory given) {
        bool lengths =
            given.windowLength >= 30 minutes &&
                given.windowLength <= 24 hours &&
                given.justifyWithin >= 1 days &&
                given.justifyWithin <= 14 days &&
                given.reviewWithin > given.justifyWithin &&
                given.reviewWithin <= 90 days &&
                given.fileWithin >= 1 days &&
                given.fileWithin <= 30 days;
        if (!lengths) revert LimitsOutOfBounds();
        // A pair that uses up its quota, or lets windows become overdue, must not stop its whole hospital.
        bool quotas =
            given.personQuota >= 1 &&
                given.personQuota <= 100 &&
                given.memberQuota >= 10 * given.personQuota &&
                given.overdueThreshold >= 3 &&
                given.lookupQuota >= 1 &&
                given.lookupQuota <= 100;
        if (!quotas) revert LimitsOutOfBounds();

        _limits = given;
    }

    /// @inheritdoc IBreakGlass
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc IBreakGlass
    function windowOf(bytes32 windowId) external view returns (Window memory) {
        return _windows[windowId];
    }

    /// @inheritdoc IBreakGlass
    function overdueOfPerson(bytes32 personId) external view returns (uint32 windows) {
        return _overdueOfPerson[personId];
    }

    /// @inheritdoc IBreakGlass
    function overdueOfMember(uint32 memberId) external view returns (uint32 persons) {
        return _overdueOfMember[memberId];
    }

    /// @inheritdoc IBreakGlass
    function headOf(bytes32 patientId) external view returns (uint256) {
        return _heads[patientId];
    }

    function _windowLength() internal view returns (uint48) {
        return _limits.windowLength;
    }

    function _justificationDue(Window storage window) internal view returns (uint48) {
        return window.openedAt + _limits.justifyWithin;
    }

    function _reviewDue(Window storage window) internal view returns (uint48) {
        return window.openedAt + _limits.reviewWithin;
    }

    function _fileWithin() internal view returns (uint48) {
        return _limits.fileWithin;
    }

    function _lookupQuota() internal view returns (uint16) {
        return _limits.lookupQuota;
    }

    function _known(bytes32 windowId) internal view returns (Window storage window) {
        window = _windows[windowId];
        if (window.patientId == 0) revert WindowUnknown(windowId);
    }

    /// @dev One more window today, unless one is owed or the day's are used up.
    function _countPerson(bytes32 personId) internal {
        uint32 overdue = _overdueOfPerson[personId];
        if (overdue != 0) revert PersonOverdue(personId, overdue);
        uint16 quota = _limits.personQuota;
        if (!_count(_ofPersonToday[personId], quota)) revert QuotaOfPersonUsed(personId, quota);
    }

    function _countMember(uint32 memberId) internal {
        uint32 overdue = _overdueOfMember[memberId];
        if (overdue >= _limits.overdueThreshold) revert MemberOverdue(memberId, overdue);
        uint16 quota = _limits.memberQuota;
        if (!_count(_ofMemberToday[memberId], quota)) revert QuotaOfMemberUsed(memberId, quota);
    }

    function _addOverdue(uint32 memberId, bytes32 personId) internal {
        ++_overdueOfPerson[personId];
        if (_overdueAtMember[memberId][personId]++ == 0) ++_overdueOfMember[memberId];
    }

    function _settleOverdue(uint32 memberId, bytes32 personId) internal {
        --_overdueOfPerson[personId];
        if (--_overdueAtMember[memberId][personId] == 0) --_overdueOfMember[memberId];
    }

    /// @dev The digest that Heads makes of a log with three indexed arguments.
    function _advance(
        bytes32 selector,
        bytes32 windowId,
        bytes32 patientId,
        address who,
        bytes32 data
    ) internal {
        _heads[patientId] = Heads.advance(
            _heads[patientId],
            keccak256(abi.encode(selector, windowId, patientId, who, data))
        );
    }

    /// @dev As above, with two indexed arguments.
    function _advance(bytes32 selector, bytes32 windowId, bytes32 patientId, bytes32 data) internal {
        _heads[patientId] = Heads.advance(
            _heads[patientId],
            keccak256(abi.encode(selector, windowId, patientId, data))
        );
    }

    /// @dev One more today, unless the day's are used up.
    function _count(DayCount storage counted, uint16 quota) internal returns (bool within) {
        uint48 today = uint48(block.timestamp / 1 days);
        if (counted.day != today) {
            counted.day = today;
            counted.times = 0;
        }
        within = counted.times < quota;
        if (within) ++counted.times;
    }
}
