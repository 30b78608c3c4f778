// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IPatientRegistry
/// @notice Patients under their pseudonyms: who keeps a patient's records, and with what key he signs.
/// @dev A patient has another pseudonym at every custodian, so that two members' logs cannot be joined.
interface IPatientRegistry {
    struct Patient {
        uint32 custodian; // member id, for good; 0: no such patient
        uint48 registeredAt; // Unix seconds
        bytes signer; // ERC-7913: 20-byte account, or verifier followed by key; empty: the patient has no device
    }

    /// @notice A patient's pseudonym was registered; `signer` is empty for a patient without a device.
    event PatientRegistered(
        bytes32 indexed patientId,
        uint32 indexed custodian,
        bytes32 seed,
        bytes signer,
        uint48 registeredAt
    );

    error PatientUnknown(bytes32 patientId);
    error PatientAlreadyRegistered(bytes32 patientId);
    error PatientHasNoSigner(bytes32 patientId);
    error SignerInUse(bytes signer, bytes32 patientId);
    error SignerTooShort(uint256 length);
    error SignatureInvalid(bytes32 patientId);
    error DeadlinePassed(uint48 deadline);

    /// @notice Registers a patient with the caller's member as custodian. By an OPERATOR.
    /// @dev The pseudonym is derived here, from the caller's member, so that no other member can take it first.
    /// @param seed 32 random bytes.
    /// @param signer The patient's ERC-7913 signer, used for no other patient; empty for a patient without a device.
    /// @param possession The signer's signature over PatientSigner(patientId, signer, deadline); ignored without one.
    /// @param deadline Unix seconds, inclusive.
    /// @return patientId keccak256(custodian (4 bytes) || seed).
    function register(
        bytes32 seed,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline
    ) external returns (bytes32 patientId);

    /// @notice The pseudonym that `seed` gives at `custodian`.
    function patientIdOf(uint32 custodian, bytes32 seed) external pure returns (bytes32);

    /// @notice The patient. `custodian` is 0 for an unknown one.
    function patientOf(bytes32 patientId) external view returns (Patient memory);

    /// @notice The member that keeps this patient's records. Reverts with PatientUnknown.
    function custodianOf(bytes32 patientId) external view returns (uint32);

    /// @notice The patient to whom `signer` belongs; zero if to none.
    function patientOfSigner(bytes calldata signer) external view returns (bytes32 patientId);

    /// @notice The patient's head: count and rolling digest of this registry's events about him.
    function headOf(bytes32 patientId) external view returns (uint256);

    /// @notice Reverts unless `signature` is the patient's own over `digest`.
    /// @dev Asks the signer's contract where there is one (ERC-1271, ERC-7913), by a static call.
    /// @return custodian The patient's.
    function requireSignature(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (uint32 custodian);
}
