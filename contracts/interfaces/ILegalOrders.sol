// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../libraries/ConsentTerms.sol";
import {Cosigner} from "../libraries/Cosigners.sol";
import {Entry} from "../libraries/Leaves.sol";

/// @title ILegalOrders
/// @notice Orders of a court or of public health: terms that stand above the patient's directive, entered by two
/// REVIEWERs of different members, each with its document in the custodian's log.
interface ILegalOrders {
    struct Order {
        uint32 custodian; // member id, the patient's; 0: no such order
        uint48 enteredAt; // Unix seconds
        uint48 liftedAt; // Unix seconds; 0: not lifted
    }

    /// @notice An order was entered.
    event OrderEntered(
        bytes32 indexed patientId,
        bytes32 indexed termsHash,
        uint32 indexed grantee,
        Terms terms,
        address first,
        address second,
        uint64 documentIndex,
        uint48 enteredAt
    );
    /// @notice An order was lifted before its end.
    event OrderLifted(
        bytes32 indexed patientId,
        bytes32 indexed termsHash,
        address first,
        address second,
        uint48 liftedAt
    );

    error OrderAlreadyEntered(bytes32 patientId, bytes32 termsHash);
    error OrderUnknown(bytes32 patientId, bytes32 termsHash);
    error OrderWasLifted(bytes32 patientId, bytes32 termsHash, uint48 liftedAt);
    error ReviewersOfOneMember(uint32 memberId);
    error DocumentMismatch(uint64 index, bytes32 ref);

    /// @notice Enters an order, once. By a REVIEWER, with a REVIEWER of another member.
    /// @param terms Their one purpose is HLEGAL.
    /// @param document LEGAL_ORDER of the patient in the custodian's log, `ref` the terms hash.
    /// @param second Signs OrderEntry(termsHash, first, deadline).
    /// @return termsHash Names the order from now on.
    function enter(
        Terms calldata terms,
        Entry calldata document,
        Cosigner calldata second
    ) external returns (bytes32 termsHash);

    /// @notice Ends an order, for good. By a REVIEWER, with a REVIEWER of another member.
    /// @param second Signs OrderLift(patientId, termsHash, first, deadline).
    function lift(bytes32 patientId, bytes32 termsHash, Cosigner calldata second) external;

    /// @notice The order; `custodian` is 0 if there is none.
    function orderOf(bytes32 patientId, bytes32 termsHash) external view returns (Order memory);

    /// @notice The patient's head: count and rolling digest of these events about him.
    function headOf(bytes32 patientId) external view returns (uint256);

    /// @notice Reverts unless the order was entered and not lifted.
    /// @dev What the terms themselves say is for the caller to check: see ConsentTerms.
    /// @return custodian Member id of the patient's custodian.
    function standingOf(bytes32 patientId, bytes32 termsHash) external view returns (uint32 custodian);
}
