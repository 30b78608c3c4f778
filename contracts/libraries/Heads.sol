// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Heads
/// @notice A patient's head in one slot: how many events concern him, and a rolling digest over them.
/// @dev Low 40 bits: count. High 216 bits: digest. Whoever holds a patient's logs recomputes the head from their raw
/// topics and data; a missing, altered or reordered one gives another head.
///   eventDigest = keccak256(topic 0 || topic 1 || ... || keccak256(data))
///   head' = keccak256(head || eventDigest) with its low 40 bits replaced by count + 1
library Heads {
    uint256 private constant COUNT_MASK = (1 << 40) - 1;

    /// @notice The head after one more event.
    function advance(uint256 head, bytes32 eventDigest) internal pure returns (uint256) {
        uint256 digest = uint256(keccak256(abi.encode(head, eventDigest)));
        return (digest & ~COUNT_MASK) | (count(head) + 1);
    }

    /// @notice How many events the head stands for.
    function count(uint256 head) internal pure returns (uint256) {
        return head & COUNT_MASK;
    }
}
