// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IPatientRegistry} from "../interfaces/IPatientRegistry.sol";
import {Heads} from "../libraries/Heads.sol";

/// @title PatientKeys
/// @notice Whose key is whose, and whose signature counts for a patient.
abstract contract PatientKeys is IPatientRegistry, EIP712 {
    uint256 private constant ACCOUNT_LENGTH = 20;
    /// @dev Verifier (20 bytes) and the two coordinates of a P-256 key.
    uint256 private constant PASSKEY_LENGTH = 84;

    bytes32 private constant SIGNER_TYPEHASH = keccak256(
        "PatientSigner(bytes32 patientId,bytes key,uint48 deadline)"
    );
    bytes32 private constant GUARDIAN_TYPEHASH = keccak256(
        "PatientGuardian(bytes32 patientId,bytes key,uint48 deadline)"
    );
    bytes32 private constant DELEGATE_TYPEHASH = keccak256(
        "PatientDelegate(bytes32 patientId,bytes key,uint48 deadline)"
    );

    struct KeyOwner {
        bytes32 patientId;
        KeyUse use;
    }

    /// @inheritdoc IPatientRegistry
    address public immutable PASSKEY_VERIFIER;

    mapping(bytes32 patientId => Patient) internal _patients;
    mapping(bytes32 keyHash => KeyOwner) private _keyOwners;
    mapping(bytes32 patientId => mapping(uint32 epoch => mapping(bytes32 keyHash => bool)))
        private _guardians;
    mapping(bytes32 patientId => uint256 head) private _heads;

    constructor(address passkeyVerifier) {
        PASSKEY_VERIFIER = passkeyVerifier;
    }

    /// @inheritdoc IPatientRegistry
    function patientOf(bytes32 patientId) external view returns (Patient memory) {
        return _patients[patientId];
    }

    /// @inheritdoc IPatientRegistry
    function custodianOf(bytes32 patientId) external view returns (uint32 custodian) {
        return _known(patientId).custodian;
    }

    /// @inheritdoc IPatientRegistry
    function requireUnable(bytes32 patientId) external view returns (uint32 custodian) {
        Patient storage patient = _known(patientId);
        if (patient.condition == Condition.DEAD) revert PatientIsDead(patientId);
        if (patient.signer.length != 0 || _guardiansStand(patient)) revert PatientCanSign(patientId);
        // Who took the guardians away must not be the one who then loosens in their place.
        _requireLoosensNow(patient, patientId);
        custodian = patient.custodian;
    }

    /// @inheritdoc IPatientRegistry
    function patientOfKey(bytes calldata key) external view returns (bytes32 patientId, KeyUse use) {
        KeyOwner storage owner = _keyOwners[keccak256(key)];
        return (owner.patientId, owner.use);
    }

    /// @inheritdoc IPatientRegistry
    function isGuardian(bytes32 patientId, bytes calldata key) external view returns (bool) {
        return _guardians[patientId][_patients[patientId].guardianEpoch][keccak256(key)];
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
    ) external view returns (uint32 custodian, Actor actor) {
        Patient storage patient = _known(patientId);
        return (patient.custodian, _requireActor(patient, patientId, digest, signature));
    }

    /// @inheritdoc IPatientRegistry
    function requireLoosening(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (uint32 custodian, Actor actor) {
        Patient storage patient = _known(patientId);
        _requireLoosensNow(patient, patientId);
        return (patient.custodian, _requireActor(patient, patientId, digest, signature));
    }

    function _requireActor(
        Patient storage patient,
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (Actor) {
        if (patient.condition == Condition.CAPABLE) {
            bytes memory signer = patient.signer;
            if (signer.length != 0) {
                _requireSigned(patientId, signer, digest, signature);
                return Actor.PATIENT;
            }
        }
        _requireGuardians(patient, patientId, digest, signature);
        return Actor.GUARDIANS;
    }

    function _requireSigned(
        bytes32 patientId,
        bytes memory key,
        bytes32 digest,
        bytes calldata signature
    ) internal view {
        if (!SignatureChecker.isValidSignatureNow(key, digest, signature)) revert SignatureInvalid(patientId);
    }

    function _requireGuardians(
        Patient storage patient,
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) internal view {
        uint8 threshold = patient.threshold;
        if (threshold == 0) revert PatientHasNoSigner(patientId);
        if (!_guardiansStand(patient)) revert GuardiansExpired(patientId, patient.guardiansUntil);
        (bytes[] memory guardians, bytes[] memory signatures) = abi.decode(signature, (bytes[], bytes[]));
        if (guardians.length < threshold) revert GuardiansTooFew(guardians.length, threshold);
        mapping(bytes32 keyHash => bool) storage present = _guardians[patientId][patient.guardianEpoch];
        for (uint256 i = 0; i < guardians.length; ++i) {
            if (!present[keccak256(guardians[i])]) revert NotGuardian(patientId, guardians[i]);
        }
        // Also refuses one guardian twice.
        if (!SignatureChecker.areValidSignaturesNow(digest, guardians, signatures)) {
            revert SignatureInvalid(patientId);
        }
    }

    /// @dev One key, one patient, one use, for good: a key that served two would join their pseudonyms. Guardians and
    /// delegates of one patient may be named again.
    function _claim(bytes32 patientId, bytes memory key, KeyUse use) internal {
        _requireFree(patientId, key, use);

        _keyOwners[keccak256(key)] = KeyOwner(patientId, use);
    }

    function _requireFree(bytes32 patientId, bytes memory key, KeyUse use) private view {
        KeyOwner storage owner = _keyOwners[keccak256(key)];
        if (owner.use == KeyUse.NONE) return;
        bool again = owner.patientId == patientId && owner.use == use && use != KeyUse.SIGNER;
        if (!again) revert KeyInUse(key, owner.patientId);
    }

    function _requirePossession(
        bytes32 patientId,
        bytes memory key,
        KeyUse use,
        bytes calldata possession,
        uint48 deadline
    ) internal view {
        bool supported =
            key.length == ACCOUNT_LENGTH ||
                (key.length == PASSKEY_LENGTH && address(bytes20(key)) == PASSKEY_VERIFIER);
        if (!supported) revert KeyUnsupported(key);
        _requireInTime(deadline);
        _requireFree(patientId, key, use);
        bytes32 typeHash =
            use == KeyUse.SIGNER
                ? SIGNER_TYPEHASH
                : use == KeyUse.GUARDIAN
                    ? GUARDIAN_TYPEHASH
                    : DELEGATE_TYPEHASH;
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(typeHash, patientId, keccak256(key), deadline))
        );
        _requireSigned(patientId, key, digest, possession);
    }

    function _setGuardian(bytes32 patientId, uint32 epoch, bytes memory key) internal {
        _claim(patientId, key, KeyUse.GUARDIAN);
        _guardians[patientId][epoch][keccak256(key)] = true;
    }

    /// @dev The digest that Heads makes of a log: its topics, then the hash of its data.
    function _advance(bytes32 patientId, bytes32 eventDigest) internal {
        _heads[patientId] = Heads.advance(_heads[patientId], eventDigest);
    }

    function _known(bytes32 patientId) internal view returns (Patient storage patient) {
        patient = _patients[patientId];
        if (patient.custodian == 0) revert PatientUnknown(patientId);
    }

    function _guardiansStand(Patient storage patient) internal view returns (bool) {
        return patient.threshold != 0 && block.timestamp <= patient.guardiansUntil;
    }

    function _requireLoosensNow(Patient storage patient, bytes32 patientId) internal view {
        if (block.timestamp < patient.loosensFrom) revert LoosensLater(patientId, patient.loosensFrom);
    }

    function _requireInTime(uint48 deadline) internal view {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
    }
}
