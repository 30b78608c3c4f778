// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRecordRegistry} from "../../../contracts/interfaces/IRecordRegistry.sol";
import {Entry, Leaf} from "../../../contracts/libraries/Leaves.sol";
import {ProxyActions} from "./ProxyActions.sol";
import {ReferenceTree} from "./ReferenceTree.sol";

/// @notice Operators anchor batches and mark entries, rightly and wrongly.
abstract contract RecordActions is ProxyActions {
    uint256 private constant MOST_BATCHES = 24;
    uint256 private constant MOST_LEAVES = 9;

    function anchor(uint256 seed) public action(seed) {
        address from = _staffFor(0, OPERATOR, WRITING);
        uint32 memberId = _staff[from].memberId;
        uint256 next = _members[memberId].head + 1;
        uint64 firstIndex = uint64(_onceIn(6) ? next + 1 - _draw(3) : next);
        if (_onceIn(4) || _batches.length == MOST_BATCHES) {
            // Nobody will show a leaf of this one: any count and root will do, the greatest too.
            uint32 count =
                _onceIn(3)
                    ? 0
                    : _onceIn(4)
                        ? type(uint32).max
                        : uint32(_draw(100_000));
            _anchor(from, firstIndex, count, _onceIn(3) ? bytes32(0) : bytes32(seed | 1));
            return;
        }

        Leaf[] memory leaves = new Leaf[](1 + _draw(MOST_LEAVES));
        for (uint256 i = 0; i < leaves.length; ++i) leaves[i] = _someLeaf(memberId, uint64(firstIndex + i));
        bytes32 root = ReferenceTree.root(_leafHashes(leaves), 0, leaves.length);
        if (_anchor(from, firstIndex, uint32(leaves.length), root)) _keepBatch(memberId, firstIndex, leaves);
    }

    function supersede(uint256 seed) public action(seed) {
        if (_batches.length == 0) return;
        Entry memory newer = _someEntry();
        for (uint256 i = 0; i < 4 && newer.leaf.ref == 0; ++i) newer = _someEntry();
        uint64 olderIndex = uint64(uint256(newer.leaf.ref));
        bool named = _batchOf[newer.leaf.memberId][olderIndex] != 0 && !_onceIn(6);
        Entry memory older = named ? _entryOf(newer.leaf.memberId, olderIndex) : _someEntry();
        if (_onceIn(5)) _spoil(older);
        if (_onceIn(5)) _spoil(newer);
        address from = _staffFor(older.leaf.memberId, OPERATOR, WRITING);
        _ownEntryRules(from, older);
        _ownEntryRules(from, newer);
        _rule(uint256(newer.leaf.ref) == older.leaf.index, IRecordRegistry.RefMismatch.selector);
        _rule(newer.leaf.patientId == older.leaf.patientId, IRecordRegistry.PatientMismatch.selector);
        uint32 memberId = _staff[from].memberId;
        _rule(older.leaf.kind == 0 && newer.leaf.kind == 0, IRecordRegistry.KindForbids.selector);
        _rule(newer.leaf.index > older.leaf.index, IRecordRegistry.NotLater.selector);
        _rule(_status[memberId][older.leaf.index] == 0, IRecordRegistry.StatusForbids.selector);
        bool withdrawn = _status[memberId][newer.leaf.index] & (RETRACTED | ERASED) != 0;
        _rule(!withdrawn, IRecordRegistry.StatusForbids.selector);

        if (_attempt(from, address(RECORDS), abi.encodeCall(RECORDS.supersede, (older, newer)))) {
            _status[memberId][older.leaf.index] += SUPERSEDED;
        }
    }

    function retract(uint256 seed) public action(seed) {
        if (_batches.length == 0) return;
        Entry memory entry = _someEntry();
        if (_onceIn(3)) _spoil(entry);
        address from = _staffFor(entry.leaf.memberId, OPERATOR, WRITING);
        _ownEntryRules(from, entry);
        uint32 memberId = _staff[from].memberId;
        bool fixedForNow = _status[memberId][entry.leaf.index] & (RETRACTED | HELD | ERASED) != 0;
        _rule(!fixedForNow, IRecordRegistry.StatusForbids.selector);

        if (_attempt(from, address(RECORDS), abi.encodeCall(RECORDS.retract, (entry)))) {
            _status[memberId][entry.leaf.index] += RETRACTED;
        }
    }

    function _anchor(address from, uint64 firstIndex, uint32 count, bytes32 root) internal returns (bool ok) {
        uint32 memberId = _staffRules(from, OPERATOR, WRITING);
        _rule(count != 0, IRecordRegistry.BatchEmpty.selector);
        _rule(root != 0, IRecordRegistry.RootZero.selector);
        _rule(firstIndex == _members[memberId].head + 1, IRecordRegistry.IndexNotNext.selector);

        ok = _attempt(
            from,
            address(RECORDS),
            abi.encodeCall(RECORDS.anchor, (firstIndex, count, root, root))
        );
        if (ok) _members[memberId].head += count;
    }

    function _keepBatch(uint32 memberId, uint64 firstIndex, Leaf[] memory leaves) internal {
        GhostBatch storage batch = _batches.push();
        batch.memberId = memberId;
        batch.firstIndex = firstIndex;
        for (uint256 i = 0; i < leaves.length; ++i) {
            batch.leaves.push(leaves[i]);
            _batchOf[memberId][uint64(firstIndex + i)] = _batches.length;
        }
    }

    /// @dev Mostly a record of a patient of the log's own; sometimes of another member's, of another kind, or in a
    /// compartment that does not exist.
    function _someLeaf(uint32 memberId, uint64 index) internal returns (Leaf memory leaf) {
        leaf.format = _onceIn(24) ? 2 : 1;
        leaf.memberId = _onceIn(24) ? memberId + 1 : memberId;
        leaf.index = _onceIn(24) ? index + 1 : index;
        leaf.kind = _onceIn(8) ? uint8(1 + _draw(5)) : 0;
        leaf.compartment = _onceIn(10) ? [63, 64, 200, 255][_draw(4)] : uint8(_draw(4));
        leaf.recordedDay = uint32(100 + _draw(8)); // few, so that bounds are often met
        leaf.patientId = _somePatient(_onceIn(12) ? 0 : memberId);
        leaf.patientSeq = uint32(index);
        if (index > 1 && _draw(2) == 0) {
            uint64 older = uint64(index - 1 - _draw(index > 6 ? 6 : index - 1));
            if (_onceIn(12)) older = uint64(index + _draw(2)); // itself, or a later one
            leaf.ref = bytes32(uint256(older));
            bool known = _batchOf[memberId][older] != 0;
            if (known && !_onceIn(4)) leaf.patientId = _entryOf(memberId, older).leaf.patientId;
        }
        leaf.contentDigest = bytes32(_draw(type(uint256).max));
        leaf.salt = bytes32(_draw(type(uint256).max));
    }

    /// @dev An anchored entry as it should be shown. There must be a batch.
    function _someEntry() internal returns (Entry memory) {
        GhostBatch storage batch = _batches[_draw(_batches.length)];
        return _entryOf(batch.memberId, uint64(batch.firstIndex + _draw(batch.leaves.length)));
    }

    /// @dev Changes one thing about an entry, so that it is no longer the one that was anchored.
    function _spoil(Entry memory entry) internal {
        uint256 what = _draw(15);
        if (what < 6) return _spoilNumbers(entry.leaf, what);
        if (what < 11) return _spoilHashes(entry.leaf, what);
        if (what == 11) entry.firstIndex += 1;
        if (what == 12) entry.count = entry.count + uint32(_draw(3)) - 1;
        if (what == 13) entry.proof = ReferenceTree.append(entry.proof, entry.leaf.salt);
        if (what == 14 && entry.proof.length > 0) entry.proof[0] = entry.leaf.salt;
    }

    function _spoilNumbers(Leaf memory leaf, uint256 what) private {
        if (what == 0) leaf.format ^= 3;
        if (what == 1) leaf.memberId = _anyMember();
        if (what == 2) leaf.index = leaf.index + uint64(_draw(3)) - 1;
        if (what == 3) leaf.kind = leaf.kind == 0 ? 1 : 0;
        if (what == 4) leaf.compartment ^= 1;
        if (what == 5) leaf.recordedDay ^= 1;
    }

    function _spoilHashes(Leaf memory leaf, uint256 what) private {
        if (what == 6) leaf.patientId = _somePatient(0);
        if (what == 7) leaf.patientSeq += 1;
        if (what == 8) leaf.ref = bytes32(uint256(leaf.ref) ^ 1);
        if (what == 9) leaf.contentDigest = bytes32(_draw(type(uint256).max));
        if (what == 10) leaf.salt = bytes32(_draw(type(uint256).max));
    }

    function _ownEntryRules(address from, Entry memory entry) private {
        uint32 memberId = _staffRules(from, OPERATOR, WRITING);
        _rule(entry.leaf.memberId == memberId, IRecordRegistry.LeafOfAnotherMember.selector);
        _anchorRules(entry, entry.leaf.memberId);
    }
}
