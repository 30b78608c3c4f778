// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title LogTree
/// @notice Inclusion proofs of RFC 9162 (Certificate Transparency 2.0) with SHA-256.
/// @dev Position and tree size come from the caller's own knowledge of the batch, never from the prover: a proof
/// that would only fit another position or another size fails.
library LogTree {
    /// @notice Root that `proof` leads to from `leafHash`.
    /// @dev RFC 9162, 2.1.3.2. Returns zero when the position lies outside the tree, or when the proof is longer or
    /// shorter than position and size demand; no SHA-256 output is known to be zero, so zero never equals a root.
    /// @param leafHash SHA-256(0x00 || leaf).
    /// @param position Zero-based place of the leaf in its tree.
    /// @param size Number of leaves in the tree.
    /// @param proof Sibling hashes, lowest first.
    function rootFrom(
        bytes32 leafHash,
        uint256 position,
        uint256 size,
        bytes32[] calldata proof
    ) internal view returns (bytes32 root) {
        if (position >= size) return 0;

        // In assembly because every hash runs here: ten steps cost a tenth of a request's gas.
        assembly ("memory-safe") {
            // 0x01 || left || right, past the free memory pointer, which stays where it is.
            let input := mload(0x40)
            mstore8(input, 0x01)
            let left := add(input, 0x01)
            let right := add(input, 0x21)
            let last := sub(size, 1)
            let sibling := proof.offset
            let end := add(sibling, shl(5, proof.length))
            // The running hash lies in scratch space, where the precompile writes it.
            mstore(0x00, leafHash)
            // Ends early, before the proof's end, when the proof is too long.
            for {} and(lt(sibling, end), gt(last, 0)) {
                sibling := add(sibling, 0x20)
            } {
                switch or(and(position, 1), eq(position, last))
                case 0 {
                    mstore(left, mload(0x00))
                    mstore(right, calldataload(sibling))
                }
                default {
                    mstore(left, calldataload(sibling))
                    mstore(right, mload(0x00))
                    // The last leaf of a level without a sibling climbs to the level where it has one.
                    for {} iszero(or(and(position, 1), iszero(position))) {} {
                        position := shr(1, position)
                        last := shr(1, last)
                    }
                }
                // 0x02 is the SHA-256 precompile; it fails only for want of gas.
                if iszero(staticcall(gas(), 0x02, input, 0x41, 0x00, 0x20)) {
                    revert(0, 0)
                }
                position := shr(1, position)
                last := shr(1, last)
            }

            // Neither cut short nor too long: then the root is what was computed.
            if and(eq(sibling, end), iszero(last)) {
                root := mload(0x00)
            }
        }
    }
}
