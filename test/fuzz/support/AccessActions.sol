// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessLog} from "../../../contracts/interfaces/IAccessLog.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Entry, Leaf} from "../../../contracts/libraries/Leaves.sol";
import {check} from "./Check.sol";
import {WitnessActions} from "./WitnessActions.sol";

/// @notice Clinicians, and others, ask to read.
abstract contract AccessActions is WitnessActions {
    /// @dev Requests an action makes: they are what all else is for.
    uint256 private constant TRIES = 3;

    mapping(bytes32 patientId => uint256 count) private _accesses;

    function requestRecords(uint256 seed) public action(seed) {
        for (uint256 i = 0; i < TRIES; ++i) _requestRecords();
    }

    function requestScope(uint256 seed) public action(seed) {
        for (uint256 i = 0; i < TRIES; ++i) _requestScope();
    }

    function _requestRecords() private {
        delete _faults;
        (Terms memory terms, uint8 purpose, address reader) = _ask();
        Entry[] memory entries = _someEntries(terms);
        uint64 permitted = _readRules(reader, terms, purpose);
        _rule(entries.length != 0, IAccessLog.NoEntries.selector);
        _rule(entries.length <= 64, IAccessLog.TooManyEntries.selector);
        uint64[] memory indices = new uint64[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            // Beyond 64 all are alike, and only their number matters.
            if (i < 64) _entryRules(entries[i], terms, permitted);
            indices[i] = entries[i].leaf.index;
        }

        bytes memory call = abi.encodeCall(ACCESS_LOG.requestRecords, (terms, purpose, entries));
        if (_attempt(reader, address(ACCESS_LOG), call)) {
            bytes memory expected = abi.encode(_accessOf(reader, terms, purpose), indices);
            _checkEvent(IAccessLog.RecordsRequested.selector, expected, terms.patientId);
        }
    }

    function _requestScope() private {
        delete _faults;
        (Terms memory terms, uint8 purpose, address reader) = _ask();
        IAccessLog.Scope memory scope;
        scope.compartments = _onceIn(3) ? uint64(_draw(16)) : terms.compartments;
        scope.recordedFrom = uint32(terms.recordedFrom + _draw(3));
        scope.recordedTo = terms.recordedTo;
        if (_onceIn(4)) {
            scope.recordedFrom = uint32(98 + _draw(12));
            scope.recordedTo = uint32(98 + _draw(12));
        }
        uint256 head = _members[_patients[terms.patientId].custodian].head;
        scope.upTo = uint64(_onceIn(6) ? head + 1 : head - _draw(head + 1));
        IAccessLog.Extent extent = IAccessLog.Extent(_draw(2));
        uint64 permitted = _readRules(reader, terms, purpose);
        _scopeRules(scope, terms, permitted);

        bytes memory call = abi.encodeCall(ACCESS_LOG.requestScope, (terms, purpose, extent, scope));
        if (_attempt(reader, address(ACCESS_LOG), call)) {
            bytes memory expected = abi.encode(_accessOf(reader, terms, purpose), extent, scope);
            _checkEvent(IAccessLog.ScopeRequested.selector, expected, terms.patientId);
        }
    }

    /// @dev Mostly terms that stand, a purpose they name and a clinician of the grantee.
    function _ask() private returns (Terms memory terms, uint8 purpose, address reader) {
        uint256 basis = _draw(3);
        if (basis == 0 && _windowIds.length != 0) return _askInEmergency();
        bool ordered = basis == 1 && _orderIds.length != 0;
        terms = ordered ? _orders[_orderIds[_draw(_orderIds.length)]].terms : _standingTerms();
        if (_onceIn(8)) _alter(terms);
        purpose = uint8(_draw(_onceIn(8) ? 256 : 10));
        if (!_onceIn(8) && terms.purposes != 0) {
            while ((uint256(terms.purposes) >> purpose) % 2 == 0)
                purpose = uint8((uint256(purpose) + 1) % 16);
        }
        reader = _staffFor(terms.grantee, CLINICIAN, READING);
    }

    /// @dev Mostly the newest window, by its own reader, at times at its very end or a second later.
    function _askInEmergency() private returns (Terms memory terms, uint8 purpose, address reader) {
        uint256 back = _onceIn(3) ? _draw(_windowIds.length) : 0;
        GhostWindow storage window = _windows[_windowIds[_windowIds.length - 1 - back]];
        terms = window.terms;
        if (_onceIn(4)) _passTo(terms.notAfter + _draw(2));
        if (_onceIn(8)) _alter(terms);
        reader = _onceIn(3) ? _staffFor(terms.grantee, CLINICIAN, READING) : window.reader;
        if (_onceIn(8)) reader = window.colleague;
        purpose = _onceIn(10) ? uint8(_draw(16)) : BTG;
    }

    function _standingTerms() private returns (Terms memory terms) {
        uint256 count = _terms.length;
        if (count == 0) return terms;
        uint256 from = _draw(count);
        terms = _terms[from];
        if (_onceIn(5)) return terms;
        for (uint256 i = 0; i < count; ++i) {
            Terms memory found = _terms[(from + i) % count];
            GhostGrant storage given = _grants[found.patientId][_hashOf(found)];
            bool stands = given.custodian != 0 && !given.revoked && !_directives[found.patientId].denyAll;
            if (stands && _clock <= found.notAfter && !_members[found.grantee].noReading) return found;
        }
    }

    /// @dev Terms that nobody signed: wider than what was granted, or another's.
    function _alter(Terms memory terms) private {
        uint256 what = _draw(6);
        if (what == 0) terms.compartments = type(uint64).max;
        if (what == 1) terms.purposes = type(uint16).max;
        if (what == 2) terms.notAfter += 30 days;
        if (what == 3) terms.grantee = _anyMember();
        if (what == 4) terms.recordedTo ^= 1;
        if (what == 5) terms.patientId = _somePatient(0);
    }

    function _someEntries(Terms memory terms) private returns (Entry[] memory entries) {
        if (_batches.length == 0 || _onceIn(16)) return entries;
        bool flood = _onceIn(16);
        entries = new Entry[](flood ? 64 + _draw(2) : 1 + _draw(3));
        for (uint256 i = 0; i < entries.length; ++i) {
            // By value: an entry spoilt later must not spoil the one before.
            entries[i] = flood && i != 0 ? entries[0] : _entryFor(terms);
            if (!flood && _onceIn(8)) _spoil(entries[i]);
        }
    }

    /// @dev Mostly one that the terms let a reader have.
    function _entryFor(Terms memory terms) private returns (Entry memory) {
        if (_onceIn(8)) return _someEntry();
        uint256 from = _draw(_batches.length);
        for (uint256 i = 0; i < _batches.length; ++i) {
            GhostBatch storage batch = _batches[(from + i) % _batches.length];
            for (uint256 j = 0; j < batch.leaves.length; ++j) {
                Leaf storage leaf = batch.leaves[j];
                if (
                    leaf.patientId == terms.patientId &&
                    leaf.kind == 0 &&
                    leaf.compartment < 64 &&
                    terms.compartments & (uint256(1) << leaf.compartment) != 0 &&
                    (_status[batch.memberId][batch.firstIndex + j] < RETRACTED || _onceIn(4))
                ) return _entryOf(batch.memberId, uint64(batch.firstIndex + j));
            }
        }
        return _someEntry();
    }

    function _accessOf(
        address reader,
        Terms memory terms,
        uint8 purpose
    ) private view returns (IAccessLog.Access memory) {
        uint32 memberId = _staff[reader].memberId;
        IAccessLog.Basis basis =
            purpose < HLEGAL
                ? IAccessLog.Basis.GRANT
                : purpose == HLEGAL
                    ? IAccessLog.Basis.LEGAL_ORDER
                    : IAccessLog.Basis.BREAK_GLASS;
        return IAccessLog.Access(memberId, basis, _hashOf(terms), purpose, uint48(_clock));
    }

    /// @dev The log says what was asked, by an id that the patient's count gives.
    function _checkEvent(bytes32 topic, bytes memory data, bytes32 patientId) internal {
        uint256 count = ++_accesses[patientId];
        check(_lastEvent[0] == topic, "another event");
        check(keccak256(_lastData) == keccak256(data), "event data");
        bytes32 accessId = keccak256(abi.encode(block.chainid, address(ACCESS_LOG), patientId, count));
        check(_lastEvent[1] == accessId, "access id");
        check(_lastEvent[2] == patientId, "patient of the event");
    }
}
