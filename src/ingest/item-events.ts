// SPDX-License-Identifier: Apache-2.0
import { LeafKind, type Hex } from "../crypto/index.js";
import {
  EventState,
  ItemState,
  isAlteredRow,
  isBadItem,
  selectItems,
  type BadItem,
  type ItemEvent,
  type Journal,
  type JournalItem,
  type NewItem,
  type SourceItem,
} from "../records/index.js";

/** Runs of items, each up to one of which something follows for the next. */
export function upToEvents(group: readonly (SourceItem | BadItem)[]): (SourceItem | BadItem)[][] {
  const runs: (SourceItem | BadItem)[][] = [];
  for (const item of group) {
    const last = runs.at(-1);
    if (last === undefined || hasEvent(last.at(-1)!)) runs.push([item]);
    else last.push(item);
  }
  return runs;
}

export function hasEvent(item: SourceItem | BadItem): boolean {
  return !isBadItem(item) && item.event !== undefined;
}

/** Takes note of what follows of an item, in the commit that its row is written in. */
export function takeNote(journal: Journal, event: ItemEvent, row: NewItem): void {
  if (row.state === ItemState.DEAD) return;
  if (event.kind === "delete") withdrawKeys(journal, event.keys);
  else if (event.kind !== "withdraw") row.event = EventState.OPEN;
  // One that waits for its patient may not take back another's: it does so once it is filed.
  else if (row.state === ItemState.SEALED) {
    const { sourceMac, patient } = row;
    const { withdrawn, open } = withdrawFor(journal, { sourceMac, patientId: patient?.patientId }, event);
    delete row.amends;
    if (withdrawn !== undefined) row.withdrawn = withdrawn;
    if (open) row.event = EventState.OPEN;
  }
}

/**
 * Takes back what was taken under an item's source key, and with `itself` the item. Under a key of before only what is
 * the same patient's: the item was held against the newest version alone.
 * @returns the item's own withdrawal; `open` when what it takes back was never here, or under another key
 */
export function withdrawFor(
  journal: Journal,
  { sourceMac, patientId }: Pick<JournalItem, "sourceMac" | "patientId">,
  { itself, formerKeys = [] }: Extract<ItemEvent, { kind: "withdraw" }>,
  before?: number,
): { withdrawn: number | undefined; open: boolean } {
  const former = formerKeys.map((key) => journal.macOf("source", key));
  const found = withdraw(journal, [sourceMac], before) + withdraw(journal, former, before, patientId);
  return { withdrawn: itself ? nextWithdrawal(journal) : undefined, open: found === 0 };
}

/** As {@link withdraw}, of what a source says that it deleted. */
export function withdrawKeys(journal: Journal, keys: readonly string[], before?: number): void {
  withdraw(
    journal,
    keys.map((key) => journal.macOf("source", key)),
    before,
  );
}

/**
 * Takes note, in the caller's transaction, that what was taken under source keys was entered in error. From now on it
 * is amended by nothing; the chain is told when the entries are anchored (`retract.ts`). Its bytes stay
 * known: an export that is read again brings nothing back.
 * @param before row of the item that says so: what came after it stands
 * @param patientId what is another's stands, too
 * @returns how many items that was
 */
export function withdraw(
  journal: Journal,
  sourceMacs: readonly Uint8Array[],
  before = Number.MAX_SAFE_INTEGER,
  patientId?: Hex,
): number {
  const order = nextWithdrawal(journal);
  const standing = `source_mac = ? AND state <> ${ItemState.DEAD} AND retracted = 0 AND erased = 0
    AND withdrawn IS NULL AND kind = ${LeafKind.RECORD} AND id < ?`;
  let found = 0;
  for (const sourceMac of sourceMacs) {
    for (const item of selectItems(journal, standing, sourceMac, before)) {
      if (isAlteredRow(item) || (patientId !== undefined && item.patientId !== patientId)) continue;
      journal.change(item, { withdrawn: order });
      found++;
    }
  }
  return found;
}

/** Withdrawals are counted, so that those that a node lost with its last blocks are found. */
function nextWithdrawal(journal: Journal): number {
  const last = journal.database.get("SELECT max(withdrawn) AS last FROM items WHERE withdrawn IS NOT NULL");
  return Number(last?.["last"] ?? 0) + 1;
}
