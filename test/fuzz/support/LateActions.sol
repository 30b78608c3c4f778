// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBreakGlass} from "../../../contracts/interfaces/IBreakGlass.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Cosigners} from "../../../contracts/libraries/Cosigners.sol";
import {check} from "./Check.sol";
import {EmergencyActions} from "./EmergencyActions.sol";

/// @notice Custodians file what was released while the chain was down, and clinicians look for somebody.
abstract contract LateActions is EmergencyActions {
    bytes32 private constant RELEASE_TYPEHASH = keccak256(
        "EmergencyRelease(address initiator,address colleague,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline)"
    );
    uint256 private constant FILE_WITHIN = 7 days;
    uint256 private constant LONGEST_SIGNED = 1 hours;
    uint256 private constant LOOKUPS_OF_PERSON = 4;
    /// @dev Never reached by twelve persons; the contract's own tests reach it.
    uint256 private constant LOOKUPS_OF_MEMBER = 80;

    bytes32[] private _lateIds;
    address private _seeker;
    mapping(uint256 day => mapping(bytes32 personId => uint256)) private _lookupsOfPerson;
    mapping(uint256 day => mapping(uint32 memberId => uint256)) private _lookupsOfMember;

    function fileLate(uint256 seed) public action(seed) {
        Emergency memory what = _someRelease();
        uint32 custodian = _patients[what.patientId].custodian;
        IBreakGlass.LateRelease memory released;
        (released.patientId, released.initiator) = (what.patientId, what.initiator);
        (released.colleague, released.reasonDigest) = (what.colleague, what.reasonDigest);
        (released.nonce, released.deadline) = (what.nonce, what.deadline);
        released.releasedAt = _someReleaseTime(what.deadline);
        released.releaseDigest = bytes32(_onceIn(16) ? 0 : seed | 1);
        bytes32 windowId = keccak256(
            abi.encode(
                RELEASE_TYPEHASH,
                what.initiator,
                what.colleague,
                what.patientId,
                what.reasonDigest,
                what.nonce,
                what.deadline
            )
        );
        released.initiatorSignature = _signRelease(what.initiator, windowId);
        released.colleagueSignature = _signRelease(what.colleague, windowId);
        _releaseRules(released);
        _rule(!_windows[windowId].late, IBreakGlass.AlreadyFiled.selector);
        address from =
            _onceIn(6)
                ? _staffFor(custodian, RELEASER, REMOVED)
                : _releaserOf(_onceIn(8) ? _anyMember() : custodian);
        uint32 memberId = _staffRules(from, RELEASER, REMOVED);
        _rule(memberId == custodian, IBreakGlass.ReleaserOfAnother.selector);

        bytes memory call = abi.encodeCall(BREAK_GLASS.fileLate, (released));
        if (!_attempt(from, address(BREAK_GLASS), call)) return;
        _keepWindow(what, windowId, true);
        _lateIds.push(windowId);
        _checkFiled(released, windowId);
    }

    function logLookup(uint256 seed) public action(seed) {
        // Mostly the one who did last, so that the day's are used up.
        address from = _seeker;
        if (from == address(0) || _onceIn(3)) from = _seasonedFor(0, 0, CLINICIAN, READING);
        bytes32 digest = bytes32(_onceIn(10) ? 0 : seed | 1);
        uint32 memberId = _seasonedRules(from, CLINICIAN, READING);
        bytes32 personId = _staff[from].personId;
        uint256 day = _clock / 1 days;
        _rule(digest != 0, IBreakGlass.DigestZero.selector);
        bool personMay = _lookupsOfPerson[day][personId] < LOOKUPS_OF_PERSON;
        _rule(personMay, IBreakGlass.QuotaOfPersonUsed.selector);
        bool memberMay = _lookupsOfMember[day][memberId] < LOOKUPS_OF_MEMBER;
        _rule(memberMay, IBreakGlass.QuotaOfMemberUsed.selector);

        bytes memory call = abi.encodeCall(BREAK_GLASS.logLookup, (digest));
        if (!_attempt(from, address(BREAK_GLASS), call)) return;
        _seeker = from;
        ++_lookupsOfPerson[day][personId];
        ++_lookupsOfMember[day][memberId];
        bytes32 lookupId = keccak256(abi.encode(block.chainid, address(BREAK_GLASS), from, digest));
        check(_lastEvent[0] == IBreakGlass.LookupLogged.selector, "another event");
        check(_lastEvent[1] == lookupId, "lookup id");
        check(_lastEvent[2] == bytes32(uint256(uint160(from))), "who looks");
        bytes memory expected = abi.encode(memberId, digest, _clock);
        check(keccak256(_lastData) == keccak256(expected), "data of a lookup");
    }

    /// @dev A member's agent, of those that were there from the beginning.
    function _releaserOf(uint32 memberId) internal pure returns (address) {
        return address(uint160(0xa6e40000 + memberId));
    }

    /// @dev Mostly new, of two of another member's staff, whatever has become of them.
    function _someRelease() private returns (Emergency memory what) {
        if (_lateIds.length != 0 && _onceIn(8)) return _again(_windows[_lateIds[_draw(_lateIds.length)]]);
        what.patientId = _somePatient(0);
        what.reasonDigest = bytes32(_onceIn(16) ? 0 : _draw(type(uint256).max));
        what.nonce = bytes32(_draw(type(uint256).max));
        what.initiator = _everEnrolled();
        for (uint256 i = 0; i < 4; ++i) {
            if (_staff[what.initiator].memberId != _patients[what.patientId].custodian) break;
            what.initiator = _everEnrolled();
        }
        for (uint256 i = 0; i < 4; ++i) {
            what.colleague = _everEnrolled();
            if (_staff[what.colleague].personId != _staff[what.initiator].personId) break;
        }
        uint256 past = _onceIn(5) ? FILE_WITHIN + _draw(2) : _draw(6 days);
        what.deadline = uint48(_clock - past + (_onceIn(5) ? LONGEST_SIGNED + _draw(2) : _draw(40 minutes)));
    }

    /// @dev Mostly within what the two signed for.
    function _someReleaseTime(uint48 deadline) private returns (uint48) {
        if (_onceIn(10)) return uint48(_clock + _draw(2));
        if (_onceIn(10)) return deadline + 1;
        return uint48(deadline - (_onceIn(5) ? LONGEST_SIGNED + _draw(2) : _draw(1 hours)));
    }

    function _everEnrolled() private returns (address account) {
        if (_onceIn(16)) return _anyone();
        for (uint256 i = 0; i < 4; ++i) {
            account = _account(_draw(ACCOUNTS));
            if (_staff[account].memberId != 0) break;
        }
    }

    function _signRelease(address account, bytes32 structHash) private returns (bytes memory signature) {
        uint256 key = _keyOfAccount[account];
        bytes memory by;
        (signature, by) = _sign(
            key == 0 ? _patientKey(0) : key,
            address(BREAK_GLASS),
            EMERGENCIES_DOMAIN,
            structHash
        );
        _rule(_staff[account].memberId != 0, IBreakGlass.StaffNeverKnown.selector);
        bool signed = keccak256(by) == keccak256(abi.encodePacked(account));
        _rule(signed, Cosigners.CosignatureInvalid.selector);
    }

    /// @dev Of what is filed. What became of either account, of the patient or his directive since does not matter.
    function _releaseRules(IBreakGlass.LateRelease memory released) private {
        uint32 custodian = _patients[released.patientId].custodian;
        _rule(custodian != 0, IPatientRegistry.PatientUnknown.selector);
        bool digests = released.reasonDigest != 0 && released.releaseDigest != 0;
        _rule(digests, IBreakGlass.DigestZero.selector);
        (uint256 releasedAt, uint256 deadline) = (released.releasedAt, released.deadline);
        bool covered = releasedAt <= deadline && deadline <= releasedAt + LONGEST_SIGNED;
        _rule(covered, IBreakGlass.ReleaseOutsideSignature.selector);
        _rule(releasedAt <= _clock, IBreakGlass.ReleaseInFuture.selector);
        _rule(_clock <= releasedAt + FILE_WITHIN, IBreakGlass.FiledTooLate.selector);
        GhostStaff storage reader = _staff[released.initiator];
        bool two = reader.personId != _staff[released.colleague].personId;
        _rule(two, Cosigners.SamePerson.selector);
        _rule(reader.memberId != custodian, IBreakGlass.OwnPatient.selector);
    }

    function _checkFiled(IBreakGlass.LateRelease memory released, bytes32 windowId) private view {
        bytes memory expected = abi.encode(
            _staff[released.initiator].memberId,
            released.colleague,
            released.reasonDigest,
            released.releaseDigest,
            released.releasedAt,
            _clock
        );
        check(_lastEvent[0] == IBreakGlass.LateReleaseFiled.selector, "another event");
        check(_lastEvent[1] == windowId, "window of the event");
        check(_lastEvent[2] == released.patientId, "patient of the event");
        check(_lastEvent[3] == bytes32(uint256(uint160(released.initiator))), "reader of the event");
        check(keccak256(_lastData) == keccak256(expected), "data of a late release");
    }
}
