// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice RFC 9162, 2.1.1 and 2.1.3, written as the text says it: recursive, without a thought for gas.
library ReferenceTree {
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice MTH(D[from:to]), 2.1.1, over leaf hashes.
    function root(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 middle = from + largestPowerBelow(to - from);
        return node(root(leaves, from, middle), root(leaves, middle, to));
    }

    /// @notice PATH(m, D[from:to]), 2.1.3.1: sibling hashes, lowest first.
    function path(
        uint256 m,
        bytes32[] memory leaves,
        uint256 from,
        uint256 to
    ) internal pure returns (bytes32[] memory) {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = largestPowerBelow(to - from);
        return
            m < k
                ? append(path(m, leaves, from, from + k), root(leaves, from + k, to))
                : append(path(m - k, leaves, from + k, to), root(leaves, from, from + k));
    }

    /// @notice The root that a path of `m` in a tree of `size` leads to: 2.1.3.1 read from its end. Zero when the
    /// path has not the length that `m` and `size` demand.
    function rootFrom(
        bytes32 leafHash,
        uint256 m,
        uint256 size,
        bytes32[] memory proof
    ) internal pure returns (bytes32) {
        if (m >= size || proof.length != depth(m, size)) return 0;
        return climb(leafHash, m, size, proof, proof.length);
    }

    /// @notice Length of PATH(m, D[0:size]).
    function depth(uint256 m, uint256 size) internal pure returns (uint256) {
        if (size == 1) return 0;
        uint256 k = largestPowerBelow(size);
        return 1 + (m < k ? depth(m, k) : depth(m - k, size - k));
    }

    /// @notice Which steps of PATH(m, D[0:size]) have the sibling on the left: bit n for step n, above them a one.
    /// Two places of one shape hash alike; no other two do.
    function shape(uint256 m, uint256 size) internal pure returns (uint256) {
        if (size == 1) return 1;
        uint256 k = largestPowerBelow(size);
        uint256 below = m < k ? shape(m, k) : shape(m - k, size - k);
        uint256 top = 1 << depth(m, size);
        return m < k ? (below ^ (top >> 1)) | top : below | top;
    }

    function climb(
        bytes32 leafHash,
        uint256 m,
        uint256 size,
        bytes32[] memory proof,
        uint256 steps
    ) private pure returns (bytes32) {
        if (size == 1) return leafHash;
        uint256 k = largestPowerBelow(size);
        return
            m < k
                ? node(climb(leafHash, m, k, proof, steps - 1), proof[steps - 1])
                : node(proof[steps - 1], climb(leafHash, m - k, size - k, proof, steps - 1));
    }

    function append(bytes32[] memory list, bytes32 item) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) longer[i] = list[i];
        longer[list.length] = item;
    }

    /// @dev "the largest power of two smaller than n".
    function largestPowerBelow(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k < n - k) k *= 2;
    }
}
