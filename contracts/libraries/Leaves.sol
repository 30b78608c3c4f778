// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LogTree} from "./LogTree.sol";

/// @notice One entry of a member's record log. Fixed words, so that its encoding has one form only.
struct Leaf {
    uint16 format; // 1
    uint32 memberId; // whose log it stands in: the custodian
    uint64 index; // from 1, dense, in that log
    uint8 kind; // Leaves.RECORD ...
    uint8 compartment; // 0 to 63; what a number means for this patient is not on chain
    uint32 recordedDay; // days since 1970-01-01 UTC
    bytes32 patientId; // the patient's pseudonym at this custodian
    uint32 patientSeq; // from 1, dense, per patient: a list with a hole shows
    bytes32 ref; // superseded index, terms hash, erased index or access id, by kind; else zero
    bytes32 contentDigest; // SHA-256 of the sealed record
    bytes32 salt; // random, so that no leaf can be guessed
}

/// @notice A leaf with its place in the log and the proof that it stands there.
struct Entry {
    Leaf leaf;
    uint64 firstIndex; // of the batch
    uint32 count; // entries in the batch
    bytes32[] proof; // RFC 9162 inclusion proof, lowest sibling first
}

/// @title Leaves
/// @notice Kinds of leaves, their hash and the check of their inclusion.
library Leaves {
    uint16 internal constant FORMAT = 1;

    uint8 internal constant RECORD = 0;
    uint8 internal constant CONSENT_DOCUMENT = 1;
    uint8 internal constant LEGAL_ORDER = 2;
    uint8 internal constant ACCESS_RECEIPT = 3;
    uint8 internal constant ERASURE_CERTIFICATE = 4;
    uint8 internal constant DURABILITY_REPORT = 5;

    /// @notice The leaf's format number is not one this contract reads.
    error LeafFormatUnsupported(uint16 format);
    /// @notice The proof does not lead from this leaf, at its index, to the anchored root of its batch.
    error ProofInvalid(uint32 memberId, uint64 index);

    /// @notice SHA-256(0x00 || the leaf's eleven words), RFC 9162, 2.1.1.
    /// @dev The words are hashed as they came. A word with bits outside its type cannot pass for another leaf: it
    /// hashes differently from the clean one, and reverts where its field is read.
    function hash(Leaf calldata leaf) internal view returns (bytes32 leafHash) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 0x00)
            // Eleven words, all static: 352 bytes.
            calldatacopy(add(input, 0x01), leaf, 0x160)
            // 0x02 is the SHA-256 precompile; it fails only for want of gas.
            if iszero(staticcall(gas(), 0x02, input, 0x161, 0x00, 0x20)) {
                revert(0, 0)
            }
            leafHash := mload(0x00)
        }
    }

    /// @notice Reverts unless `entry` stands under `root` at exactly its index.
    /// @dev The caller fetched `root` by (member, firstIndex, count) and checked that the index lies in the batch.
    function requireIncluded(Entry calldata entry, bytes32 root) internal view {
        Leaf calldata leaf = entry.leaf;
        if (leaf.format != FORMAT) revert LeafFormatUnsupported(leaf.format);

        bytes32 derived = LogTree.rootFrom(
            hash(leaf),
            leaf.index - entry.firstIndex,
            entry.count,
            entry.proof
        );
        if (derived != root) revert ProofInvalid(leaf.memberId, leaf.index);
    }
}
