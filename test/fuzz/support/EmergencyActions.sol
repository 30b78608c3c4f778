// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBreakGlass} from "../../../contracts/interfaces/IBreakGlass.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Cosigner} from "../../../contracts/libraries/Cosigners.sol";
import {DelegateActions} from "./DelegateActions.sol";

/// @notice Two clinicians break the glass; what they owe afterwards is filed, reviewed or flagged.
abstract contract EmergencyActions is DelegateActions {
    string internal constant EMERGENCIES_DOMAIN = "chartseal BreakGlass";
    bytes32 private constant TYPEHASH = keccak256(
        "Emergency(address initiator,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline)"
    );
    uint256 private constant PERSON_QUOTA = 3;
    uint256 private constant MEMBER_QUOTA = 30;
    uint256 private constant OVERDUE_THRESHOLD = 3;
    uint48 private constant WINDOW_LENGTH = 4 hours;
    uint256 private constant JUSTIFY_WITHIN = 3 days;
    uint256 private constant REVIEW_WITHIN = 30 days;

    /// @dev What is about to be signed.
    struct Emergency {
        address initiator;
        bytes32 patientId;
        bytes32 reasonDigest;
        bytes32 nonce;
        uint48 deadline;
        address colleague;
    }

    mapping(bytes32 structHash => bool) private _signedOnce;

    function breakGlass(uint256 seed) public action(seed) {
        Emergency memory what = _someEmergency();
        bytes32 structHash = keccak256(
            abi.encode(TYPEHASH, what.initiator, what.patientId, what.reasonDigest, what.nonce, what.deadline)
        );
        (Cosigner memory colleague, bytes memory signedBy) = _cosign(
            what.colleague,
            what.deadline,
            address(BREAK_GLASS),
            EMERGENCIES_DOMAIN,
            structHash
        );
        // Another takes a transaction that waits, and sends it as his own.
        address from = _onceIn(12) ? _anyone() : what.initiator;
        if (from != what.initiator) signedBy = "";
        _rule(what.reasonDigest != 0, IBreakGlass.DigestZero.selector);
        _rule(what.deadline <= _clock + 1 hours, IBreakGlass.DeadlineTooFar.selector);
        bool used = _signedOnce[structHash] && from == what.initiator;
        _rule(!used, IBreakGlass.SignatureUsed.selector);
        _openingRules(from, colleague, signedBy, what.patientId);

        bytes memory call = abi.encodeCall(
            BREAK_GLASS.breakGlass,
            (what.patientId, what.reasonDigest, what.nonce, colleague)
        );
        if (!_attempt(from, address(BREAK_GLASS), call)) return;
        _signedOnce[structHash] = true;
        _keepWindow(what, structHash, false);
    }

    function justify(uint256 seed) public action(seed) {
        (bytes32 windowId, GhostWindow storage window) = _someWindow();
        address from = _seasonedFor(window.terms.grantee, 0, REVIEWER, REMOVED);
        bytes32 digest = bytes32(_onceIn(10) ? 0 : seed | 1);
        uint32 memberId = _officerRules(from, window, digest);
        bool forColleague = window.flagged && !window.justified && memberId == window.colleagueMember;
        _rule(memberId == window.terms.grantee || forColleague, IBreakGlass.NotReviewer.selector);
        _rule(!window.justified, IBreakGlass.AlreadyJustified.selector);

        bytes memory call = abi.encodeCall(BREAK_GLASS.justify, (windowId, digest));
        if (_attempt(from, address(BREAK_GLASS), call)) window.justified = true;
    }

    function review(uint256 seed) public action(seed) {
        (bytes32 windowId, GhostWindow storage window) = _someWindow();
        uint256 openedAt = window.terms.notBefore;
        uint32 custodian = _patients[window.terms.patientId].custodian;
        if (_onceIn(3)) _passTo(openedAt + JUSTIFY_WITHIN + _draw(2));
        if (_onceIn(6)) _passTo(openedAt + REVIEW_WITHIN + _draw(2));
        address from = _seasonedFor(_onceIn(3) ? 0 : custodian, custodian, REVIEWER, REMOVED);
        bytes32 digest = bytes32(_onceIn(10) ? 0 : seed | 1);
        uint8 verdict = uint8(_onceIn(10) ? 0 : 1 + _draw(2));
        uint32 memberId = _officerRules(from, window, digest);
        _rule(verdict != 0, IBreakGlass.VerdictMissing.selector);
        bool ofNeither = memberId != window.terms.grantee && memberId != window.colleagueMember;
        bool late = _clock > openedAt + REVIEW_WITHIN;
        _rule(memberId == custodian || (late && ofNeither), IBreakGlass.NotReviewer.selector);
        _rule(window.verdict == 0, IBreakGlass.AlreadyReviewed.selector);
        bool accounted = window.justified || _clock > openedAt + JUSTIFY_WITHIN;
        _rule(accounted, IBreakGlass.NotYetJustified.selector);

        bytes memory call = abi.encodeCall(
            BREAK_GLASS.review,
            (windowId, IBreakGlass.Verdict(verdict), digest)
        );
        if (_attempt(from, address(BREAK_GLASS), call)) window.verdict = verdict;
    }

    function flagOverdue(uint256 seed) public action(seed) {
        (bytes32 windowId, GhostWindow storage window) = _someWindow();
        uint256 dueAt = window.terms.notBefore + JUSTIFY_WITHIN;
        if (_onceIn(2)) _passTo(dueAt + _draw(2));
        _rule(window.reader != address(0), IBreakGlass.WindowUnknown.selector);
        _rule(!window.justified, IBreakGlass.AlreadyJustified.selector);
        _rule(!window.flagged, IBreakGlass.AlreadyFlagged.selector);
        _rule(_clock > dueAt, IBreakGlass.NotOverdue.selector);

        bytes memory call = abi.encodeCall(BREAK_GLASS.flagOverdue, (windowId));
        if (_attempt(_anyone(), address(BREAK_GLASS), call)) window.flagged = true;
    }

    /// @dev Mostly new, sometimes one that was before.
    function _someEmergency() private returns (Emergency memory what) {
        if (_windowIds.length != 0 && _onceIn(10)) {
            return _again(_windows[_windowIds[_draw(_windowIds.length)]]);
        }
        what.patientId = _somePatient(0);
        uint32 custodian = _onceIn(10) ? 0 : _patients[what.patientId].custodian;
        what.initiator = _seasonedFor(0, custodian, CLINICIAN, READING);
        what.reasonDigest = bytes32(_onceIn(16) ? 0 : _draw(type(uint256).max));
        what.nonce = bytes32(_draw(type(uint256).max));
        what.deadline = _someDeadline();
        // At times as far ahead as may be, or a second farther.
        uint256 odd = uint256(what.nonce) % 24;
        if (odd < 2) what.deadline = uint48(_clock + 1 hours + odd);
        for (uint256 i = 0; i < 4; ++i) {
            what.colleague = _seasonedFor(0, 0, CLINICIAN, READING);
            if (_staff[what.colleague].personId != _staff[what.initiator].personId) break;
        }
    }

    function _again(GhostWindow storage window) internal view returns (Emergency memory) {
        return
            Emergency(
                window.reader,
                window.terms.patientId,
                window.reasonDigest,
                window.nonce,
                window.deadline,
                window.colleague
            );
    }

    /// @dev Mostly one of the newest; rarely one that is not.
    function _someWindow() private returns (bytes32 windowId, GhostWindow storage window) {
        uint256 count = _windowIds.length;
        uint256 back = _draw(count < 6 ? count + 1 : 6);
        windowId = count == 0 || back == count || _onceIn(16) ? bytes32(0) : _windowIds[count - 1 - back];
        window = _windows[windowId];
    }

    function _openingRules(
        address from,
        Cosigner memory colleague,
        bytes memory signedBy,
        bytes32 patientId
    ) private {
        (uint32 memberId, ) = _pairRules(from, colleague, signedBy, CLINICIAN, READING);
        GhostPatient storage patient = _patients[patientId];
        _rule(patient.custodian != 0, IPatientRegistry.PatientUnknown.selector);
        _rule(patient.custodian != memberId, IBreakGlass.OwnPatient.selector);
        _rule(patient.condition != 2, IBreakGlass.PatientIsDead.selector);
        GhostDirective storage directive = _directives[patientId];
        bool letIn = !directive.denyAll && !directive.denyEmergency;
        _rule(letIn, IBreakGlass.EmergencyDenied.selector);
        _personRules(_staff[from].personId);
        _personRules(_staff[colleague.account].personId);
        _rule(_overdueOf(memberId) < OVERDUE_THRESHOLD, IBreakGlass.MemberOverdue.selector);
        _rule(_openedToday(0, memberId) < MEMBER_QUOTA, IBreakGlass.QuotaOfMemberUsed.selector);
    }

    function _personRules(bytes32 personId) private {
        if (personId == 0) return;
        _rule(_owedBy(personId) == 0, IBreakGlass.PersonOverdue.selector);
        _rule(_openedToday(personId, 0) < PERSON_QUOTA, IBreakGlass.QuotaOfPersonUsed.selector);
    }

    function _officerRules(
        address from,
        GhostWindow storage window,
        bytes32 digest
    ) private returns (uint32 memberId) {
        _rule(window.reader != address(0), IBreakGlass.WindowUnknown.selector);
        _rule(digest != 0, IBreakGlass.DigestZero.selector);
        memberId = _seasonedRules(from, REVIEWER, REMOVED);
        bytes32 person = _staff[from].personId;
        bool own = person == window.readerPerson || person == window.colleaguePerson;
        _rule(!own, IBreakGlass.OwnEmergency.selector);
    }

    /// @dev A late one has no terms of its own: those that it would have had open nothing.
    function _keepWindow(Emergency memory what, bytes32 structHash, bool late) internal {
        uint48 openedAt = uint48(_clock);
        uint32 memberId = _staff[what.initiator].memberId;
        Terms memory terms = Terms(
            1,
            what.patientId,
            memberId,
            type(uint64).max,
            512, // BTG alone
            openedAt,
            openedAt + WINDOW_LENGTH,
            0,
            type(uint32).max,
            structHash
        );
        bytes32 windowId = late ? structHash : _hashOf(terms);
        _windowIds.push(windowId);
        GhostWindow storage window = _windows[windowId];
        window.terms = terms;
        window.late = late;
        window.reader = what.initiator;
        window.colleague = what.colleague;
        window.colleagueMember = _staff[what.colleague].memberId;
        window.readerPerson = _staff[what.initiator].personId;
        window.colleaguePerson = _staff[what.colleague].personId;
        window.reasonDigest = what.reasonDigest;
        window.nonce = what.nonce;
        window.deadline = what.deadline;
    }
}
