// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAccessLog} from "./interfaces/IAccessLog.sol";
import {IBreakGlass} from "./interfaces/IBreakGlass.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {ILegalOrders} from "./interfaces/ILegalOrders.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "./interfaces/IRecordRegistry.sol";
import {ConsentTerms, Terms} from "./libraries/ConsentTerms.sol";
import {EntryStatus} from "./libraries/EntryStatus.sol";
import {Heads} from "./libraries/Heads.sol";
import {Entry, Leaf, Leaves} from "./libraries/Leaves.sol";
import {Purposes} from "./libraries/Purposes.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title AccessLog
contract AccessLog is IAccessLog, EIP712 {
    using ConsentTerms for Terms;
    using Leaves for Entry;

    /// @dev Keeps one request far below any block's gas limit.
    uint256 private constant MOST_ENTRIES = 64;
    bytes32 private constant OWN_REQUEST_TYPEHASH = keccak256(
        "OwnRequest(bytes32 patientId,uint8 extent,uint64 compartments,uint32 recordedFrom,uint32 recordedTo,uint64 upTo,bytes32 recipientKey,uint64 nonce,uint48 deadline)"
    );

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;
    /// @notice What is anchored.
    IRecordRegistry public immutable RECORDS;
    /// @notice What is granted.
    IConsentRegistry public immutable CONSENTS;
    /// @notice What is ordered.
    ILegalOrders public immutable ORDERS;
    /// @notice What is an emergency.
    IBreakGlass public immutable BREAK_GLASS;
    /// @notice Whose signature counts for a patient.
    IPatientRegistry public immutable PATIENT_REGISTRY;

    mapping(bytes32 patientId => uint256 head) private _heads;
    mapping(bytes32 patientId => uint64 nonce) private _ownNonces;

    constructor(
        IMemberRegistry members,
        IPatientRegistry patients,
        IRecordRegistry records,
        IConsentRegistry consents,
        ILegalOrders orders,
        IBreakGlass emergencies
    ) EIP712("chartseal AccessLog", "1") {
        MEMBERS = members;
        PATIENT_REGISTRY = patients;
        RECORDS = records;
        CONSENTS = consents;
        ORDERS = orders;
        BREAK_GLASS = emergencies;
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

        return _log(RecordsRequested.selector, terms.patientId, msg.sender, abi.encode(access, indices));
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
        _requireWithinLog(scope, custodian);

        return _log(ScopeRequested.selector, terms.patientId, msg.sender, abi.encode(access, extent, scope));
    }

    /// @inheritdoc IAccessLog
    function requestOwn(
        bytes32 patientId,
        Extent extent,
        Scope calldata scope,
        bytes32 recipientKey,
        uint48 deadline,
        bytes calldata signature
    ) external returns (bytes32 accessId) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        if (recipientKey == 0) revert RecipientKeyZero();
        if (scope.compartments == 0) revert CompartmentsNotPermitted(0, type(uint64).max);
        if (scope.recordedFrom > scope.recordedTo) {
            revert PeriodNotGranted(scope.recordedFrom, scope.recordedTo);
        }
        bytes32 digest = _ownRequestDigest(patientId, extent, scope, recipientKey, deadline);
        // It lets somebody see more: who took the key over must wait, like with a grant.
        (uint32 custodian, ) = PATIENT_REGISTRY.requireLoosening(patientId, digest, signature);
        _requireWithinLog(scope, custodian);

        ++_ownNonces[patientId];
        Access memory access = Access(
            0,
            Basis.PATIENT,
            recipientKey,
            Purposes.PATRQT,
            uint48(block.timestamp)
        );
        return _log(ScopeRequested.selector, patientId, address(0), abi.encode(access, extent, scope));
    }

    /// @inheritdoc IAccessLog
    function ownNonceOf(bytes32 patientId) external view returns (uint64) {
        return _ownNonces[patientId];
    }

    /// @inheritdoc IAccessLog
    function headOf(bytes32 patientId) external view returns (uint256) {
        return _heads[patientId];
    }

    function _ownRequestDigest(
        bytes32 patientId,
        Extent extent,
        Scope calldata scope,
        bytes32 recipientKey,
        uint48 deadline
    ) private view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                OWN_REQUEST_TYPEHASH,
                patientId,
                extent,
                scope,
                recipientKey,
                _ownNonces[patientId],
                deadline
            )
        );
        return _hashTypedDataV4(structHash);
    }

    /// @dev Checks reader and terms, and what stands behind the terms: the purpose says which contract knows.
    function _begin(
        Terms calldata terms,
        uint8 purpose
    ) private view returns (Access memory access, uint32 custodian, uint64 permitted) {
        uint32 memberId = MEMBERS.authorized(msg.sender, Roles.CLINICIAN, Suspension.READING);
        terms.requirePermitting(memberId, purpose);
        bytes32 termsHash = terms.hash();
        Basis basis = Basis.GRANT;
        uint64 denied;
        if (purpose < Purposes.HLEGAL) {
            (custodian, denied) = CONSENTS.standingOf(terms.patientId, termsHash);
        } else {
            (basis, custodian, denied) = _beyondConsent(terms.patientId, termsHash, purpose);
        }
        permitted = terms.compartments & ~denied;
        access = Access(memberId, basis, termsHash, purpose, uint48(block.timestamp));
    }

    /// @dev A legal order stands above the patient's directive, an emergency below it.
    function _beyondConsent(
        bytes32 patientId,
        bytes32 termsHash,
        uint8 purpose
    ) private view returns (Basis basis, uint32 custodian, uint64 denied) {
        if (purpose == Purposes.HLEGAL)
            return (Basis.LEGAL_ORDER, ORDERS.standingOf(patientId, termsHash), 0);
        (custodian, denied) = BREAK_GLASS.standingOf(termsHash, msg.sender);
        basis = Basis.BREAK_GLASS;
    }

    function _requireWithinLog(Scope calldata scope, uint32 custodian) private view {
        uint256 head = RECORDS.headOf(custodian);
        if (scope.upTo > head) revert BeyondHead(scope.upTo, head);
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

    /// @dev Names the access, moves the patient's head over its event and emits it: the event's data are encoded once
    /// for both.
    function _log(
        bytes32 selector,
        bytes32 patientId,
        address reader,
        bytes memory data
    ) private returns (bytes32 accessId) {
        uint256 head = _heads[patientId];
        accessId = keccak256(abi.encode(block.chainid, address(this), patientId, Heads.count(head) + 1));
        _heads[patientId] = Heads.advance(
            head,
            keccak256(abi.encode(selector, accessId, patientId, reader, keccak256(data)))
        );

        assembly ("memory-safe") {
            log4(add(data, 0x20), mload(data), selector, accessId, patientId, reader)
        }
    }
}
