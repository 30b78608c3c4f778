// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Roles
/// @notice The bits of a staff account's roles.
library Roles {
    /// @dev Anchors batches, registers patients, marks entries.
    uint8 internal constant OPERATOR = 1 << 0;
    /// @dev Reads records.
    uint8 internal constant CLINICIAN = 1 << 1;
    /// @dev Reviews emergencies and countersigns for another member's patients.
    uint8 internal constant REVIEWER = 1 << 2;
    /// @dev Releases content keys after an access is logged.
    uint8 internal constant RELEASER = 1 << 3;
    /// @dev Every role there is.
    uint8 internal constant ALL = OPERATOR | CLINICIAN | REVIEWER | RELEASER;
}
