// SPDX-License-Identifier: Apache-2.0
import { zeroPadValue } from "ethers";
import { collectLogs, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import type { Accessed, AuditEntry } from "./audit.js";

/** IMemberRegistry.RevocationReason. */
const KEY_COMPROMISED = 2n;

/**
 * Marks the accesses of accounts whose key was compromised, from then on: whoever had the key may have asked in the
 * clinician's name. No head covers revocations: a node can leave one out unseen.
 */
export async function markSuspect(
  chain: Chain,
  entries: readonly AuditEntry[],
  toBlock: number,
): Promise<void> {
  const accesses = entries.filter((entry): entry is Accessed => entry.kind === "access");
  const since = await compromisedSince(chain, [...new Set(accesses.map(({ reader }) => reader))], toBlock);
  for (const access of accesses) {
    const from = since.get(access.reader);
    if (from !== undefined && access.at >= from) access.suspectSince = from;
  }
}

/** By account, the earliest time that a revocation names. */
async function compromisedSince(chain: Chain, accounts: readonly Hex[], toBlock: number) {
  const since = new Map<Hex, number>();
  if (accounts.length === 0) return since;
  const { interface: abi } = chain.members;
  const topics = [
    abi.getEvent("StaffRevoked").topicHash,
    null,
    accounts.map((account) => zeroPadValue(account, 32)),
  ];
  for (const log of await collectLogs(chain, { address: chain.deployment.members, topics, toBlock })) {
    const args = abi.parseLog(log)?.args;
    if (args === undefined || args["reason"] !== KEY_COMPROMISED) continue;
    const account = (args["account"] as string).toLowerCase() as Hex;
    const from = Number(args["since"]);
    since.set(account, Math.min(from, since.get(account) ?? from));
  }
  return since;
}
