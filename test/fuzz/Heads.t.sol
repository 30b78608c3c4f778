// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Heads} from "../../contracts/libraries/Heads.sol";
import {check} from "./support/Check.sol";

contract HeadsTest {
    uint256 private constant COUNTS = 2 ** 40;

    function testFuzz_oneMoreEventCountsOne(uint256 head, bytes32 eventDigest) external pure {
        head = _countable(head);

        check(Heads.count(Heads.advance(head, eventDigest)) == (head % COUNTS) + 1, "count");
    }

    function testFuzz_theDigestIsTheHighBitsOfTheHashOverHeadAndEvent(
        uint256 head,
        bytes32 eventDigest
    ) external pure {
        head = _countable(head);
        uint256 digest = uint256(keccak256(bytes.concat(bytes32(head), eventDigest)));

        check(Heads.advance(head, eventDigest) / COUNTS == digest / COUNTS, "digest");
    }

    function testFuzz_everyBitOfHeadAndEventCounts(
        uint256 head,
        bytes32 eventDigest,
        uint8 bit
    ) external pure {
        uint256 next = Heads.advance(head, eventDigest) / COUNTS;

        check(next != Heads.advance(head ^ (1 << bit), eventDigest) / COUNTS, "head");
        check(next != Heads.advance(head, eventDigest ^ bytes32(1 << bit)) / COUNTS, "event");
    }

    function testFuzz_orderCounts(uint256 head, bytes32 a, bytes32 b) external pure {
        if (a == b) return;

        check(Heads.advance(Heads.advance(head, a), b) != Heads.advance(Heads.advance(head, b), a), "order");
    }

    function test_anEmptyListIsZeroAndCountsNothing() external pure {
        check(Heads.count(0) == 0, "count");
        check(Heads.advance(0, 0) != 0, "advanced");
    }

    /// @dev No patient comes to 2^40 events.
    function _countable(uint256 head) private pure returns (uint256) {
        return head % COUNTS == COUNTS - 1 ? head - 1 : head;
    }
}
