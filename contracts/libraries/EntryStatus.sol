// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title EntryStatus
/// @notice The flags of a log entry. No flag removes a leaf: what was anchored stays provable.
library EntryStatus {
    /// @dev A later entry amends it. It stays readable as history.
    uint8 internal constant SUPERSEDED = 1 << 0;
    /// @dev Entered in error, for example under the wrong patient. No longer readable.
    uint8 internal constant RETRACTED = 1 << 1;
    /// @dev Under legal hold: cannot be superseded or erased.
    uint8 internal constant HELD = 1 << 2;
    /// @dev Its content key was destroyed.
    uint8 internal constant ERASED = 1 << 3;
    /// @dev Flags under which an entry can no longer be requested.
    uint8 internal constant WITHDRAWN = RETRACTED | ERASED;
}
