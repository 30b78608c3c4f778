// SPDX-License-Identifier: Apache-2.0
import { toBeHex, type Log } from "ethers";
import { advanceHead, headCount, headOfLogs } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { AuditHead, HeadFinding, Parting } from "./audit.js";
import { ENGLISH } from "./messages.js";
import type { Registry } from "./place.js";

/** A log as far as a head and its place need it. */
export type PlacedLog = Pick<Log, "topics" | "data" | "blockNumber" | "index">;

export interface HeadComparison {
  registry: Registry;
  /** The patient's events in the order in which the node showed them. */
  logs: readonly PlacedLog[];
  /** The contract's head at `block`. */
  head: bigint;
  block: number;
  /** The contract's head at the end of an earlier block. */
  headAt: (block: number) => Promise<bigint>;
}

/** Recomputes a head from a patient's events and says what differs. */
export async function compareHead(comparison: HeadComparison): Promise<AuditHead> {
  const { registry, logs, head } = comparison;
  const finding = findingOf(logs, head);
  // Put in order, reordered events agree everywhere: there is no place to name.
  const placed = finding !== "EQUAL" && finding !== "REORDERED";
  const parting = placed ? await partingOf(comparison) : undefined;
  const found = { finding, events: logs.length, count: Number(headCount(head)) };
  const where = parting === undefined ? {} : { parting };
  return {
    registry,
    ...found,
    head: toBeHex(head, 32) as Hex,
    complete: finding === "EQUAL",
    ...where,
    detail: ENGLISH.head({ ...found, ...where }),
  };
}

function findingOf(logs: readonly PlacedLog[], head: bigint): HeadFinding {
  if (headOfLogs(logs) === head) return "EQUAL";
  const count = Number(headCount(head));
  if (logs.length < count) return "MISSING";
  if (logs.length > count) return "SURPLUS";
  const ordered = [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  return headOfLogs(ordered) === head ? "REORDERED" : "ALTERED";
}

/**
 * Finds the first block at whose end shown events and chain differ, by bisection over the blocks that hold events.
 * A node keeps the state of recent blocks, often not of old ones: what it cannot say counts as not known to agree.
 */
async function partingOf({ logs, block, headAt }: HeadComparison): Promise<Parting | undefined> {
  const steps = [...prefixes(logs, block)];
  let before = -1; // agrees, or the node does not know
  let agreed: (typeof steps)[number] | undefined;
  let differing = steps.length - 1; // the last is `block` itself, where they differ
  let forgotten = false;
  while (differing - before > 1) {
    const middle = (before + differing) >> 1;
    const step = steps[middle]!;
    const head = await knownHead(headAt, step.blockNumber);
    if (head !== undefined && head !== step.head) {
      differing = middle;
      continue;
    }
    before = middle;
    forgotten = head === undefined;
    agreed = forgotten ? undefined : step;
  }
  const differAt = steps[differing]!.blockNumber;
  if (agreed !== undefined) return { agreeing: agreed.events, agreeUntil: agreed.blockNumber, differAt };
  if (!forgotten) return { agreeing: 0, differAt };
  return differAt === block ? undefined : { differAt };
}

/** Undefined when the node no longer has that block's state. */
async function knownHead(headAt: HeadComparison["headAt"], block: number): Promise<bigint | undefined> {
  try {
    return await headAt(block);
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_CHAIN_REFUSED") return undefined;
    throw error;
  }
}

/** The head after each block's events, by rising block number. */
function* prefixes(logs: readonly PlacedLog[], end: number) {
  let head = 0n;
  let events = 0;
  const ordered = [...logs].sort((a, b) => a.blockNumber - b.blockNumber); // stable: a block's own order stays
  for (const [position, log] of ordered.entries()) {
    head = advanceHead(head, log);
    events++;
    const isLastOfBlock = ordered[position + 1]?.blockNumber !== log.blockNumber;
    if (isLastOfBlock && log.blockNumber < end) yield { blockNumber: log.blockNumber, head, events };
  }
  yield { blockNumber: end, head, events };
}
