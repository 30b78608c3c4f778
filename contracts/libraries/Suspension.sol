// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Suspension
/// @notice The bits of a member's suspension. None set: the member takes part in full.
library Suspension {
    /// @dev Its staff may not request access.
    uint8 internal constant READING = 1 << 0;
    /// @dev Its staff may not anchor, register patients or mark entries.
    uint8 internal constant WRITING = 1 << 1;
    /// @dev It left the consortium, for good.
    uint8 internal constant REMOVED = 1 << 2;
}
