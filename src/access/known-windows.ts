// SPDX-License-Identifier: Apache-2.0
import { collectLogs, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { NODE_QUESTIONS, inParallel } from "./in-parallel.js";

/** Seconds for which an emergency counts against the quotas. */
const DAY = 24 * 3_600;

/** An emergency, as the quotas count it: opened on chain, or released while that was down. */
export interface KnownWindow {
  /** Unix seconds: when it was opened, or released. */
  at: number;
  /** Of the reader. */
  member: number;
  /** The two. */
  persons: [Hex, Hex];
}

/** The day's emergencies of every member that the node shows in this range; older ones are dropped. */
export async function updateWindows(
  chain: Chain,
  windows: Map<Hex, KnownWindow>,
  { fromBlock, toBlock, now }: { fromBlock: number; toBlock: number; now: number },
): Promise<void> {
  const { emergencies, deployment } = chain;
  const abi = emergencies.interface;
  const topics = [[abi.getEvent("GlassBroken").topicHash, abi.getEvent("LateReleaseFiled").topicHash]];
  const logs = await collectLogs(chain, { address: deployment.emergencies, topics, fromBlock, toBlock });
  const recent = logs
    .map((log) => {
      const { name, args } = abi.parseLog(log)!;
      const terms = args["terms"] as { notBefore: bigint } | undefined;
      const at = Number(name === "GlassBroken" ? terms!.notBefore : args["releasedAt"]);
      return { windowId: log.topics[1] as Hex, at };
    })
    .filter(({ at }) => at > now - DAY);
  await inParallel(recent, NODE_QUESTIONS, async ({ windowId, at }) => {
    const window = await chain.ask(() => emergencies.windowOf(windowId));
    const persons: [Hex, Hex] = [window.readerPerson as Hex, window.colleaguePerson as Hex];
    windows.set(windowId, { at, member: Number(window.memberId), persons });
  });
  for (const [windowId, { at }] of windows) if (at <= now - DAY) windows.delete(windowId);
}

/** How many of the last day's emergencies were a person's, or a member's. */
export function countToday(
  windows: Iterable<KnownWindow>,
  of: { personId: Hex } | { memberId: number },
  now: number,
): number {
  const today = [...windows].filter(({ at }) => at > now - DAY);
  return today.filter(({ member, persons }) =>
    "personId" in of ? persons.includes(of.personId) : member === of.memberId,
  ).length;
}
