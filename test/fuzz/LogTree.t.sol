// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LogTree} from "../../contracts/libraries/LogTree.sol";
import {check} from "./support/Check.sol";
import {ReferenceTree} from "./support/ReferenceTree.sol";

contract LogTreeCaller {
    function rootFrom(
        bytes32 leafHash,
        uint256 position,
        uint256 size,
        bytes32[] calldata proof
    ) external view returns (bytes32) {
        return LogTree.rootFrom(leafHash, position, size, proof);
    }
}

/// @notice The assembly verifier against the text of RFC 9162.
contract LogTreeTest {
    uint256 private constant MOST_LEAVES = 300;

    LogTreeCaller private immutable CALLER = new LogTreeCaller();

    struct Tree {
        bytes32[] leaves;
        uint256 position;
        bytes32 root;
        bytes32[] proof;
    }

    function testFuzz_theRightProofLeadsToTheRoot(uint256 seed) external view {
        Tree memory tree = _grow(seed);

        check(_rootFrom(tree, tree.position, tree.leaves.length) == tree.root, "right proof refused");
    }

    function testFuzz_aProofFitsNoOtherPosition(uint256 seed) external view {
        Tree memory tree = _grow(seed);
        uint256 size = tree.leaves.length;

        for (uint256 step = 0; step < 24; ++step) {
            // Near and far, and past the end.
            uint256 other =
                step < 12 ? (tree.position + 6 * size + step - 6) % size : _draw(seed, step, size + 4);
            if (other == tree.position) continue;

            check(_rootFrom(tree, other, size) != tree.root, "fits another position");
        }
    }

    /// @dev Position 0 of three and of four leaves have the same path, so size is bound by the caller's key, and by
    /// the proof only where the path's shape differs.
    function testFuzz_aProofFitsAnotherSizeOnlyWithTheSameShape(uint256 seed) external view {
        Tree memory tree = _grow(seed);
        uint256 size = tree.leaves.length;
        uint256 own = ReferenceTree.shape(tree.position, size);

        for (uint256 step = 0; step < 16; ++step) {
            uint256 other =
                step < 8 ? size + step - (size < 4 ? size - 1 : 4) : 1 + _draw(seed, step, MOST_LEAVES);
            bool sameShape = tree.position < other && ReferenceTree.shape(tree.position, other) == own;

            check((_rootFrom(tree, tree.position, other) == tree.root) == sameShape, "other size");
        }
    }

    function testFuzz_oneBitChangedIsRefused(uint256 seed) external view {
        Tree memory tree = _grow(seed);
        bytes32 bit = bytes32(1 << _draw(seed, 10, 256));
        bytes32 leaf = tree.leaves[tree.position];
        uint256 size = tree.leaves.length;

        check(CALLER.rootFrom(leaf ^ bit, tree.position, size, tree.proof) != tree.root, "changed leaf");

        for (uint256 i = 0; i < tree.proof.length; ++i) {
            tree.proof[i] ^= bit;
            check(_rootFrom(tree, tree.position, size) != tree.root, "changed sibling");
            tree.proof[i] ^= bit;
        }
    }

    function testFuzz_aMissingSiblingIsRefused(uint256 seed) external view {
        Tree memory tree = _grow(seed);
        uint256 steps = tree.proof.length;
        if (steps == 0) return;
        uint256 missing = _draw(seed, 10, steps);
        bytes32[] memory shorter = new bytes32[](steps - 1);
        for (uint256 i = 0; i < steps - 1; ++i) shorter[i] = tree.proof[i < missing ? i : i + 1];
        tree.proof = shorter;

        check(_rootFrom(tree, tree.position, tree.leaves.length) == 0, "missing sibling");
    }

    function testFuzz_anAdditionalSiblingIsRefused(uint256 seed) external view {
        Tree memory tree = _grow(seed);
        uint256 steps = tree.proof.length;
        uint256 place = _draw(seed, 10, steps + 1);
        // A random hash, zero, or one that is already in the proof.
        bytes32 sibling = [bytes32(seed), bytes32(0), steps == 0 ? bytes32(0) : tree.proof[steps - 1]][
            _draw(seed, 11, 3)
        ];
        bytes32[] memory longer = new bytes32[](steps + 1);
        for (uint256 i = 0; i <= steps; ++i) {
            longer[i] = i == place ? sibling : tree.proof[i < place ? i : i - 1];
        }
        tree.proof = longer;

        check(_rootFrom(tree, tree.position, tree.leaves.length) == 0, "additional sibling");
    }

    function testFuzz_swappedSiblingsAreRefused(uint256 seed) external view {
        Tree memory tree = _grow(seed);
        uint256 steps = tree.proof.length;
        if (steps < 2) return;
        uint256 a = _draw(seed, 10, steps);
        uint256 b = (a + 1 + _draw(seed, 11, steps - 1)) % steps;
        (tree.proof[a], tree.proof[b]) = (tree.proof[b], tree.proof[a]);

        check(_rootFrom(tree, tree.position, tree.leaves.length) != tree.root, "swapped siblings");
    }

    /// @dev Any position, size and proof at all: most of them belong to no tree.
    function testFuzz_anyInputGivesWhatTheTextSays(
        bytes32 leafHash,
        uint64 position,
        uint64 size,
        uint256 seed
    ) external view {
        uint256 bits = _draw(seed, 0, 65);
        size = uint64(size & ((1 << bits) - 1));
        if (size != 0 && _draw(seed, 1, 8) != 0) position %= size;
        // Half of the time the right length.
        uint256 steps =
            position < size && _draw(seed, 2, 2) == 0
                ? ReferenceTree.depth(position, size)
                : _draw(seed, 3, 70);
        bytes32[] memory proof = _hashes(seed, steps);

        bytes32 derived = CALLER.rootFrom(leafHash, position, size, proof);

        check(derived == ReferenceTree.rootFrom(leafHash, position, size, proof), "differs from the text");
    }

    /// @dev A batch counts in 32 bits; the verifier takes 256 and must come to an end with any of them.
    function testFuzz_theGreatestSizesComeToAnEnd(
        bytes32 leafHash,
        uint256 position,
        uint256 seed
    ) external view {
        uint256[4] memory sizes = [type(uint32).max, 1 << 32, type(uint64).max, type(uint256).max];
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint256 size = sizes[i];
            uint256[4] memory positions = [0, size - 1, size / 2, position % size];
            for (uint256 j = 0; j < positions.length; ++j) {
                // The reference doubles past 2^255, so it stops at 64 bits.
                uint256 steps = i < 3 ? ReferenceTree.depth(positions[j], size) : _draw(seed, j, 257);
                bytes32[] memory proof = _hashes(seed, steps);

                uint256 gasBefore = gasleft();
                bytes32 derived = CALLER.rootFrom(leafHash, positions[j], size, proof);

                check(gasBefore - gasleft() < 400_000, "too much gas");
                check(
                    i == 3 || derived == ReferenceTree.rootFrom(leafHash, positions[j], size, proof),
                    "differs from the text"
                );
            }
        }
    }

    function test_everyPlaceInEveryTreeUpTo40Leaves() external view {
        for (uint256 size = 1; size <= 40; ++size) {
            bytes32[] memory leaves = _hashes(size, size);
            bytes32 root = ReferenceTree.root(leaves, 0, size);
            for (uint256 position = 0; position < size; ++position) {
                bytes32[] memory proof = ReferenceTree.path(position, leaves, 0, size);
                check(
                    CALLER.rootFrom(leaves[position], position, size, proof) == root,
                    "right proof refused"
                );
            }
        }
    }

    function _rootFrom(Tree memory tree, uint256 position, uint256 size) private view returns (bytes32) {
        return CALLER.rootFrom(tree.leaves[tree.position], position, size, tree.proof);
    }

    /// @dev Small sizes, powers of two and their neighbours come more often than chance would have them.
    function _grow(uint256 seed) private pure returns (Tree memory tree) {
        uint256 size = 1 + _draw(seed, 0, [uint256(MOST_LEAVES), 8, 40][_draw(seed, 1, 3)]);
        if (_draw(seed, 2, 4) == 0) size = (1 << (1 + _draw(seed, 3, 8))) + _draw(seed, 4, 3) - 1;
        tree.leaves = _hashes(seed, size);
        tree.position = [_draw(seed, 5, size), size - 1, 0][_draw(seed, 6, 5) / 2];
        tree.root = ReferenceTree.root(tree.leaves, 0, size);
        tree.proof = ReferenceTree.path(tree.position, tree.leaves, 0, size);
    }

    function _hashes(uint256 seed, uint256 count) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) hashes[i] = keccak256(abi.encode(seed, "leaf", i));
    }

    function _draw(uint256 seed, uint256 nth, uint256 below) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, nth))) % below;
    }
}
