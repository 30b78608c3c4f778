// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../libraries/ConsentTerms.sol";
import {Cosigner} from "../libraries/Cosigners.sol";
import {Entry} from "../libraries/Leaves.sol";

/// @title IConsentRegistry
/// @notice Patients' grants, revocations and directives.
interface IConsentRegistry {
    /// @notice Who gave a grant.
    enum GivenBy {
        NOBODY,
        PATIENT, // his own signature
        GUARDIANS,
        WITNESSES, // two persons of the custodian's staff and a consent document
        DELEGATE
    }

    /// @notice What two witnesses attest.
    enum WitnessedAct {
        GRANT, // ref: terms hash
        REVOCATION, // ref: terms hash
        DENIAL // ref: keccak256(abi.encode(denyAll, denyEmergency, deniedCompartments, nonce))
    }

    struct Grant {
        GivenBy givenBy;
        uint48 grantedAt; // Unix seconds; 0: not given
        uint48 revokedAt; // Unix seconds; 0: not revoked
        uint32 custodian; // member id, the patient's; 0: not given
    }

    /// @notice What the patient denies, whatever was granted. Stands until he sets another.
    struct Directive {
        bool denyAll;
        bool denyEmergency;
        uint64 deniedCompartments; // bit n: compartment n
        uint64 nonce; // of the next directive
        uint48 setAt; // Unix seconds; 0: never set
    }

    /// @notice Terms were granted, by the patient or for him.
    event GrantGiven(
        bytes32 indexed patientId,
        bytes32 indexed termsHash,
        uint32 indexed grantee,
        Terms terms,
        GivenBy givenBy,
        uint48 grantedAt
    );
    /// @notice Terms were revoked, given or not yet given.
    event GrantRevoked(
        bytes32 indexed patientId,
        bytes32 indexed termsHash,
        GivenBy revokedBy,
        uint48 revokedAt
    );
    /// @notice Two persons of the custodian's staff attested what follows in this transaction.
    event Witnessed(
        bytes32 indexed patientId,
        bytes32 indexed ref,
        WitnessedAct act,
        address first,
        address second,
        uint64 documentIndex
    );
    /// @notice The patient's directive was replaced; `nonce` is the one that was used up.
    event DirectiveSet(
        bytes32 indexed patientId,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments,
        uint64 nonce,
        GivenBy setBy,
        uint48 setAt
    );

    error TermsAlreadyGranted(bytes32 patientId, bytes32 termsHash);
    error TermsRevoked(bytes32 patientId, bytes32 termsHash, uint48 revokedAt);
    error GrantUnknown(bytes32 patientId, bytes32 termsHash);
    error GrantOutlasts(bytes32 patientId, uint48 until);
    error DirectiveDeniesAll(bytes32 patientId);
    error DeadlinePassed(uint48 deadline);
    error NotOfCustodian(address account, uint32 memberId, uint32 custodian);
    error DocumentMismatch(uint64 index, bytes32 ref);
    error DocumentUsed(uint64 index);
    error WitnessesOnlyTighten(bytes32 patientId);

    /// @notice Records a grant. Relayed by anyone.
    /// @dev A grant by guardians ends with their time, at the latest: a child's, before majority.
    /// @param signature Of who signs for the patient (IPatientRegistry), over the EIP-712 struct Terms.
    /// @return termsHash Names the grant from now on.
    function grant(Terms calldata terms, bytes calldata signature) external returns (bytes32 termsHash);

    /// @notice Records a grant that the patient's delegate signed, for no longer than his delegation. Relayed by anyone.
    /// @param delegate His key.
    /// @param signature Over the EIP-712 struct Terms.
    function grantByDelegate(
        Terms calldata terms,
        bytes calldata delegate,
        bytes calldata signature
    ) external returns (bytes32 termsHash);

    /// @notice Records a grant on paper, of a patient for whom nobody can sign. By one of the custodian's staff past
    /// the waiting time.
    /// @param document CONSENT_DOCUMENT of the patient in the custodian's log, `ref` the terms hash; counts once.
    /// @param second Another person of the custodian's staff, over Witnessing(act, patientId, ref, first, deadline).
    function grantWitnessed(
        Terms calldata terms,
        Entry calldata document,
        Cosigner calldata second
    ) external returns (bytes32 termsHash);

    /// @notice Revokes terms, at once and for good, given or not yet given. Relayed by anyone; a repeat does nothing.
    /// @param signature Of who signs for the patient, over Revocation(patientId, termsHash).
    function revoke(bytes32 patientId, bytes32 termsHash, bytes calldata signature) external;

    /// @notice As `revoke`, by the patient's delegate.
    function revokeByDelegate(
        bytes32 patientId,
        bytes32 termsHash,
        bytes calldata delegate,
        bytes calldata signature
    ) external;

    /// @notice As `revoke`, on paper, for any patient. By one of the custodian's staff past the waiting time.
    /// @param document As in `grantWitnessed`.
    function revokeWitnessed(
        bytes32 patientId,
        bytes32 termsHash,
        Entry calldata document,
        Cosigner calldata second
    ) external;

    /// @notice Replaces the patient's directive. Relayed by anyone.
    /// @param deadline Unix seconds, inclusive.
    /// @param signature Of who signs for the patient, over Directive(patientId, denyAll, denyEmergency,
    /// deniedCompartments, nonce, deadline), where nonce is `directiveOf(patientId).nonce`.
    function setDirective(
        bytes32 patientId,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Adds denials to any patient's directive, on paper. By one of the custodian's staff past the waiting
    /// time.
    /// @param document CONSENT_DOCUMENT of the patient, `ref` as WitnessedAct says, with the directive's next nonce.
    function denyWitnessed(
        bytes32 patientId,
        bool denyAll,
        bool denyEmergency,
        uint64 deniedCompartments,
        Entry calldata document,
        Cosigner calldata second
    ) external;

    /// @notice EIP-712 struct hash of the terms.
    function hashTerms(Terms calldata terms) external pure returns (bytes32 termsHash);

    /// @notice The grant; `grantedAt` is 0 if it was not given.
    function grantOf(bytes32 patientId, bytes32 termsHash) external view returns (Grant memory);

    /// @notice The patient's directive.
    function directiveOf(bytes32 patientId) external view returns (Directive memory);

    /// @notice The patient's head: count and rolling digest of this registry's events about him.
    function headOf(bytes32 patientId) external view returns (uint256);

    /// @notice Reverts unless the terms were granted and not revoked, and no directive denies all.
    /// @dev What the terms themselves say (grantee, purpose, period) is for the caller to check: see ConsentTerms.
    /// @return custodian Member id of the patient's custodian.
    /// @return deniedCompartments Bitmap of what the patient's directive denies.
    function standingOf(
        bytes32 patientId,
        bytes32 termsHash
    ) external view returns (uint32 custodian, uint64 deniedCompartments);
}
