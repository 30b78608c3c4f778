// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, Leaf} from "../../../contracts/libraries/Leaves.sol";
import {LateActions} from "./LateActions.sol";

/// @notice Supporting entries, anchored on the way to what needs them.
abstract contract DocumentActions is LateActions {
    uint256 private constant MOST_BATCHES = 100;

    /// @dev Mostly an entry just anchored in the custodian's log that supports exactly this.
    function _document(uint8 kind, bytes32 patientId, bytes32 ref) internal returns (Entry memory entry) {
        uint32 custodian = _onceIn(16) ? _anyMember() : _patients[patientId].custodian;
        address operator = _staffFor(custodian, OPERATOR, WRITING);
        bool may = _staff[operator].memberId == custodian && _mayAct(operator, OPERATOR, WRITING);
        if (!may || _batches.length >= MOST_BATCHES) return _batches.length == 0 ? entry : _someEntry();
        Leaf[] memory leaves = new Leaf[](1);
        leaves[0] = _leafOf(kind, patientId, ref, custodian);
        uint64 index = leaves[0].index;
        _preparing = true;
        delete _faults;
        if (_anchor(operator, index, 1, _leafHashes(leaves)[0])) _keepBatch(custodian, index, leaves);
        entry = _entryOf(custodian, index);
        if (_onceIn(12) && _attempt(operator, address(RECORDS), abi.encodeCall(RECORDS.retract, (entry)))) {
            _status[custodian][index] += RETRACTED;
        }
        _preparing = false;
        delete _faults;
        if (_onceIn(12)) _spoil(entry);
    }

    /// @dev What is broken unless `document` supports exactly this; `otherwise` names what is not about the proof.
    function _documentRules(
        Entry memory document,
        uint8 kind,
        bytes32 patientId,
        bytes32 ref,
        bytes4 otherwise
    ) internal {
        Leaf memory leaf = document.leaf;
        _rule(leaf.memberId == _patients[patientId].custodian, otherwise);
        _rule(leaf.kind == kind && leaf.patientId == patientId && leaf.ref == ref, otherwise);
        _rule(_status[leaf.memberId][leaf.index] & (RETRACTED | ERASED) == 0, otherwise);
        _anchorRules(document, leaf.memberId);
    }

    function _leafOf(
        uint8 kind,
        bytes32 patientId,
        bytes32 ref,
        uint32 memberId
    ) private returns (Leaf memory leaf) {
        leaf.format = 1;
        leaf.memberId = memberId;
        leaf.index = uint64(_members[memberId].head + 1);
        leaf.kind = _onceIn(20) ? uint8(_draw(6)) : kind;
        leaf.recordedDay = 104;
        leaf.patientId = _onceIn(20) ? _somePatient(0) : patientId;
        leaf.patientSeq = 1;
        leaf.ref = _onceIn(20) ? bytes32(uint256(ref) ^ 1) : ref;
        leaf.contentDigest = bytes32(_draw(type(uint256).max));
        leaf.salt = bytes32(_draw(type(uint256).max));
    }
}
