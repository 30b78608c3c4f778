// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ConsentTerms, Terms} from "../../contracts/libraries/ConsentTerms.sol";
import {Entry, Leaf, Leaves} from "../../contracts/libraries/Leaves.sol";
import {Broken, check} from "./support/Check.sol";

contract HashCaller {
    using ConsentTerms for Terms;
    using Leaves for Entry;
    using Leaves for Leaf;

    function leafHash(Leaf calldata leaf) external view returns (bytes32) {
        return leaf.hash();
    }

    function termsHash(Terms calldata terms) external pure returns (bytes32) {
        return terms.hash();
    }

    function requireIncluded(Entry calldata entry, bytes32 root) external view {
        entry.requireIncluded(root);
    }
}

/// @notice The hashes in assembly against the plain ones of the formats.
contract HashesTest {
    bytes private constant TERMS_TYPE =
        "Terms(uint16 format,bytes32 patientId,uint32 grantee,uint64 compartments,uint16 purposes,uint48 notBefore,uint48 notAfter,uint32 recordedFrom,uint32 recordedTo,bytes32 salt)";

    HashCaller private immutable CALLER = new HashCaller();

    function testFuzz_leafHashIsSha256OfZeroAndTheEncodedLeaf(Leaf calldata leaf) external view {
        bytes memory words = abi.encode(leaf);

        check(words.length == 352, "a leaf is eleven words");
        check(CALLER.leafHash(leaf) == sha256(abi.encodePacked(bytes1(0x00), words)), "leaf hash");
    }

    function testFuzz_termsHashIsTheStructHashOfEip712(Terms calldata terms) external view {
        bytes memory words = abi.encode(keccak256(TERMS_TYPE), terms);

        check(words.length == 352, "type hash and ten words");
        check(CALLER.termsHash(terms) == keccak256(words), "terms hash");
    }

    /// @dev `word` of the calldata with one of its 256 bits turned: inside or outside its type.
    function testFuzz_everyBitOfALeafCounts(Leaf calldata leaf, uint256 word, uint8 bit) external view {
        bytes memory call = abi.encodeCall(HashCaller.leafHash, (leaf));
        _flip(call, word % 11, bit);

        (bool ok, bytes memory answer) = address(CALLER).staticcall(call);

        check(!ok || abi.decode(answer, (bytes32)) != CALLER.leafHash(leaf), "two leaves of one hash");
    }

    function testFuzz_everyBitOfTermsCounts(Terms calldata terms, uint256 word, uint8 bit) external view {
        bytes memory call = abi.encodeCall(HashCaller.termsHash, (terms));
        _flip(call, word % 10, bit);

        (bool ok, bytes memory answer) = address(CALLER).staticcall(call);

        check(!ok || abi.decode(answer, (bytes32)) != CALLER.termsHash(terms), "two terms of one hash");
    }

    /// @dev Whatever follows the words, and wherever they lie in memory or calldata, the hash is of the words.
    function testFuzz_bytesBehindTheWordsDoNotCount(Leaf calldata leaf, bytes calldata tail) external view {
        (, bytes memory answer) = address(CALLER).staticcall(
            abi.encodePacked(abi.encodeCall(HashCaller.leafHash, (leaf)), tail)
        );

        check(abi.decode(answer, (bytes32)) == CALLER.leafHash(leaf), "tail counts");
    }

    function testFuzz_aBatchOfOneIsItsLeaf(Leaf memory leaf, uint16 format, bytes32 other) external view {
        leaf.format = 1;
        bytes32 root = sha256(abi.encodePacked(bytes1(0x00), abi.encode(leaf)));
        Entry memory entry = Entry(leaf, leaf.index, 1, new bytes32[](0));

        CALLER.requireIncluded(entry, root);

        if (other != root) {
            _requireRefused(
                entry,
                other,
                abi.encodeWithSelector(Leaves.ProofInvalid.selector, leaf.memberId, leaf.index)
            );
        }
        if (format != 1) {
            leaf.format = format;
            root = sha256(abi.encodePacked(bytes1(0x00), abi.encode(leaf)));
            _requireRefused(
                entry,
                root,
                abi.encodeWithSelector(Leaves.LeafFormatUnsupported.selector, format)
            );
        }
    }

    function _requireRefused(Entry memory entry, bytes32 root, bytes memory reason) private view {
        try CALLER.requireIncluded(entry, root) {
            revert Broken("accepted");
        } catch (bytes memory refusal) {
            check(keccak256(refusal) == keccak256(reason), "refused for another reason");
        }
    }

    function _flip(bytes memory call, uint256 word, uint8 bit) private pure {
        uint256 place = 4 + word * 32 + bit / 8;
        call[place] ^= bytes1(uint8(1 << (bit % 8)));
    }
}
