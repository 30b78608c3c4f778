// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../interfaces/IPatientRegistry.sol";
import {PatientKeys} from "./PatientKeys.sol";

/// @title PatientProxies
/// @notice What who signs for a patient may change by himself: the key, guardians, delegates.
abstract contract PatientProxies is PatientKeys {
    uint256 private constant MOST_GUARDIANS = 8;

    bytes32 private constant ROTATION_TYPEHASH = keccak256(
        "SignerRotation(bytes32 patientId,bytes key,uint32 nonce,uint48 deadline)"
    );
    bytes32 private constant GUARDIAN_SET_TYPEHASH = keccak256(
        "GuardianSet(bytes32 patientId,bytes[] guardians,uint8 threshold,uint48 until,uint32 nonce,uint48 deadline)"
    );
    bytes32 private constant DELEGATION_TYPEHASH = keccak256(
        "Delegation(bytes32 patientId,bytes key,uint48 until,uint32 nonce,uint48 deadline)"
    );

    mapping(bytes32 patientId => mapping(bytes32 keyHash => uint48 until)) private _delegates;

    /// @inheritdoc IPatientRegistry
    function rotateSigner(
        bytes32 patientId,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline,
        bytes calldata signature
    ) external {
        (Patient storage patient, uint32 nonce) = _use(patientId, deadline);
        bytes32 structHash = keccak256(
            abi.encode(ROTATION_TYPEHASH, patientId, keccak256(signer), nonce, deadline)
        );
        Actor actor = _requireActor(patient, patientId, _hashTypedDataV4(structHash), signature);
        if (patient.condition == Condition.DEAD) revert PatientIsDead(patientId);
        // Guardians may give a first key; one that stands, only by a change that its holder can refuse.
        if (actor == Actor.GUARDIANS && patient.signer.length != 0) revert SignerStands(patientId);
        _requirePossession(patientId, signer, KeyUse.SIGNER, possession, deadline);
        _claim(patientId, signer, KeyUse.SIGNER);

        uint48 rotatedAt = uint48(block.timestamp);
        patient.signer = signer;
        _advance(
            patientId,
            keccak256(
                abi.encode(SignerRotated.selector, patientId, keccak256(abi.encode(signer, nonce, rotatedAt)))
            )
        );

        emit SignerRotated(patientId, signer, nonce, rotatedAt);
    }

    /// @inheritdoc IPatientRegistry
    function setGuardians(
        bytes32 patientId,
        GuardianSet calldata set,
        uint48 deadline,
        bytes calldata signature
    ) external {
        (Patient storage patient, uint32 nonce) = _use(patientId, deadline);
        bytes32 structHash = keccak256(
            abi.encode(
                GUARDIAN_SET_TYPEHASH,
                patientId,
                _hashOfAll(set.guardians),
                set.threshold,
                set.until,
                nonce,
                deadline
            )
        );
        _requireLoosensNow(patient, patientId);
        Actor actor = _requireActor(patient, patientId, _hashTypedDataV4(structHash), signature);
        if (set.guardians.length != 0) _requireWithinTerm(patient, patientId, actor, set.until);
        _requirePossessions(patientId, set, deadline);

        _appoint(patientId, set.guardians, set.threshold, set.until);
    }

    /// @inheritdoc IPatientRegistry
    function setDelegate(
        bytes32 patientId,
        bytes calldata delegate,
        uint48 until,
        bytes calldata possession,
        uint48 deadline,
        bytes calldata signature
    ) external {
        (Patient storage patient, uint32 nonce) = _use(patientId, deadline);
        bytes32 keyHash = keccak256(delegate);
        bytes32 structHash = keccak256(
            abi.encode(DELEGATION_TYPEHASH, patientId, keyHash, until, nonce, deadline)
        );
        Actor actor = _requireActor(patient, patientId, _hashTypedDataV4(structHash), signature);
        if (until >= block.timestamp) {
            _requireLoosensNow(patient, patientId);
            _requireWithinTerm(patient, patientId, actor, until);
            _requirePossession(patientId, delegate, KeyUse.DELEGATE, possession, deadline);
            _claim(patientId, delegate, KeyUse.DELEGATE);
        }

        uint48 setAt = uint48(block.timestamp);
        _delegates[patientId][keyHash] = until;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    DelegateSet.selector,
                    patientId,
                    keccak256(abi.encode(delegate, until, nonce, setAt))
                )
            )
        );

        emit DelegateSet(patientId, delegate, until, nonce, setAt);
    }

    /// @inheritdoc IPatientRegistry
    function delegateUntil(bytes32 patientId, bytes calldata key) external view returns (uint48) {
        return _delegates[patientId][keccak256(key)];
    }

    /// @inheritdoc IPatientRegistry
    function requireDelegate(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata delegate,
        bytes calldata signature,
        bool loosens
    ) external view returns (uint32 custodian) {
        Patient storage patient = _known(patientId);
        if (loosens) _requireLoosensNow(patient, patientId);
        // Whom a patient trusted while he lived does not act for his estate.
        if (patient.condition == Condition.DEAD) revert PatientIsDead(patientId);
        uint48 until = _delegates[patientId][keccak256(delegate)];
        if (block.timestamp > until) revert NotDelegate(patientId, delegate, until);
        _requireSigned(patientId, delegate, digest, signature);
        custodian = patient.custodian;
    }

    /// @dev Takes the patient's next nonce.
    function _use(
        bytes32 patientId,
        uint48 deadline
    ) internal returns (Patient storage patient, uint32 nonce) {
        patient = _known(patientId);
        _requireInTime(deadline);
        nonce = patient.nonce++;
    }

    function _requirePossessions(bytes32 patientId, GuardianSet calldata set, uint48 deadline) internal view {
        if (set.possessions.length != set.guardians.length) {
            revert GuardiansInvalid(set.guardians.length, set.threshold);
        }
        for (uint256 i = 0; i < set.guardians.length; ++i) {
            _requirePossession(patientId, set.guardians[i], KeyUse.GUARDIAN, set.possessions[i], deadline);
        }
    }

    /// @dev Guardians give nobody more time than they have.
    function _requireWithinTerm(
        Patient storage patient,
        bytes32 patientId,
        Actor actor,
        uint48 until
    ) private view {
        if (actor == Actor.GUARDIANS && until > patient.guardiansUntil) {
            revert GuardiansOutlasted(patientId, patient.guardiansUntil);
        }
    }

    /// @dev The set replaces the one before it as a whole: another epoch, other members.
    function _appoint(bytes32 patientId, bytes[] calldata guardians, uint8 threshold, uint48 until) internal {
        _requireSet(guardians, threshold, until);
        Patient storage patient = _patients[patientId];
        uint32 epoch = patient.guardianEpoch + 1;
        patient.guardianEpoch = epoch;
        patient.threshold = threshold;
        patient.guardiansUntil = until;
        for (uint256 i = 0; i < guardians.length; ++i) {
            _setGuardian(patientId, epoch, guardians[i]);
        }

        uint48 setAt = uint48(block.timestamp);
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    GuardiansSet.selector,
                    patientId,
                    uint256(epoch),
                    keccak256(abi.encode(guardians, threshold, until, setAt))
                )
            )
        );

        emit GuardiansSet(patientId, epoch, guardians, threshold, until, setAt);
    }

    /// @dev An empty set has threshold 0; any other has 1 to 8 different guardians, and lasts.
    function _requireSet(bytes[] calldata guardians, uint8 threshold, uint48 until) internal view {
        uint256 count = guardians.length;
        if (count > MOST_GUARDIANS || threshold > count || (count != 0 && threshold == 0)) {
            revert GuardiansInvalid(count, threshold);
        }
        if (count != 0) _requireInTime(until);
        for (uint256 i = 1; i < count; ++i) {
            // In rising order of their hashes, so that none counts twice.
            if (keccak256(guardians[i - 1]) >= keccak256(guardians[i]))
                revert GuardiansInvalid(count, threshold);
        }
    }

    /// @dev EIP-712 hash of a `bytes[]`.
    function _hashOfAll(bytes[] calldata items) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            hashes[i] = keccak256(items[i]);
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
