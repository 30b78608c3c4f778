// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ILegalOrders} from "./interfaces/ILegalOrders.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "./interfaces/IRecordRegistry.sol";
import {ConsentTerms, Terms} from "./libraries/ConsentTerms.sol";
import {Cosigner, Cosigners} from "./libraries/Cosigners.sol";
import {EntryStatus} from "./libraries/EntryStatus.sol";
import {Heads} from "./libraries/Heads.sol";
import {Entry, Leaf, Leaves} from "./libraries/Leaves.sol";
import {Purposes} from "./libraries/Purposes.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title LegalOrders
contract LegalOrders is ILegalOrders, EIP712 {
    using ConsentTerms for Terms;

    bytes32 private constant ENTRY_TYPEHASH = keccak256(
        "OrderEntry(bytes32 termsHash,address first,uint48 deadline)"
    );
    bytes32 private constant LIFT_TYPEHASH = keccak256(
        "OrderLift(bytes32 patientId,bytes32 termsHash,address first,uint48 deadline)"
    );

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;
    /// @notice Who keeps a patient's records.
    IPatientRegistry public immutable PATIENT_REGISTRY;
    /// @notice What is anchored.
    IRecordRegistry public immutable RECORDS;

    mapping(bytes32 patientId => mapping(bytes32 termsHash => Order)) private _orders;
    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(
        IMemberRegistry members,
        IPatientRegistry patients,
        IRecordRegistry records
    ) EIP712("chartseal LegalOrders", "1") {
        MEMBERS = members;
        PATIENT_REGISTRY = patients;
        RECORDS = records;
    }

    /// @inheritdoc ILegalOrders
    function enter(
        Terms calldata terms,
        Entry calldata document,
        Cosigner calldata second
    ) external returns (bytes32 termsHash) {
        terms.requireWellFormed(Purposes.ORDERABLE);
        MEMBERS.requireMember(terms.grantee);
        termsHash = terms.hash();
        if (_orders[terms.patientId][termsHash].custodian != 0) {
            revert OrderAlreadyEntered(terms.patientId, termsHash);
        }
        uint32 custodian = PATIENT_REGISTRY.custodianOf(terms.patientId);
        _requireDocument(terms.patientId, termsHash, custodian, document);
        _requireReviewers(
            keccak256(abi.encode(ENTRY_TYPEHASH, termsHash, msg.sender, second.deadline)),
            second
        );

        _orders[terms.patientId][termsHash] = Order(custodian, uint48(block.timestamp), 0);
        _entered(terms, termsHash, second.account, document.leaf.index);
    }

    /// @inheritdoc ILegalOrders
    function lift(bytes32 patientId, bytes32 termsHash, Cosigner calldata second) external {
        Order storage order = _standing(patientId, termsHash);
        _requireReviewers(
            keccak256(abi.encode(LIFT_TYPEHASH, patientId, termsHash, msg.sender, second.deadline)),
            second
        );

        uint48 liftedAt = uint48(block.timestamp);
        order.liftedAt = liftedAt;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    OrderLifted.selector,
                    patientId,
                    termsHash,
                    keccak256(abi.encode(msg.sender, second.account, liftedAt))
                )
            )
        );

        emit OrderLifted(patientId, termsHash, msg.sender, second.account, liftedAt);
    }

    /// @inheritdoc ILegalOrders
    function orderOf(bytes32 patientId, bytes32 termsHash) external view returns (Order memory) {
        return _orders[patientId][termsHash];
    }

    /// @inheritdoc ILegalOrders
    function headOf(bytes32 patientId) external view returns (uint256) {
        return _heads[patientId];
    }

    /// @inheritdoc ILegalOrders
    function standingOf(bytes32 patientId, bytes32 termsHash) external view returns (uint32 custodian) {
        return _standing(patientId, termsHash).custodian;
    }

    function _entered(Terms calldata terms, bytes32 termsHash, address second, uint64 documentIndex) private {
        uint48 enteredAt = uint48(block.timestamp);
        _advance(
            terms.patientId,
            keccak256(
                abi.encode(
                    OrderEntered.selector,
                    terms.patientId,
                    termsHash,
                    uint256(terms.grantee),
                    keccak256(abi.encode(terms, msg.sender, second, documentIndex, enteredAt))
                )
            )
        );

        emit OrderEntered(
            terms.patientId,
            termsHash,
            terms.grantee,
            terms,
            msg.sender,
            second,
            documentIndex,
            enteredAt
        );
    }

    function _standing(bytes32 patientId, bytes32 termsHash) private view returns (Order storage order) {
        order = _orders[patientId][termsHash];
        if (order.custodian == 0) revert OrderUnknown(patientId, termsHash);
        if (order.liftedAt != 0) revert OrderWasLifted(patientId, termsHash, order.liftedAt);
    }

    /// @dev One order, one document: `ref` names the terms, and terms are entered once.
    function _requireDocument(
        bytes32 patientId,
        bytes32 termsHash,
        uint32 custodian,
        Entry calldata document
    ) private view {
        Leaf calldata leaf = document.leaf;
        if (
            leaf.memberId != custodian ||
            leaf.kind != Leaves.LEGAL_ORDER ||
            leaf.patientId != patientId ||
            leaf.ref != termsHash ||
            RECORDS.requireAnchored(document) & EntryStatus.WITHDRAWN != 0
        ) revert DocumentMismatch(leaf.index, termsHash);
    }

    /// @dev A suspended member's reviewers may act: suspension stops reading and writing, not answering a court.
    function _requireReviewers(bytes32 structHash, Cosigner calldata second) private view {
        (uint32 firstMember, uint32 secondMember, , ) = Cosigners.requireTwo(
            MEMBERS,
            second,
            _hashTypedDataV4(structHash),
            Roles.REVIEWER,
            Suspension.REMOVED
        );
        if (firstMember == secondMember) revert ReviewersOfOneMember(firstMember);
    }

    function _advance(bytes32 patientId, bytes32 eventDigest) private {
        _heads[patientId] = Heads.advance(_heads[patientId], eventDigest);
    }
}
