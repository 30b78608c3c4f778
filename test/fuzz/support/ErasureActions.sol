// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRecordRegistry} from "../../../contracts/interfaces/IRecordRegistry.sol";
import {Cosigner, Cosigners} from "../../../contracts/libraries/Cosigners.sol";
import {Entry} from "../../../contracts/libraries/Leaves.sol";
import {HoldActions} from "./HoldActions.sol";

/// @notice Keys of entries are destroyed, on each of the three grounds.
abstract contract ErasureActions is HoldActions {
    bytes32 private constant TYPEHASH = keccak256(
        "Erasure(uint32 memberId,uint64 index,uint64 certificateIndex,uint48 deadline)"
    );
    uint8 private constant ERASURE_CERTIFICATE = 4;
    uint8 private constant OF_PATIENT = 0;
    uint8 private constant OF_REVIEWER = 1;
    uint8 private constant OF_RETENTION = 2;

    function erase(uint256 seed) public action(seed) {
        Entry memory entry = _onceIn(6) ? _someEntry() : _someRecord(_onceIn(6) ? HELD : 0);
        if (_onceIn(12)) _spoil(entry);
        bytes32 ref = bytes32(uint256(entry.leaf.index));
        Entry memory certificate = _document(ERASURE_CERTIFICATE, entry.leaf.patientId, ref);
        address from = _staffFor(entry.leaf.memberId, OPERATOR, WRITING);
        uint32 memberId = _staffRules(from, OPERATOR, WRITING);
        _ownRules(entry, memberId);
        _rule(entry.leaf.kind == 0, IRecordRegistry.KindForbids.selector);
        bool may = _status[entry.leaf.memberId][entry.leaf.index] & (HELD | ERASED) == 0;
        _rule(may, IRecordRegistry.StatusForbids.selector);
        _certificateRules(entry, certificate, memberId);
        uint8 ground = uint8(_draw(3));
        Cosigner memory second = _groundRules(entry, certificate, memberId, ground);
        if (ground == OF_REVIEWER) {
            bool two = _staff[from].personId != _staff[second.account].personId;
            _rule(two, Cosigners.SamePerson.selector);
        }

        bytes memory call = abi.encodeCall(
            RECORDS.erase,
            (entry, certificate, IRecordRegistry.ErasureGround(ground), second)
        );
        if (_attempt(from, address(RECORDS), call)) _status[memberId][entry.leaf.index] += ERASED;
    }

    function _certificateRules(Entry memory entry, Entry memory certificate, uint32 memberId) private {
        bytes4 mismatch = IRecordRegistry.CertificateMismatch.selector;
        bool right =
            certificate.leaf.kind == ERASURE_CERTIFICATE &&
                certificate.leaf.patientId == entry.leaf.patientId &&
                uint256(certificate.leaf.ref) == entry.leaf.index;
        _rule(right, mismatch);
        _ownRules(certificate, memberId);
        bool stands = _status[certificate.leaf.memberId][certificate.leaf.index] & (RETRACTED | ERASED) == 0;
        _rule(stands, mismatch);
    }

    function _groundRules(
        Entry memory entry,
        Entry memory certificate,
        uint32 memberId,
        uint8 ground
    ) private returns (Cosigner memory second) {
        if (ground == OF_RETENTION) {
            bool over = _clock / 1 days > entry.leaf.recordedDay + RETENTION_DAYS;
            _rule(over, IRecordRegistry.RetentionLasts.selector);
            return second;
        }
        uint48 deadline = _someDeadline();
        bytes32 structHash = keccak256(
            abi.encode(TYPEHASH, entry.leaf.memberId, entry.leaf.index, certificate.leaf.index, deadline)
        );
        if (ground == OF_REVIEWER) return _reviewerRules(memberId, deadline, structHash);
        bytes32 patientId = entry.leaf.patientId;
        Signed memory signed = _signFor(patientId, address(RECORDS), RECORDS_DOMAIN, structHash);
        _rule(_clock <= deadline, IRecordRegistry.DeadlinePassed.selector);
        _custodianRules(patientId, memberId);
        _looseningRules(patientId);
        _signatureRules(patientId, signed);
        return Cosigner(address(0), deadline, signed.signature);
    }

    function _reviewerRules(
        uint32 memberId,
        uint48 deadline,
        bytes32 structHash
    ) private returns (Cosigner memory second) {
        address account = _seasonedFor(0, _onceIn(10) ? 0 : memberId, REVIEWER, REMOVED);
        bytes memory signedBy;
        (second, signedBy) = _cosign(account, deadline, address(RECORDS), RECORDS_DOMAIN, structHash);
        uint32 reviewers = _secondRules(second, signedBy, REVIEWER, REMOVED);
        _rule(reviewers != memberId, Cosigners.ReviewerOfCustodian.selector);
    }
}
