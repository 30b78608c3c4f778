// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IPatientRegistry} from "../interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "../interfaces/IRecordRegistry.sol";
import {EntryStatus} from "../libraries/EntryStatus.sol";
import {Entry, Leaf} from "../libraries/Leaves.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";
import {RecordLog} from "./RecordLog.sol";

/// @title RecordHolds
/// @notice Legal hold (封存): custodian and patient together put entries beyond change, and together let them go.
abstract contract RecordHolds is RecordLog, EIP712 {
    uint256 private constant MOST_ENTRIES = 64;
    uint48 private constant SHORTEST_HOLD = 1 days;

    bytes32 private constant HOLD_TYPEHASH = keccak256(
        "Hold(bytes32 patientId,uint64[] indices,uint48 until,uint64 nonce,uint48 deadline)"
    );
    bytes32 private constant LIFT_TYPEHASH = keccak256(
        "HoldLift(bytes32 patientId,uint64[] indices,uint64 nonce,uint48 deadline)"
    );

    /// @notice Whose signature counts for a patient.
    IPatientRegistry public immutable PATIENT_REGISTRY;

    mapping(uint32 memberId => mapping(uint64 index => uint48 until)) private _holds;
    mapping(bytes32 patientId => uint64 nonce) private _nonces;

    constructor(IPatientRegistry patients) {
        PATIENT_REGISTRY = patients;
    }

    /// @inheritdoc IRecordRegistry
    function placeHold(
        Entry[] calldata entries,
        uint48 until,
        uint48 deadline,
        bytes calldata signature
    ) external {
        uint32 memberId = _operatorsMember();
        if (until < block.timestamp + SHORTEST_HOLD) revert HoldEndsTooSoon(until);
        (bytes32 patientId, bytes32 indices) = _requireOnePatients(memberId, entries, EntryStatus.WITHDRAWN);
        bytes32 structHash = keccak256(
            abi.encode(HOLD_TYPEHASH, patientId, indices, until, _takeNonce(patientId, deadline), deadline)
        );
        _requireCustodian(patientId, memberId);
        PATIENT_REGISTRY.requireSignature(patientId, _hashTypedDataV4(structHash), signature);

        for (uint256 i = 0; i < entries.length; ++i) {
            uint64 index = entries[i].leaf.index;
            // A shorter hold would be a lift, and that asks for more.
            uint48 present = _holds[memberId][index];
            if (until < present) revert HoldLasts(index, present);
            _holds[memberId][index] = until;
            _setFlag(memberId, index, EntryStatus.HELD);
            _advance(EntryHeld.selector, entries[i].leaf, abi.encode(until));

            emit EntryHeld(memberId, index, patientId, until);
        }
    }

    /// @inheritdoc IRecordRegistry
    function liftHold(Entry[] calldata entries, uint48 deadline, bytes calldata signature) external {
        if (entries.length == 0) revert NoEntries();
        uint32 memberId = entries[0].leaf.memberId;
        (bytes32 patientId, bytes32 indices) = _requireOnePatients(memberId, entries, 0);
        bytes32 structHash = keccak256(
            abi.encode(LIFT_TYPEHASH, patientId, indices, _takeNonce(patientId, deadline), deadline)
        );
        _requireCustodian(patientId, memberId);
        (, IPatientRegistry.Actor actor) = PATIENT_REGISTRY.requireLoosening(
            patientId,
            _hashTypedDataV4(structHash),
            signature
        );
        _requireLifter(memberId, actor);

        for (uint256 i = 0; i < entries.length; ++i) _lift(memberId, entries[i].leaf);
    }

    /// @inheritdoc IRecordRegistry
    function liftEndedHold(Entry[] calldata entries) external {
        if (entries.length == 0) revert NoEntries();
        uint32 memberId = entries[0].leaf.memberId;
        _requireOnePatients(memberId, entries, 0);

        for (uint256 i = 0; i < entries.length; ++i) {
            Leaf calldata leaf = entries[i].leaf;
            uint48 until = _holds[memberId][leaf.index];
            if (block.timestamp <= until) revert HoldLasts(leaf.index, until);
            _lift(memberId, leaf);
        }
    }

    /// @inheritdoc IRecordRegistry
    function holdUntil(uint32 memberId, uint64 index) external view returns (uint48) {
        return _holds[memberId][index];
    }

    /// @inheritdoc IRecordRegistry
    function nonceOf(bytes32 patientId) external view returns (uint64) {
        return _nonces[patientId];
    }

    function _lift(uint32 memberId, Leaf calldata leaf) private {
        if (_holds[memberId][leaf.index] == 0) revert NotHeld(leaf.index);
        _holds[memberId][leaf.index] = 0;
        _clearFlag(memberId, leaf.index, EntryStatus.HELD);
        _advance(HoldLifted.selector, leaf, "");

        emit HoldLifted(memberId, leaf.index, leaf.patientId);
    }

    function _takeNonce(bytes32 patientId, uint48 deadline) private returns (uint64) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        return _nonces[patientId]++;
    }

    /// @dev The custodian; or, when guardians or an estate ask, another member's reviewer in its stead.
    function _requireLifter(uint32 memberId, IPatientRegistry.Actor actor) private view {
        uint32 callersMember = MEMBERS.staffOf(msg.sender).memberId;
        if (callersMember == memberId) {
            _operatorsMember();
            return;
        }
        MEMBERS.authorizedSeasoned(msg.sender, Roles.REVIEWER, Suspension.REMOVED);
        if (actor != IPatientRegistry.Actor.GUARDIANS) revert NotLifter(msg.sender, callersMember);
    }

    function _requireCustodian(bytes32 patientId, uint32 memberId) internal view {
        if (PATIENT_REGISTRY.custodianOf(patientId) != memberId) revert NotCustodian(patientId, memberId);
    }

    /// @notice Reverts unless these are anchored records of one patient in one log, none with a flag of `forbidden`.
    /// @return patientId Whose they are.
    /// @return indices EIP-712 hash of their indices.
    function _requireOnePatients(
        uint32 memberId,
        Entry[] calldata entries,
        uint8 forbidden
    ) private view returns (bytes32 patientId, bytes32 indices) {
        uint256 count = entries.length;
        if (count == 0) revert NoEntries();
        if (count > MOST_ENTRIES) revert TooManyEntries(count, MOST_ENTRIES);
        patientId = entries[0].leaf.patientId;
        uint256[] memory all = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            Leaf calldata leaf = entries[i].leaf;
            uint8 status = _requireOwn(memberId, entries[i]);
            _requireRecord(leaf);
            if (leaf.patientId != patientId) revert PatientMismatch(leaf.patientId, patientId);
            if (status & forbidden != 0) revert StatusForbids(memberId, leaf.index, status);
            all[i] = leaf.index;
        }
        indices = keccak256(abi.encodePacked(all));
    }
}
