// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, WITHDRAWN, collectLogs, type Chain } from "../chain/index.js";
import { LeafKind, type Leaf } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { Entries, type AnchoredEntry, type Journal, type JournalItem } from "../records/index.js";
import type { AccessEvent } from "./access-event.js";
import { NODE_QUESTIONS, inParallel } from "./in-parallel.js";
import { isIncluded, onChain } from "./on-chain.js";
import type { Permission } from "./permission.js";
import { refused } from "./refused.js";

/** An entry that an access reaches. */
export interface Releasable {
  item: JournalItem;
  entry: AnchoredEntry;
  /** Flags of EntryStatus.sol. */
  status: number;
}

export interface RecordParts {
  memberId: number;
  chain: Chain;
  journal: Journal;
}

/**
 * The entries that the access reaches, each checked against scope, terms, and its place and status on chain. Of what
 * was named, all must be; of a scope, what is not permitted is left out.
 * @throws ERR_CAPSULE_REFUSED, ERR_RPC_UNAVAILABLE, ERR_STORE_FAILED when the journal is not what was anchored
 */
export async function releasable(
  parts: RecordParts,
  access: AccessEvent,
  permission: Permission,
): Promise<Releasable[]> {
  const named = access.extent === "RECORDS";
  const entries = new Entries(parts.journal, parts.memberId);
  const within = itemsOf(parts, access).filter((item) => {
    const leaf = entries.leaf(item);
    const reason = outside(leaf, access, permission);
    if (reason !== undefined && named) throw refused(access, `entry ${leaf.index} ${reason}`);
    return reason === undefined;
  });
  const found = within.map((item) => ({ item, entry: entries.of(item) }));
  const checked = await inParallel(found, NODE_QUESTIONS, async ({ item, entry }) => {
    return { item, entry, status: await anchoredStatus(parts, entry) };
  });
  const withdrawn = checked.find(isWithdrawn);
  if (named && withdrawn !== undefined)
    throw refused(access, `entry ${withdrawn.entry.leaf.index} was withdrawn`);
  return checked.filter((entry) => !isWithdrawn(entry));
}

/**
 * Those of `checked` that may still be given. What stands in the log is not proven again: one question tells what was
 * withdrawn on chain, however many they are.
 * @param since Block before which nothing has to be looked for: they were checked after it
 * @throws ERR_RPC_UNAVAILABLE
 */
export async function stillReleasable(
  parts: RecordParts,
  access: AccessEvent,
  permission: Permission,
  { checked, since }: { checked: readonly Releasable[]; since: number },
): Promise<Releasable[]> {
  const gone = await withdrawnSince(parts, since);
  return checked.filter(({ entry, status }) => {
    const { leaf } = entry;
    if (gone.has(leaf.index) || outside(leaf, access, permission) !== undefined) return false;
    const item = parts.journal.itemAt(leaf.index);
    return item !== undefined && !isWithdrawn({ item, entry, status });
  });
}

/** Log indices of the member's entries that were retracted or erased on chain, from this block on. */
async function withdrawnSince({ chain, memberId }: RecordParts, fromBlock: number): Promise<Set<number>> {
  const { interface: abi } = chain.records;
  const events = (["EntryRetracted", "EntryErased"] as const).map((name) => abi.getEvent(name).topicHash);
  const [, ofMember] = abi.encodeFilterTopics("EntryErased", [memberId]) as string[];
  const filter = { address: chain.deployment.records, topics: [events, ofMember!], fromBlock };
  const logs = await collectLogs(chain, filter);
  return new Set(logs.map(({ topics }) => Number(topics[2])));
}

/** On chain, or by its source: the chain hears of that later, and not while the entry is under legal hold. */
function isWithdrawn({ item, status }: Releasable): boolean {
  return (status & WITHDRAWN) !== 0 || (item.withdrawn !== undefined && (status & ENTRY_STATUS.HELD) === 0);
}

function itemsOf({ journal }: RecordParts, access: AccessEvent): JournalItem[] {
  if (access.scope !== undefined) {
    requireWhole(journal, access, access.scope.upTo);
    return journal.itemsOfPatient(access.patientId, access.scope.upTo);
  }
  return access.indices.map((index) => {
    const item = journal.itemAt(index);
    if (item !== undefined) return item;
    throw new ChartsealError(
      "ERR_STORE_FAILED",
      `the journal does not hold entry ${index}, which is anchored`,
      {
        values: { accessId: access.accessId, index },
        hint: "run `chartseal doctor`",
      },
    );
  });
}

/** A journal that is behind its log, as a copy may be, would leave entries out without a word. */
function requireWhole(journal: Journal, { accessId }: AccessEvent, upTo: number): void {
  const newest = journal.newestAnchored();
  const last = newest === undefined ? 0 : newest.firstIndex + newest.count - 1;
  if (last >= upTo) return;
  throw new ChartsealError(
    "ERR_STORE_FAILED",
    `the journal ends at entry ${last}, the access reaches to ${upTo}`,
    {
      values: { accessId, last, upTo },
      hint: "wait until what is anchored is in the journal, or bring a newer copy to this agent",
      retryable: true,
    },
  );
}

function outside(leaf: Leaf, access: AccessEvent, permission: Permission): string | undefined {
  const { scope } = access;
  const { compartments, recordedFrom, recordedTo } = permission;
  const permitted = scope === undefined ? compartments : compartments & scope.compartments;
  const from = Math.max(recordedFrom, scope?.recordedFrom ?? 0);
  const to = Math.min(recordedTo, scope?.recordedTo ?? recordedTo);
  if (leaf.patientId !== access.patientId) return "is another patient's";
  if (leaf.kind !== LeafKind.RECORD) return "is no record";
  if (((permitted >> BigInt(leaf.compartment)) & 1n) === 0n)
    return "is in a compartment that is not permitted";
  if (leaf.recordedDay < from || leaf.recordedDay > to) return "is of a day that is not permitted";
  return undefined;
}

/** Whoever can write the journal could else have one patient's record released under another's grant. */
async function anchoredStatus({ chain }: RecordParts, entry: AnchoredEntry): Promise<number> {
  const { root, status } = await onChain(chain, entry.leaf, entry);
  if (isIncluded(entry, root)) return status;
  const { index } = entry.leaf;
  throw new ChartsealError(
    "ERR_STORE_FAILED",
    `the journal's entry ${index} is not the one that was anchored`,
    {
      values: { index },
      hint: "the journal was altered, or is another member's; run `chartseal doctor`",
    },
  );
}
