// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "../interfaces/IPatientRegistry.sol";
import {ConsentTerms, Terms} from "../libraries/ConsentTerms.sol";
import {Heads} from "../libraries/Heads.sol";
import {Purposes} from "../libraries/Purposes.sol";

/// @title Consents
/// @notice Grants and directives as they stand; who may change them is for its heirs to say.
abstract contract Consents is IConsentRegistry, EIP712 {
    using ConsentTerms for Terms;

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;
    /// @notice Whose signature counts for a patient.
    IPatientRegistry public immutable PATIENT_REGISTRY;

    mapping(bytes32 patientId => mapping(bytes32 termsHash => Grant)) private _grants;
    mapping(bytes32 patientId => Directive) internal _directives;
    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(IMemberRegistry members, IPatientRegistry patients) {
        MEMBERS = members;
        PATIENT_REGISTRY = patients;
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

    /// @dev Reverts unless the terms may still be given.
    function _requireGrantable(Terms calldata terms) internal view returns (bytes32 termsHash) {
        terms.requireWellFormed(Purposes.GRANTABLE);
        MEMBERS.requireMember(terms.grantee);
        termsHash = terms.hash();
        Grant storage given = _grants[terms.patientId][termsHash];
        if (given.revokedAt != 0) revert TermsRevoked(terms.patientId, termsHash, given.revokedAt);
        if (given.grantedAt != 0) revert TermsAlreadyGranted(terms.patientId, termsHash);
    }

    function _grant(Terms calldata terms, bytes32 termsHash, uint32 custodian, GivenBy givenBy) internal {
        uint48 grantedAt = uint48(block.timestamp);
        _grants[terms.patientId][termsHash] = Grant(givenBy, grantedAt, 0, custodian);
        _advance(
            terms.patientId,
            keccak256(
                abi.encode(
                    GrantGiven.selector,
                    terms.patientId,
                    termsHash,
                    uint256(terms.grantee),
                    keccak256(abi.encode(terms, givenBy, grantedAt))
                )
            )
        );

        emit GrantGiven(terms.patientId, termsHash, terms.grantee, terms, givenBy, grantedAt);
    }

    function _revoke(bytes32 patientId, bytes32 termsHash, GivenBy revokedBy) internal {
        Grant storage given = _grants[patientId][termsHash];
        if (given.revokedAt != 0) return;

        uint48 revokedAt = uint48(block.timestamp);
        given.revokedAt = revokedAt;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    GrantRevoked.selector,
                    patientId,
                    termsHash,
                    keccak256(abi.encode(revokedBy, revokedAt))
                )
            )
        );

        emit GrantRevoked(patientId, termsHash, revokedBy, revokedAt);
    }

    function _direct(
        bytes32 patientId,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments,
        GivenBy setBy
    ) internal {
        uint48 setAt = uint48(block.timestamp);
        uint64 nonce = _directives[patientId].nonce;
        _directives[patientId] = Directive(denyAll, denyEmergency, deniedCompartments, nonce + 1, setAt);
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    DirectiveSet.selector,
                    patientId,
                    keccak256(abi.encode(denyAll, denyEmergency, deniedCompartments, nonce, setBy, setAt))
                )
            )
        );

        emit DirectiveSet(patientId, denyAll, denyEmergency, deniedCompartments, nonce, setBy, setAt);
    }

    function _advance(bytes32 patientId, bytes32 eventDigest) internal {
        _heads[patientId] = Heads.advance(_heads[patientId], eventDigest);
    }
}
