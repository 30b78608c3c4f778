// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, concat, keccak256 } from "ethers";

const COUNT_BITS = 40n;
const COUNT_MASK = (1n << COUNT_BITS) - 1n;

/** A log's part that a head covers. */
export interface HeadLog {
  readonly topics: readonly string[];
  readonly data: string;
}

/** A patient's head after one more event: Heads.sol, in TypeScript. */
export function advanceHead(head: bigint, log: HeadLog): bigint {
  const eventDigest = keccak256(concat([...log.topics, keccak256(log.data)]));
  const digest = BigInt(
    keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "bytes32"], [head, eventDigest])),
  );
  return (digest & ~COUNT_MASK) | (headCount(head) + 1n);
}

/** The head that a patient's logs, in chain order, lead to. */
export function headOfLogs(logs: Iterable<HeadLog>): bigint {
  let head = 0n;
  for (const log of logs) head = advanceHead(head, log);
  return head;
}

/** How many events a head stands for. */
export function headCount(head: bigint): bigint {
  return head & COUNT_MASK;
}
