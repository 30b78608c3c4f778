// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {IRecordRegistry} from "../interfaces/IRecordRegistry.sol";
import {Terms} from "../libraries/ConsentTerms.sol";
import {Cosigner, Cosigners} from "../libraries/Cosigners.sol";
import {EntryStatus} from "../libraries/EntryStatus.sol";
import {Entry, Leaf, Leaves} from "../libraries/Leaves.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";
import {Consents} from "./Consents.sol";

/// @title WitnessedConsents
/// @notice Consent on paper: two persons of the custodian's staff attest it, the scanned form is in the log. They may
/// tighten for every patient, loosen only where nobody can sign.
abstract contract WitnessedConsents is Consents {
    bytes32 private constant WITNESSING_TYPEHASH = keccak256(
        "Witnessing(uint8 act,bytes32 patientId,bytes32 ref,address first,uint48 deadline)"
    );

    /// @notice What is anchored.
    IRecordRegistry public immutable RECORDS;

    mapping(uint32 memberId => mapping(uint256 index => bool)) private _usedDocuments;

    constructor(IRecordRegistry records) {
        RECORDS = records;
    }

    /// @inheritdoc IConsentRegistry
    function grantWitnessed(
        Terms calldata terms,
        Entry calldata document,
        Cosigner calldata second
    ) external returns (bytes32 termsHash) {
        termsHash = _requireGrantable(terms);
        uint32 custodian = PATIENT_REGISTRY.requireUnable(terms.patientId);
        _witness(WitnessedAct.GRANT, terms.patientId, termsHash, custodian, document, second);

        _grant(terms, termsHash, custodian, GivenBy.WITNESSES);
    }

    /// @inheritdoc IConsentRegistry
    function revokeWitnessed(
        bytes32 patientId,
        bytes32 termsHash,
        Entry calldata document,
        Cosigner calldata second
    ) external {
        uint32 custodian = PATIENT_REGISTRY.custodianOf(patientId);
        _witness(WitnessedAct.REVOCATION, patientId, termsHash, custodian, document, second);

        _revoke(patientId, termsHash, GivenBy.WITNESSES);
    }

    /// @inheritdoc IConsentRegistry
    function denyWitnessed(
        bytes32 patientId,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments,
        Entry calldata document,
        Cosigner calldata second
    ) external {
        uint32 custodian = PATIENT_REGISTRY.custodianOf(patientId);
        if (_loosens(_directives[patientId], denyAll, denyEmergency, deniedCompartments)) {
            revert WitnessesOnlyTighten(patientId);
        }
        bytes32 ref = keccak256(
            abi.encode(denyAll, denyEmergency, deniedCompartments, _directives[patientId].nonce)
        );
        _witness(WitnessedAct.DENIAL, patientId, ref, custodian, document, second);

        _direct(patientId, denyAll, denyEmergency, deniedCompartments, GivenBy.WITNESSES);
    }

    /// @dev Whether the new directive drops any denial of the old one.
    function _loosens(
        Directive storage old,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments
    ) internal view returns (bool) {
        return
            (old.denyAll && !denyAll) ||
            (old.denyEmergency && !denyEmergency) ||
            old.deniedCompartments & ~deniedCompartments != 0;
    }

    function _witness(
        WitnessedAct act,
        bytes32 patientId,
        bytes32 ref,
        uint32 custodian,
        Entry calldata document,
        Cosigner calldata second
    ) private {
        _requireWitnesses(act, patientId, ref, custodian, second);
        _useDocument(patientId, ref, custodian, document);

        uint64 index = document.leaf.index;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    Witnessed.selector,
                    patientId,
                    ref,
                    keccak256(abi.encode(act, msg.sender, second.account, index))
                )
            )
        );

        emit Witnessed(patientId, ref, act, msg.sender, second.account, index);
    }

    /// @dev A suspended member's staff may still attest: what its patients want does not wait for its quarrels.
    function _requireWitnesses(
        WitnessedAct act,
        bytes32 patientId,
        bytes32 ref,
        uint32 custodian,
        Cosigner calldata second
    ) private view {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(WITNESSING_TYPEHASH, act, patientId, ref, msg.sender, second.deadline))
        );
        (uint32 firstMember, uint32 secondMember, , ) = Cosigners.requireTwo(
            MEMBERS,
            second,
            digest,
            Roles.ALL,
            Suspension.REMOVED
        );
        if (firstMember != custodian) revert NotOfCustodian(msg.sender, firstMember, custodian);
        if (secondMember != custodian) revert NotOfCustodian(second.account, secondMember, custodian);
    }

    function _useDocument(bytes32 patientId, bytes32 ref, uint32 custodian, Entry calldata document) private {
        Leaf calldata leaf = document.leaf;
        if (
            leaf.memberId != custodian ||
            leaf.kind != Leaves.CONSENT_DOCUMENT ||
            leaf.patientId != patientId ||
            leaf.ref != ref ||
            RECORDS.requireAnchored(document) & EntryStatus.WITHDRAWN != 0
        ) revert DocumentMismatch(leaf.index, ref);
        if (_usedDocuments[custodian][leaf.index]) revert DocumentUsed(leaf.index);

        _usedDocuments[custodian][leaf.index] = true;
    }
}
