// SPDX-License-Identifier: Apache-2.0
import { zeroPadValue } from "ethers";
import { collectLogs, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import type { Accessed, AuditEntry, Ground, Lookup } from "./audit.js";
import { groundsOf } from "./grounds.js";
import { markSuspectKeys } from "./suspect-keys.js";
import type { SuspectPerson, SuspectRole } from "./suspicion.js";

/** IMemberRegistry.RevocationReason. */
const KEY_COMPROMISED = 2n;

/** Somebody who signed for an event, or for what it rests on, and when the chain saw that. */
type Signer = Pick<SuspectPerson, "role" | "account"> & { at: number };

/**
 * Marks what rests on a key that was compromised by then: the reader's own, the colleague's of an emergency, a
 * witness's, a reviewer's or privacy officer's, and the member key to which a release was sealed. Of a late release the
 * chain knows when it was filed: when it was signed is the custodian's word. No head covers revocations and withdrawn
 * keys: a node can leave one out unseen.
 * @param patients All events of each patient, in chain order; or lookups
 */
export async function markSuspect(
  chain: Chain,
  patients: readonly (readonly (AuditEntry | Lookup)[])[],
  toBlock: number,
): Promise<void> {
  const signed = patients.flatMap((entries) => signersOf(entries));
  const accounts = signed.flatMap(({ signers }) => signers.map(({ account }) => account));
  const since = await compromisedSince(chain, [...new Set(accounts)], toBlock);
  for (const { entry, signers } of signed) {
    const suspects = signers.flatMap(({ role, account, at }) => {
      const from = since.get(account);
      return from === undefined || at < from ? [] : [{ role, account, since: from }];
    });
    if (suspects.length > 0) entry.suspects = suspects;
  }
  await markSuspectKeys(chain, patients.flat(), toBlock);
}

/** Who signed for each of a patient's events. */
function signersOf(entries: readonly (AuditEntry | Lookup)[]) {
  const grounds = groundsOf(entries.filter((entry) => entry.kind !== "lookup"));
  let paper: AuditEntry | undefined;
  return entries.map((entry): { entry: AuditEntry | Lookup; signers: Signer[] } => {
    if (entry.kind === "lookup") return { entry, signers: [readerOf(entry)] };
    if (entry.kind === "witnessed") paper = entry;
    // What two persons attested follows in the same transaction.
    const attested = isByWitnesses(entry) && paper?.transactionHash === entry.transactionHash;
    if (attested) return { entry, signers: namedIn(paper!) };
    if (entry.kind !== "access") return { entry, signers: namedIn(entry) };
    return { entry, signers: [readerOf(entry), ...signersOfGround(entry, grounds.get(entry.basisRef))] };
  });
}

function isByWitnesses(entry: AuditEntry): boolean {
  if (entry.kind === "grant-given") return entry.givenBy === "WITNESSES";
  if (entry.kind === "grant-revoked") return entry.revokedBy === "WITNESSES";
  return entry.kind === "directive-set" && entry.setBy === "WITNESSES";
}

function readerOf({ reader, at }: Accessed | Lookup): Signer {
  return { role: "READER", account: reader, at };
}

/** Who, beside the reader, signed for what an access rests on. */
function signersOfGround({ basis }: Accessed, ground: Ground | undefined): Signer[] {
  if (ground?.persons === undefined) return [];
  const [first, second] = ground.persons as [Hex, Hex];
  const signer = (role: SuspectRole, account: Hex): Signer => ({ role, account, at: ground.at });
  if (basis === "BREAK_GLASS") return [signer("COLLEAGUE", second)];
  const role = basis === "LEGAL_ORDER" ? "REVIEWER" : "WITNESS";
  return [signer(role, first), signer(role, second)];
}

/** Whom an act names. */
function namedIn(entry: AuditEntry): Signer[] {
  if (!("details" in entry)) return [];
  const { reader, first, second, reviewer, officer } = entry.details;
  const pair = entry.kind === "witnessed" ? "WITNESS" : "REVIEWER";
  const named: [SuspectRole, string | undefined][] = [
    ["READER", reader],
    [pair, first],
    // A reader's second is the colleague of an emergency.
    [reader === undefined ? pair : "COLLEAGUE", second],
    ["REVIEWER", reviewer],
    ["OFFICER", officer],
  ];
  return named.flatMap(([role, account]) =>
    account === undefined ? [] : [{ role, account: account as Hex, at: entry.at }],
  );
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
