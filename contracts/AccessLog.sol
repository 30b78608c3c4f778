// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessLog} from "./interfaces/IAccessLog.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IRecordRegistry} from "./interfaces/IRecordRegistry.sol";
import {ConsentTerms, Terms} from "./libraries/ConsentTerms.sol";
import {EntryStatus} from "./libraries/EntryStatus.sol";
import {Heads} from "./libraries/Heads.sol";
import {Entry, Leaf, Leaves} from "./libraries/Leaves.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title AccessLog
contract AccessLog is IAccessLog {
    using ConsentTerms for Terms;
    using Leaves for Entry;

    /// @dev Keeps one request far below any block's gas limit.
    uint256 private constant MOST_ENTRIES = 64;

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;
    /// @notice What is anchored.
    IRecordRegistry public immutable RECORDS;
    /// @notice What is granted.
    IConsentRegistry public immutable CONSENTS;

    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(IMemberRegistry members, IRecordRegistry records, IConsentRegistry consents) {
        MEMBERS = members;
        RECORDS = records;
        CONSENTS = consents;
    }

    /// @inheritdoc IAccessLog
    function requestRecords(
        Terms calldata terms,
        uint8 purpose,
        Entry[] calldata entries
    ) external returns (bytes32 accessId) {
        if (entries.length == 0) revert NoEntries();
        if (entries.length > MOST_ENTRIES) revert TooManyEntries(entries.length, MOST_ENTRIES);
        (Access memory access, uint32 custodian, uint64 permitted) = _begin(terms, purpose);
        uint64[] memory indices = new uint64[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            indices[i] = _requireReadable(entries[i], terms, custodian, permitted);
        }

        accessId = _advance(
            RecordsRequested.selector,
            terms.patientId,
            keccak256(abi.encode(access, indices))
        );

        emit RecordsRequested(accessId, terms.patientId, msg.sender, access, indices);
    }

    /// @inheritdoc IAccessLog
    function requestScope(
        Terms calldata terms,
        uint8 purpose,
        Extent extent,
        Scope calldata scope
    ) external returns (bytes32 accessId) {
        (Access memory access, uint32 custodian, uint64 permitted) = _begin(terms, purpose);
        if (scope.compartments == 0 || scope.compartments & ~permitted != 0) {
            revert CompartmentsNotPermitted(scope.compartments, permitted);
        }
        _requirePeriod(terms, scope);
        uint256 head = RECORDS.headOf(custodian);
        if (scope.upTo > head) revert BeyondHead(scope.upTo, head);

        accessId = _advance(
            ScopeRequested.selector,
            terms.patientId,
            keccak256(abi.encode(access, extent, scope))
        );

        emit ScopeRequested(accessId, terms.patientId, msg.sender, access, extent, scope);
    }

    /// @inheritdoc IAccessLog
    function headOf(bytes32 patientId) external view returns (uint256) {
        return _heads[patientId];
    }

    /// @dev Checks reader, terms, grant and directive.
    function _begin(
        Terms calldata terms,
        uint8 purpose
    ) private view returns (Access memory access, uint32 custodian, uint64 permitted) {
        uint32 memberId = MEMBERS.authorized(msg.sender, Roles.CLINICIAN, Suspension.READING);
        terms.requirePermitting(memberId, purpose);
        bytes32 termsHash = terms.hash();
        (custodian, permitted) = CONSENTS.standingOf(terms.patientId, termsHash);
        permitted = terms.compartments & ~permitted;
        access = Access(memberId, Basis.GRANT, termsHash, purpose, uint48(block.timestamp));
    }

    function _requirePeriod(Terms calldata terms, Scope calldata scope) private pure {
        if (
            scope.recordedFrom > scope.recordedTo ||
            scope.recordedFrom < terms.recordedFrom ||
            scope.recordedTo > terms.recordedTo
        ) revert PeriodNotGranted(scope.recordedFrom, scope.recordedTo);
    }

    function _requireReadable(
        Entry calldata entry,
        Terms calldata terms,
        uint32 custodian,
        uint64 permitted
    ) private view returns (uint64 index) {
        Leaf calldata leaf = entry.leaf;
        index = leaf.index;
        // Another member could anchor a leaf of its own making under this patient's pseudonym.
        if (leaf.memberId != custodian) revert LeafOfAnotherMember(index, leaf.memberId, custodian);
        if (leaf.patientId != terms.patientId) {
            revert LeafOfAnotherPatient(index, leaf.patientId, terms.patientId);
        }
        if (leaf.kind != Leaves.RECORD) revert KindNotReadable(index, leaf.kind);
        // A shift by 64 or more gives zero: a compartment past 63 is in no bitmap.
        if ((permitted >> leaf.compartment) & 1 == 0) {
            revert CompartmentNotPermitted(index, leaf.compartment, permitted);
        }
        if (leaf.recordedDay < terms.recordedFrom || leaf.recordedDay > terms.recordedTo) {
            revert DayNotGranted(index, leaf.recordedDay, terms.recordedFrom, terms.recordedTo);
        }

        (bytes32 root, uint8 status) = RECORDS.rootAndStatus(custodian, entry.firstIndex, entry.count, index);
        if (status & EntryStatus.WITHDRAWN != 0) revert EntryWithdrawn(index, status);
        entry.requireIncluded(root);
    }

    /// @dev Names the access and moves the patient's head over its event.
    function _advance(
        bytes32 selector,
        bytes32 patientId,
        bytes32 dataDigest
    ) private returns (bytes32 accessId) {
        uint256 head = _heads[patientId];
        accessId = keccak256(abi.encode(block.chainid, address(this), patientId, Heads.count(head) + 1));
        _heads[patientId] = Heads.advance(
            head,
            keccak256(abi.encode(selector, accessId, patientId, msg.sender, dataDigest))
        );
    }
}
