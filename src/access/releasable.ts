// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, WITHDRAWN, type Chain } from "../chain/index.js";
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
