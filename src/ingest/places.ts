// SPDX-License-Identifier: Apache-2.0
import { fillRandom, leafHash, type Hex } from "../crypto/index.js";
import type { ChartsealError } from "../errors.js";
import {
  ItemState,
  SET_ASIDE,
  alteredItem,
  changeOf,
  isAlteredError,
  isAlteredRow,
  leafOf,
  setAside,
  type AlteredRow,
  type ItemChange,
  type Journal,
  type JournalItem,
} from "../records/index.js";

/** Bytes of a leaf's salt. */
const SALT_LENGTH = 32;
/** Rows read at a time. */
const PAGE = 64;

/**
 * An item with the place that it gets in the log. Of its row it has what a batch needs, no more: a thousand whole ones at
 * a time would make V8 enlarge its young generation (docs/decisions/0023).
 */
export interface PlacedItem {
  cid: string;
  leafHash: Uint8Array;
  /** What its row becomes, once its batch is in the journal. */
  change: ItemChange;
}

/** The batch that items are placed in: its number in the journal, and its first index in the log. */
export interface BatchPlace {
  id: number;
  firstIndex: number;
}

/** An item that gets no place: its row was altered, or one that its leaf rests on. */
export interface UnsoundItem {
  item: JournalItem | AlteredRow;
  error: ChartsealError;
}

/**
 * Gives the oldest sealed items their indices, so many as there are `most`. One bad row does not keep the others back.
 */
export function placeItems(
  { memberId, journal }: { memberId: number; journal: Journal },
  { id: batchId, firstIndex }: BatchPlace,
  most: number,
): { placed: PlacedItem[]; unsound: UnsoundItem[] } {
  const placed: PlacedItem[] = [];
  const unsound: UnsoundItem[] = [];
  const lastSeq = new Map<Hex, number>();
  const indexOf = new Map<number, number>();
  const left = new Set<number>();
  for (const item of sealedItems(journal, most)) {
    try {
      if (isAlteredRow(item)) throw alteredItem(item.id);
      const { id, amends } = item;
      if (amends !== undefined && left.has(amends)) throw alteredItem(amends);
      const patientId = item.patientId!;
      const logIndex = firstIndex + placed.length;
      const patientSeq = (lastSeq.get(patientId) ?? lastSeqOf(journal, patientId)) + 1;
      const amendedIndex =
        amends === undefined ? undefined : (indexOf.get(amends) ?? journal.item(amends)?.logIndex);
      const salt = Buffer.allocUnsafe(SALT_LENGTH);
      fillRandom(salt);
      const place = { logIndex, patientSeq, amendedIndex, salt };
      const hash = leafHash(leafOf(memberId, { ...item, ...place }));
      const changes = { state: ItemState.BATCHED, batchId, ...place, leafHash: hash };
      placed.push({ cid: item.cid!, leafHash: hash, change: changeOf(journal.rows, item, changes) });
      lastSeq.set(patientId, patientSeq);
      indexOf.set(id, logIndex);
    } catch (error) {
      if (!isAlteredError(error)) throw error;
      unsound.push({ item, error });
      left.add(item.id);
    }
  }
  return { placed, unsound };
}

/** Page by page: no more whole rows are held than one page has. */
function* sealedItems(journal: Journal, most: number): Generator<JournalItem | AlteredRow> {
  let last = 0;
  for (let left = most; left > 0; left -= PAGE) {
    const page = journal.rowsIn(ItemState.SEALED, Math.min(PAGE, left), last);
    yield* page;
    if (page.length < PAGE) return;
    last = page.at(-1)!.id;
  }
}

/** Puts unsound items among the refused, until their rows are put back. */
export function setAsideAll(journal: Journal, unsound: readonly UnsoundItem[]): void {
  journal.database.transaction(() => {
    for (const { item } of unsound) {
      if (isAlteredRow(item)) setAside(journal, item.id);
      else journal.change(item, { state: ItemState.DEAD, reason: SET_ASIDE });
    }
  });
}

function lastSeqOf(journal: Journal, patientId: Hex): number {
  return journal.newestOfPatient(patientId)?.patientSeq ?? 0;
}
