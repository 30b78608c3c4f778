// SPDX-License-Identifier: Apache-2.0
import { toBeHex, type Log } from "ethers";
import { LONGEST_KNOWN, REDEEMABLE_SECONDS } from "../access/index.js";
import { collectLogs, type Chain } from "../chain/index.js";
import type { AuditEntry, Lookup } from "./audit.js";
import { blockTime } from "./read-patients.js";
import type { SuspectKey } from "./suspicion.js";

/** A key that was withdrawn as compromised, and when agents sealed to it. */
type WithdrawnKey = Omit<SuspectKey, "role"> & { publishedAt: number; withdrawnAt: number };

/** To which member's key something was sealed: unix seconds, both ends inclusive. */
interface Sealed {
  member: number;
  /** When it was sealed. */
  from: number;
  to: number;
  /** Seconds by which the agent's knowledge of the newest key may have been old. */
  lag: number;
}

/**
 * Marks what may have been sealed to a member key from when on that was compromised. No event says to which: an access
 * is answered within {@link REDEEMABLE_SECONDS}, to the key of that time.
 */
export async function markSuspectKeys(
  chain: Chain,
  entries: readonly (AuditEntry | Lookup)[],
  toBlock: number,
): Promise<void> {
  const releases = entries.flatMap((entry) => {
    const sealed = sealedOf(entry);
    return sealed === undefined ? [] : [{ entry, sealed }];
  });
  const keys = await withdrawnKeys(chain, [...new Set(releases.map(({ sealed }) => sealed.member))], toBlock);
  for (const { entry, sealed } of releases) {
    const suspects = keys
      .filter((key) => mayBeSealedTo(key, sealed))
      .map(({ member, epoch, since }): SuspectKey => ({ role: "MEMBER_KEY", member, epoch, since }));
    if (suspects.length > 0) entry.suspects = [...(entry.suspects ?? []), ...suspects];
  }
}

/** Undefined when nothing was sealed to a member's key. */
function sealedOf(entry: AuditEntry | Lookup): Sealed | undefined {
  if (entry.kind === "access") {
    // A patient who asked for his own records is of no member.
    if (entry.memberId === 0) return undefined;
    return { member: entry.memberId, from: entry.at, to: entry.at + REDEEMABLE_SECONDS, lag: 0 };
  }
  if (entry.kind !== "glass-late" || entry.member === undefined) return undefined;
  const released = Math.floor(Date.parse(entry.details.released ?? "") / 1000);
  return { member: entry.member, from: released, to: released, lag: LONGEST_KNOWN };
}

function mayBeSealedTo(key: WithdrawnKey, { member, from, to, lag }: Sealed): boolean {
  const { publishedAt, withdrawnAt, since } = key;
  return key.member === member && to >= Math.max(publishedAt, since) && from - lag <= withdrawnAt;
}

async function withdrawnKeys(
  chain: Chain,
  members: readonly number[],
  toBlock: number,
): Promise<WithdrawnKey[]> {
  if (members.length === 0) return [];
  const { interface: abi } = chain.members;
  const ids = members.map((member) => toBeHex(member, 32));
  const read = async (name: "KeyWithdrawn" | "KeyPublished", of: typeof ids) => {
    const topics = [abi.getEvent(name).topicHash, of];
    return await collectLogs(chain, { address: chain.deployment.members, topics, toBlock });
  };
  const withdrawn = await read("KeyWithdrawn", ids);
  if (withdrawn.length === 0) return [];
  const published = await read("KeyPublished", [...new Set(withdrawn.map(({ topics }) => topics[1]!))]);
  const times = new Map<number, number>();
  const timeOf = async (log: Log | undefined) =>
    log === undefined ? 0 : await blockTime(chain, log.blockNumber, times);
  const keys: WithdrawnKey[] = [];
  for (const log of withdrawn) {
    const [, member, epoch] = log.topics as [string, string, string];
    const first = published.find(({ topics }) => topics[1] === member && topics[2] === epoch);
    keys.push({
      member: Number(member),
      epoch: Number(epoch),
      since: Number(abi.parseLog(log)!.args["since"]),
      publishedAt: await timeOf(first),
      withdrawnAt: await timeOf(log),
    });
  }
  return keys;
}
