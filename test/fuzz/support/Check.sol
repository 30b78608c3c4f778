// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What a test expected and did not find.
error Broken(string what);

/// @notice Reverts unless `holds`.
function check(bool holds, string memory what) pure {
    if (!holds) revert Broken(what);
}
