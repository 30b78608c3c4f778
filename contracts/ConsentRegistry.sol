// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {ConsentTerms, Terms} from "./libraries/ConsentTerms.sol";
import {Heads} from "./libraries/Heads.sol";

/// @title ConsentRegistry
contract ConsentRegistry is IConsentRegistry, EIP712 {
    using ConsentTerms for Terms;

    bytes32 private constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 patientId,bytes32 termsHash)"
    );
    bytes32 private constant DIRECTIVE_TYPEHASH = keccak256(
        "Directive(bytes32 patientId,bool denyAll,bool denyEmergency,uint64 deniedCompartments,uint64 nonce,uint48 deadline)"
    );

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;
    /// @notice Whose signature counts for a patient.
    IPatientRegistry public immutable PATIENTS;

    mapping(bytes32 patientId => mapping(bytes32 termsHash => Grant)) private _grants;
    mapping(bytes32 patientId => Directive) private _directives;
    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(IMemberRegistry members, IPatientRegistry patients) EIP712("chartseal ConsentRegistry", "1") {
        MEMBERS = members;
        PATIENTS = patients;
    }

    /// @inheritdoc IConsentRegistry
    function grant(Terms calldata terms, bytes calldata signature) external returns (bytes32 termsHash) {
        terms.requireWellFormed();
        MEMBERS.requireMember(terms.grantee);
        termsHash = terms.hash();
        Grant storage given = _grants[terms.patientId][termsHash];
        if (given.revokedAt != 0) revert TermsRevoked(terms.patientId, termsHash, given.revokedAt);
        if (given.grantedAt != 0) revert TermsAlreadyGranted(terms.patientId, termsHash);
        uint32 custodian = PATIENTS.requireSignature(terms.patientId, _hashTypedDataV4(termsHash), signature);

        uint48 grantedAt = uint48(block.timestamp);
        _grants[terms.patientId][termsHash] = Grant(GivenBy.PATIENT, grantedAt, 0, custodian);
        _advance(
            terms.patientId,
            keccak256(
                abi.encode(
                    GrantGiven.selector,
                    terms.patientId,
                    termsHash,
                    uint256(terms.grantee),
                    keccak256(abi.encode(terms, GivenBy.PATIENT, grantedAt))
                )
            )
        );

        emit GrantGiven(terms.patientId, termsHash, terms.grantee, terms, GivenBy.PATIENT, grantedAt);
    }

    /// @inheritdoc IConsentRegistry
    function revoke(bytes32 patientId, bytes32 termsHash, bytes calldata signature) external {
        // No nonce and no deadline: a revocation is for ever, so it cannot be replayed to any effect.
        bytes32 structHash = keccak256(abi.encode(REVOCATION_TYPEHASH, patientId, termsHash));
        PATIENTS.requireSignature(patientId, _hashTypedDataV4(structHash), signature);
        Grant storage given = _grants[patientId][termsHash];
        if (given.revokedAt != 0) return;

        uint48 revokedAt = uint48(block.timestamp);
        given.revokedAt = revokedAt;
        _advance(
            patientId,
            keccak256(
                abi.encode(GrantRevoked.selector, patientId, termsHash, keccak256(abi.encode(revokedAt)))
            )
        );

        emit GrantRevoked(patientId, termsHash, revokedAt);
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
        uint64 nonce = _directives[patientId].nonce;
        bytes32 structHash = keccak256(
            abi.encode(
                DIRECTIVE_TYPEHASH,
                patientId,
                denyAll,
                denyEmergency,
                deniedCompartments,
                nonce,
                deadline
            )
        );
        PATIENTS.requireSignature(patientId, _hashTypedDataV4(structHash), signature);

        uint48 setAt = uint48(block.timestamp);
        _directives[patientId] = Directive(denyAll, denyEmergency, deniedCompartments, nonce + 1, setAt);
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    DirectiveSet.selector,
                    patientId,
                    keccak256(abi.encode(denyAll, denyEmergency, deniedCompartments, nonce, setAt))
                )
            )
        );

        emit DirectiveSet(patientId, denyAll, denyEmergency, deniedCompartments, nonce, setAt);
    }

    /// @inheritdoc IConsentRegistry
    function grantOf(bytes32 patientId, bytes32 termsHash) external view returns (Grant memory) {
        return _grants[patientId][termsHash];
    }

    /// @inheritdoc IConsentRegistry
    function directiveOf(bytes32 patientId) external view returns (Directive memory) {
        return _directives[patientId];
    }

    /// @inheritdoc IConsentRegistry
    function headOf(bytes32 patientId) external view returns (uint256) {
        return _heads[patientId];
    }

    /// @inheritdoc IConsentRegistry
    function standingOf(
        bytes32 patientId,
        bytes32 termsHash
    ) external view returns (uint32 custodian, uint64 deniedCompartments) {
        Grant storage given = _grants[patientId][termsHash];
        if (given.revokedAt != 0) revert TermsRevoked(patientId, termsHash, given.revokedAt);
        custodian = given.custodian;
        if (custodian == 0) revert GrantUnknown(patientId, termsHash);

        Directive storage directive = _directives[patientId];
        if (directive.denyAll) revert DirectiveDeniesAll(patientId);
        deniedCompartments = directive.deniedCompartments;
    }

    /// @inheritdoc IConsentRegistry
    function hashTerms(Terms calldata terms) external pure returns (bytes32 termsHash) {
        return terms.hash();
    }

    function _advance(bytes32 patientId, bytes32 eventDigest) private {
        _heads[patientId] = Heads.advance(_heads[patientId], eventDigest);
    }
}
