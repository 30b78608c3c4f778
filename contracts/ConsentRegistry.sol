// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Consents} from "./consent/Consents.sol";
import {WitnessedConsents} from "./consent/WitnessedConsents.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "./interfaces/IRecordRegistry.sol";
import {Terms} from "./libraries/ConsentTerms.sol";

/// @title ConsentRegistry
/// @dev What is signed is here; what is witnessed on paper, and how consents are kept, is in consent/.
contract ConsentRegistry is WitnessedConsents {
    bytes32 private constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 patientId,bytes32 termsHash)"
    );
    bytes32 private constant DIRECTIVE_TYPEHASH = keccak256(
        "Directive(bytes32 patientId,bool denyAll,bool denyEmergency,uint64 deniedCompartments,uint64 nonce,uint48 deadline)"
    );

    constructor(
        IMemberRegistry members,
        IPatientRegistry patients,
        IRecordRegistry records
    ) EIP712("chartseal ConsentRegistry", "1") Consents(members, patients) WitnessedConsents(records) {}

    /// @inheritdoc IConsentRegistry
    function grant(Terms calldata terms, bytes calldata signature) external returns (bytes32 termsHash) {
        termsHash = _requireGrantable(terms);
        (uint32 custodian, IPatientRegistry.Actor actor) = PATIENT_REGISTRY.requireLoosening(
            terms.patientId,
            _hashTypedDataV4(termsHash),
            signature
        );
        if (actor == IPatientRegistry.Actor.GUARDIANS) {
            _requireWithin(terms, PATIENT_REGISTRY.patientOf(terms.patientId).guardiansUntil);
        }

        _grant(terms, termsHash, custodian, _givenBy(actor));
    }

    /// @inheritdoc IConsentRegistry
    function grantByDelegate(
        Terms calldata terms,
        bytes calldata delegate,
        bytes calldata signature
    ) external returns (bytes32 termsHash) {
        termsHash = _requireGrantable(terms);
        uint32 custodian = PATIENT_REGISTRY.requireDelegate(
            terms.patientId,
            _hashTypedDataV4(termsHash),
            delegate,
            signature,
            true
        );
        _requireWithin(terms, PATIENT_REGISTRY.delegateUntil(terms.patientId, delegate));

        _grant(terms, termsHash, custodian, GivenBy.DELEGATE);
    }

    /// @inheritdoc IConsentRegistry
    function revoke(bytes32 patientId, bytes32 termsHash, bytes calldata signature) external {
        (, IPatientRegistry.Actor actor) = PATIENT_REGISTRY.requireSignature(
            patientId,
            _revocationDigest(patientId, termsHash),
            signature
        );

        _revoke(patientId, termsHash, _givenBy(actor));
    }

    /// @inheritdoc IConsentRegistry
    function revokeByDelegate(
        bytes32 patientId,
        bytes32 termsHash,
        bytes calldata delegate,
        bytes calldata signature
    ) external {
        bytes32 digest = _revocationDigest(patientId, termsHash);
        PATIENT_REGISTRY.requireDelegate(patientId, digest, delegate, signature, false);

        _revoke(patientId, termsHash, GivenBy.DELEGATE);
    }

    /// @inheritdoc IConsentRegistry
    function setDirective(
        bytes32 patientId,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments,
        uint48 deadline,
        bytes calldata signature
    ) external {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    DIRECTIVE_TYPEHASH,
                    patientId,
                    denyAll,
                    denyEmergency,
                    deniedCompartments,
                    _directives[patientId].nonce,
                    deadline
                )
            )
        );
        (, IPatientRegistry.Actor actor) = _loosens(
            _directives[patientId],
            denyAll,
            denyEmergency,
            deniedCompartments
        )
            ? PATIENT_REGISTRY.requireLoosening(patientId, digest, signature)
            : PATIENT_REGISTRY.requireSignature(patientId, digest, signature);

        _direct(patientId, denyAll, denyEmergency, deniedCompartments, _givenBy(actor));
    }

    /// @dev Nobody gives for a patient what would stand longer than he himself may act for him.
    function _requireWithin(Terms calldata terms, uint48 until) private pure {
        if (terms.notAfter > until) revert GrantOutlasts(terms.patientId, until);
    }

    /// @dev No nonce and no deadline: a revocation is for ever, so it cannot be replayed to any effect.
    function _revocationDigest(bytes32 patientId, bytes32 termsHash) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REVOCATION_TYPEHASH, patientId, termsHash)));
    }

    function _givenBy(IPatientRegistry.Actor actor) private pure returns (GivenBy) {
        return actor == IPatientRegistry.Actor.PATIENT ? GivenBy.PATIENT : GivenBy.GUARDIANS;
    }
}
