// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "../../../contracts/interfaces/IRecordRegistry.sol";
import {Entry, Leaf} from "../../../contracts/libraries/Leaves.sol";
import {OrderActions} from "./OrderActions.sol";

/// @notice Entries are held, and let go.
abstract contract HoldActions is OrderActions {
    string internal constant RECORDS_DOMAIN = "chartseal RecordRegistry";
    bytes32 private constant HOLD_TYPEHASH = keccak256(
        "Hold(bytes32 patientId,uint64[] indices,uint48 until,uint64 nonce,uint48 deadline)"
    );
    bytes32 private constant LIFT_TYPEHASH = keccak256(
        "HoldLift(bytes32 patientId,uint64[] indices,uint64 nonce,uint48 deadline)"
    );

    struct GhostHold {
        uint48 until; // 0: not held
        uint8 flagsBefore;
    }

    mapping(uint32 memberId => mapping(uint64 index => GhostHold)) internal _holds;
    mapping(bytes32 patientId => uint64 nonce) private _holdNonces;

    function placeHold(uint256 seed) public action(seed) {
        Entry[] memory entries = _someRecords(0);
        bytes32 patientId = entries.length == 0 ? bytes32(0) : entries[0].leaf.patientId;
        uint48 until = uint48(_clock + 1 days + _draw(3 days) - (_onceIn(10) ? 2 days : 0));
        if (_onceIn(6)) until = uint48(_clock + 1 days - _draw(2)); // just long enough, or not quite
        uint48 deadline = _someDeadline();
        uint64 nonce = _someNonce(patientId);
        Signed memory signed = _signFor(
            patientId,
            address(RECORDS),
            RECORDS_DOMAIN,
            keccak256(abi.encode(HOLD_TYPEHASH, patientId, _hashOfIndices(entries), until, nonce, deadline))
        );
        address from = _staffFor(entries.length == 0 ? 0 : entries[0].leaf.memberId, OPERATOR, WRITING);
        uint32 memberId = _staffRules(from, OPERATOR, WRITING);
        _rule(until >= _clock + 1 days, IRecordRegistry.HoldEndsTooSoon.selector);
        _recordsRules(entries, memberId, RETRACTED | ERASED);
        _consentRules(patientId, memberId, deadline, nonce, signed);
        for (uint256 i = 0; i < entries.length; ++i) {
            bool longer = until >= _holds[memberId][entries[i].leaf.index].until;
            _rule(longer, IRecordRegistry.HoldLasts.selector);
        }

        bytes memory call = abi.encodeCall(RECORDS.placeHold, (entries, until, deadline, signed.signature));
        if (!_attempt(from, address(RECORDS), call)) return;
        ++_holdNonces[patientId];
        for (uint256 i = 0; i < entries.length; ++i) {
            uint64 index = entries[i].leaf.index;
            uint8 flags = _status[memberId][index];
            if (flags & HELD == 0) _holds[memberId][index].flagsBefore = flags;
            _holds[memberId][index].until = until;
            _status[memberId][index] = flags | HELD;
        }
    }

    function liftHold(uint256 seed) public action(seed) {
        Entry[] memory entries = _someRecords(HELD);
        bytes32 patientId = entries.length == 0 ? bytes32(0) : entries[0].leaf.patientId;
        uint32 memberId = entries.length == 0 ? 0 : entries[0].leaf.memberId;
        uint48 deadline = _someDeadline();
        uint64 nonce = _someNonce(patientId);
        Signed memory signed = _signFor(
            patientId,
            address(RECORDS),
            RECORDS_DOMAIN,
            keccak256(abi.encode(LIFT_TYPEHASH, patientId, _hashOfIndices(entries), nonce, deadline))
        );
        address from =
            _onceIn(3)
                ? _seasonedFor(0, memberId, REVIEWER, REMOVED)
                : _staffFor(memberId, OPERATOR, WRITING);
        _recordsRules(entries, memberId, 0);
        _consentRules(patientId, memberId, deadline, nonce, signed);
        _looseningRules(patientId);
        if (_staff[from].memberId == memberId) {
            _staffRules(from, OPERATOR, WRITING);
        } else {
            _seasonedRules(from, REVIEWER, REMOVED);
            bool others = _guardiansSignFor(_patients[patientId]);
            _rule(others, IRecordRegistry.NotLifter.selector);
        }
        _heldRules(entries, memberId);

        bytes memory call = abi.encodeCall(RECORDS.liftHold, (entries, deadline, signed.signature));
        if (!_attempt(from, address(RECORDS), call)) return;
        ++_holdNonces[patientId];
        _letGo(entries, memberId);
    }

    function liftEndedHold(uint256 seed) public action(seed) {
        Entry[] memory entries = _someRecords(HELD);
        uint32 memberId = entries.length == 0 ? 0 : entries[0].leaf.memberId;
        if (entries.length != 0 && _onceIn(2)) {
            _passTo(uint256(_holds[memberId][entries[0].leaf.index].until) + _draw(2));
        }
        _recordsRules(entries, memberId, 0);
        _heldRules(entries, memberId);
        for (uint256 i = 0; i < entries.length; ++i) {
            bool ended = _clock > _holds[memberId][entries[i].leaf.index].until;
            _rule(ended, IRecordRegistry.HoldLasts.selector);
        }

        bytes memory call = abi.encodeCall(RECORDS.liftEndedHold, (entries));
        if (_attempt(_anyone(), address(RECORDS), call)) _letGo(entries, memberId);
    }

    function _ownRules(Entry memory entry, uint32 memberId) internal {
        _rule(entry.leaf.memberId == memberId, IRecordRegistry.LeafOfAnotherMember.selector);
        _anchorRules(entry, entry.leaf.memberId);
    }

    /// @dev The member keeps this patient's records.
    function _custodianRules(bytes32 patientId, uint32 memberId) internal {
        uint32 custodian = _patients[patientId].custodian;
        _rule(custodian != 0, IPatientRegistry.PatientUnknown.selector);
        _rule(custodian == memberId, IRecordRegistry.NotCustodian.selector);
    }

    /// @dev Mostly a record with all of `flags`, if there is one nearby.
    function _someRecord(uint8 flags) internal returns (Entry memory entry) {
        GhostBatch storage batch = _batches[_draw(_batches.length)];
        for (uint256 i = 0; i < _batches.length; ++i) {
            uint256 from = _draw(_batches.length);
            batch = _batches[from];
            for (uint256 j = 0; j < batch.leaves.length; ++j) {
                Leaf storage leaf = batch.leaves[j];
                bool own = _patients[leaf.patientId].custodian == batch.memberId && leaf.kind == 0;
                uint8 has = _status[batch.memberId][leaf.index];
                bool right = flags == 0 ? has & (RETRACTED | ERASED) == 0 : has & flags == flags;
                if (own && right) return _entryOf(batch.memberId, uint64(batch.firstIndex + j));
            }
        }
        return _someEntry();
    }

    /// @dev Mostly one to three of one patient.
    function _someRecords(uint8 flags) private returns (Entry[] memory entries) {
        if (_onceIn(16)) return entries;
        Entry memory first = _onceIn(10) ? _someEntry() : _someRecord(flags);
        uint256 count = _onceIn(24) ? 64 + _draw(2) : 1 + _draw(3);
        entries = new Entry[](count);
        for (uint256 i = 0; i < count; ++i) {
            entries[i] = first;
            if (i == 0 || count > 3) continue;
            for (uint256 n = 0; n < 4; ++n) {
                Entry memory other = _someRecord(flags);
                bool alike =
                    other.leaf.patientId == first.leaf.patientId &&
                        other.leaf.memberId == first.leaf.memberId;
                if (alike || _onceIn(24)) entries[i] = other;
            }
        }
        if (_onceIn(12)) _spoil(entries[0]);
    }

    function _someNonce(bytes32 patientId) private returns (uint64) {
        return _onceIn(10) ? _holdNonces[patientId] ^ 1 : _holdNonces[patientId];
    }

    function _recordsRules(Entry[] memory entries, uint32 memberId, uint8 forbidden) private {
        _rule(entries.length != 0, IRecordRegistry.NoEntries.selector);
        _rule(entries.length <= 64, IRecordRegistry.TooManyEntries.selector);
        for (uint256 i = 0; i < entries.length && i < 64; ++i) {
            // All of a flood are one and the same.
            if (i > 2 && i != entries.length - 1) continue;
            Leaf memory leaf = entries[i].leaf;
            _ownRules(entries[i], memberId);
            _rule(leaf.kind == 0, IRecordRegistry.KindForbids.selector);
            bool same = leaf.patientId == entries[0].leaf.patientId;
            _rule(same, IRecordRegistry.PatientMismatch.selector);
            bool plain = _status[leaf.memberId][leaf.index] & forbidden == 0;
            _rule(plain, IRecordRegistry.StatusForbids.selector);
        }
    }

    function _consentRules(
        bytes32 patientId,
        uint32 memberId,
        uint48 deadline,
        uint64 nonce,
        Signed memory signed
    ) private {
        _rule(_clock <= deadline, IRecordRegistry.DeadlinePassed.selector);
        _custodianRules(patientId, memberId);
        if (nonce != _holdNonces[patientId]) (signed.by, signed.allSigned) = ("", false);
        _signatureRules(patientId, signed);
    }

    /// @dev Each is held, and named once.
    function _heldRules(Entry[] memory entries, uint32 memberId) private {
        for (uint256 i = 0; i < entries.length && i < 4; ++i) {
            bool held = _holds[memberId][entries[i].leaf.index].until != 0;
            for (uint256 j = 0; j < i; ++j) {
                if (entries[j].leaf.index == entries[i].leaf.index) held = false;
            }
            _rule(held, IRecordRegistry.NotHeld.selector);
        }
    }

    function _letGo(Entry[] memory entries, uint32 memberId) private {
        for (uint256 i = 0; i < entries.length; ++i) {
            uint64 index = entries[i].leaf.index;
            _holds[memberId][index].until = 0;
            _status[memberId][index] -= HELD;
        }
    }

    function _hashOfIndices(Entry[] memory entries) private pure returns (bytes32) {
        bytes memory words;
        for (uint256 i = 0; i < entries.length; ++i) {
            words = bytes.concat(words, bytes32(uint256(entries[i].leaf.index)));
        }
        return keccak256(words);
    }
}
