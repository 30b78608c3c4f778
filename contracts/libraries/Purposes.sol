// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Purposes
/// @notice Purposes of use, HL7 v3 ActReason codes by number. A set of them is a bitmap: bit n for purpose n.
library Purposes {
    uint8 internal constant TREAT = 0; // treatment
    uint8 internal constant ETREAT = 1; // emergency treatment
    uint8 internal constant CAREMGT = 2; // care management
    uint8 internal constant HPAYMT = 3; // healthcare payment
    uint8 internal constant HOPERAT = 4; // healthcare operations
    uint8 internal constant HRESCH = 5; // healthcare research
    uint8 internal constant PUBHLTH = 6; // public health
    uint8 internal constant PATRQT = 7; // the patient's own request
    uint8 internal constant HLEGAL = 8; // legal
    uint8 internal constant BTG = 9; // break the glass

    /// @dev Every purpose a patient's grant may name: PATRQT needs none, HLEGAL and BTG have rules of their own.
    uint16 internal constant GRANTABLE = (1 << 7) - 1;
    /// @dev The one purpose of a legal order.
    uint16 internal constant ORDERABLE = 1 << 8;
    /// @dev The one purpose of an emergency.
    uint16 internal constant EMERGENCY = 1 << 9;
}
