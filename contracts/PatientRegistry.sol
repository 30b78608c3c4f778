// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {Heads} from "./libraries/Heads.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title PatientRegistry
contract PatientRegistry is IPatientRegistry, EIP712 {
    bytes32 private constant PATIENT_SIGNER_TYPEHASH = keccak256(
        "PatientSigner(bytes32 patientId,bytes signer,uint48 deadline)"
    );

    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;

    mapping(bytes32 patientId => Patient) private _patients;
    mapping(bytes32 signerHash => bytes32 patientId) private _signerOwners;
    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(IMemberRegistry members) EIP712("chartseal PatientRegistry", "1") {
        MEMBERS = members;
    }

    /// @inheritdoc IPatientRegistry
    function register(
        bytes32 seed,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline
    ) external returns (bytes32 patientId) {
        uint32 custodian = MEMBERS.authorized(msg.sender, Roles.OPERATOR, Suspension.WRITING);
        patientId = patientIdOf(custodian, seed);
        if (_patients[patientId].custodian != 0) revert PatientAlreadyRegistered(patientId);
        if (signer.length != 0) _claimSigner(patientId, signer, possession, deadline);

        uint48 registeredAt = uint48(block.timestamp);
        _patients[patientId] = Patient({custodian: custodian, registeredAt: registeredAt, signer: signer});
        _heads[patientId] = Heads.advance(
            _heads[patientId],
            keccak256(
                abi.encode(
                    PatientRegistered.selector,
                    patientId,
                    uint256(custodian),
                    keccak256(abi.encode(seed, signer, registeredAt))
                )
            )
        );

        emit PatientRegistered(patientId, custodian, seed, signer, registeredAt);
    }

    /// @inheritdoc IPatientRegistry
    function patientOf(bytes32 patientId) external view returns (Patient memory) {
        return _patients[patientId];
    }

    /// @inheritdoc IPatientRegistry
    function custodianOf(bytes32 patientId) external view returns (uint32 custodian) {
        custodian = _patients[patientId].custodian;
        if (custodian == 0) revert PatientUnknown(patientId);
    }

    /// @inheritdoc IPatientRegistry
    function patientOfSigner(bytes calldata signer) external view returns (bytes32 patientId) {
        return _signerOwners[keccak256(signer)];
    }

    /// @inheritdoc IPatientRegistry
    function headOf(bytes32 patientId) external view returns (uint256) {
        return _heads[patientId];
    }

    /// @inheritdoc IPatientRegistry
    function requireSignature(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (uint32 custodian) {
        Patient storage patient = _patients[patientId];
        custodian = patient.custodian;
        if (custodian == 0) revert PatientUnknown(patientId);
        bytes memory signer = patient.signer;
        if (signer.length == 0) revert PatientHasNoSigner(patientId);

        if (!SignatureChecker.isValidSignatureNow(signer, digest, signature))
            revert SignatureInvalid(patientId);
    }

    /// @inheritdoc IPatientRegistry
    function patientIdOf(uint32 custodian, bytes32 seed) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(custodian, seed));
    }

    /// @dev One signer, one patient, for good: a key that served two would join their pseudonyms.
    function _claimSigner(
        bytes32 patientId,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline
    ) private {
        if (signer.length < 20) revert SignerTooShort(signer.length);
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        bytes32 signerHash = keccak256(signer);
        bytes32 owner = _signerOwners[signerHash];
        if (owner != 0) revert SignerInUse(signer, owner);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(PATIENT_SIGNER_TYPEHASH, patientId, signerHash, deadline))
        );
        if (!SignatureChecker.isValidSignatureNow(signer, digest, possession))
            revert SignatureInvalid(patientId);

        _signerOwners[signerHash] = patientId;
    }
}
