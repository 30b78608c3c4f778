// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessLog} from "../../../contracts/interfaces/IAccessLog.sol";
import {IBreakGlass} from "../../../contracts/interfaces/IBreakGlass.sol";
import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {ILegalOrders} from "../../../contracts/interfaces/ILegalOrders.sol";
import {ConsentTerms, Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Entry, Leaf} from "../../../contracts/libraries/Leaves.sol";
import {ConsortiumModel} from "./ConsortiumModel.sol";

/// @notice On what an access may rest, by the model's own rules: a grant, a legal order, an emergency.
abstract contract ReadingModel is ConsortiumModel {
    uint8 internal constant HLEGAL = 8;
    uint8 internal constant BTG = 9;

    /// @dev There are no others than these: 1 to PERSONS.
    uint256 internal constant PERSONS = 12;

    struct GhostWindow {
        Terms terms;
        bool late; // filed afterwards: nothing is read through it
        address reader;
        address colleague;
        uint32 colleagueMember;
        bytes32 readerPerson;
        bytes32 colleaguePerson;
        bytes32 reasonDigest;
        bytes32 nonce;
        uint48 deadline;
        bool justified;
        bool flagged;
        uint8 verdict;
    }
    struct GhostOrder {
        Terms terms;
        bool lifted;
    }

    bytes32[] internal _windowIds;
    mapping(bytes32 windowId => GhostWindow window) internal _windows;
    bytes32[] internal _orderIds;
    mapping(bytes32 termsHash => GhostOrder order) internal _orders;

    /// @dev Reader, terms and what stands behind them: what both requests ask.
    function _readRules(
        address reader,
        Terms memory terms,
        uint8 purpose
    ) internal returns (uint64 permitted) {
        uint32 memberId = _staffRules(reader, CLINICIAN, READING);
        _rule(terms.grantee == memberId, ConsentTerms.GranteeMismatch.selector);
        bool named = purpose < 16 && terms.purposes & (uint256(1) << purpose) != 0;
        _rule(named, ConsentTerms.PurposeNotGranted.selector);
        _rule(_clock >= terms.notBefore, ConsentTerms.GrantNotYetValid.selector);
        _rule(_clock <= terms.notAfter, ConsentTerms.GrantExpired.selector);
        if (purpose < HLEGAL) return terms.compartments & _standingRules(terms);
        bytes32 termsHash = _hashOf(terms);
        if (purpose == HLEGAL) _orderRules(terms.patientId, termsHash);
        return terms.compartments & (purpose == HLEGAL ? type(uint64).max : _windowRules(termsHash, reader));
    }

    function _entryRules(Entry memory entry, Terms memory terms, uint64 permitted) internal {
        Leaf memory leaf = entry.leaf;
        uint32 custodian = _patients[terms.patientId].custodian;
        _rule(leaf.memberId == custodian, IAccessLog.LeafOfAnotherMember.selector);
        _rule(leaf.patientId == terms.patientId, IAccessLog.LeafOfAnotherPatient.selector);
        _rule(leaf.kind == 0, IAccessLog.KindNotReadable.selector);
        bool inCompartment = leaf.compartment < 64 && permitted & (uint256(1) << leaf.compartment) != 0;
        _rule(inCompartment, IAccessLog.CompartmentNotPermitted.selector);
        bool inPeriod = terms.recordedFrom <= leaf.recordedDay && leaf.recordedDay <= terms.recordedTo;
        _rule(inPeriod, IAccessLog.DayNotGranted.selector);
        _rule(_status[custodian][leaf.index] & (RETRACTED | ERASED) == 0, IAccessLog.EntryWithdrawn.selector);
        _anchorRules(entry, custodian);
    }

    function _scopeRules(IAccessLog.Scope memory scope, Terms memory terms, uint64 permitted) internal {
        bool within = scope.compartments != 0 && scope.compartments | permitted == permitted;
        _rule(within, IAccessLog.CompartmentsNotPermitted.selector);
        bool inPeriod =
            terms.recordedFrom <= scope.recordedFrom &&
                scope.recordedFrom <= scope.recordedTo &&
                scope.recordedTo <= terms.recordedTo;
        _rule(inPeriod, IAccessLog.PeriodNotGranted.selector);
        uint32 custodian = _patients[terms.patientId].custodian;
        _rule(scope.upTo <= _members[custodian].head, IAccessLog.BeyondHead.selector);
    }

    function _orderRules(bytes32 patientId, bytes32 termsHash) internal {
        GhostOrder storage order = _orders[termsHash];
        bool known = order.terms.format != 0 && order.terms.patientId == patientId;
        _rule(known, ILegalOrders.OrderUnknown.selector);
        _rule(!order.lifted, ILegalOrders.OrderWasLifted.selector);
    }

    /// @dev How many windows this person took part in whose flagged justification is missing.
    function _owedBy(bytes32 personId) internal view returns (uint256 owed) {
        for (uint256 i = 0; i < _windowIds.length; ++i) {
            GhostWindow storage window = _windows[_windowIds[i]];
            if (!window.flagged || window.justified) continue;
            if (window.readerPerson == personId || window.colleaguePerson == personId) ++owed;
        }
    }

    /// @dev Whether this person owes a justification of what he did on this member's staff.
    function _owesAt(uint32 memberId, bytes32 personId) internal view returns (bool) {
        for (uint256 i = 0; i < _windowIds.length; ++i) {
            GhostWindow storage window = _windows[_windowIds[i]];
            if (!window.flagged || window.justified) continue;
            if (window.terms.grantee == memberId && window.readerPerson == personId) return true;
            if (window.colleagueMember == memberId && window.colleaguePerson == personId) return true;
        }
        return false;
    }

    /// @dev How many persons owe a justification for what they did at this member.
    function _overdueOf(uint32 memberId) internal view returns (uint256 persons) {
        for (uint256 n = 1; n <= PERSONS; ++n) {
            if (_owesAt(memberId, bytes32(n))) ++persons;
        }
    }

    /// @dev Windows opened on the day it is, with this person, or of this reader's member (where `personId` is 0).
    function _openedToday(bytes32 personId, uint32 memberId) internal view returns (uint256 count) {
        for (uint256 i = 0; i < _windowIds.length; ++i) {
            GhostWindow storage window = _windows[_windowIds[i]];
            if (window.late || window.terms.notBefore / 1 days != _clock / 1 days) continue;
            if (
                personId == 0
                    ? window.terms.grantee == memberId
                    : window.readerPerson == personId || window.colleaguePerson == personId
            ) ++count;
        }
    }

    function _standingRules(Terms memory terms) private returns (uint64 permitted) {
        GhostGrant storage given = _grants[terms.patientId][_hashOf(terms)];
        _rule(!given.revoked, IConsentRegistry.TermsRevoked.selector);
        _rule(given.custodian != 0, IConsentRegistry.GrantUnknown.selector);
        GhostDirective storage directive = _directives[terms.patientId];
        _rule(!directive.denyAll, IConsentRegistry.DirectiveDeniesAll.selector);
        return type(uint64).max ^ directive.deniedCompartments;
    }

    function _windowRules(bytes32 termsHash, address reader) private returns (uint64 permitted) {
        GhostWindow storage window = _windows[termsHash];
        _rule(window.reader != address(0), IBreakGlass.WindowUnknown.selector);
        _rule(window.reader == reader, IBreakGlass.WindowOfAnother.selector);
        GhostDirective storage directive = _directives[window.terms.patientId];
        bool letIn = !directive.denyAll && !directive.denyEmergency;
        _rule(letIn, IBreakGlass.EmergencyDenied.selector);
        return type(uint64).max ^ directive.deniedCompartments;
    }
}
