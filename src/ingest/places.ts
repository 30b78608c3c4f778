// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { leafHash, type Hex } from "../crypto/index.js";
import type { ChartsealError } from "../errors.js";
import {
  ItemState,
  SET_ASIDE,
  alteredItem,
  isAlteredError,
  isAlteredRow,
  leafOf,
  setAside,
  type AlteredRow,
  type Journal,
  type JournalItem,
} from "../records/index.js";

/** Bytes of a leaf's salt. */
const SALT_LENGTH = 32;

/**
 * An item with the place that it gets in the log. Of its row it has what a batch needs, no more: a thousand whole ones at
 * a time would make V8 enlarge its young generation (docs/decisions/0023).
 */
export interface PlacedItem extends Pick<JournalItem, "id" | "rowMac"> {
  cid: string;
  logIndex: number;
  patientSeq: number;
  amendedIndex: number | undefined;
  salt: Uint8Array;
  leafHash: Uint8Array;
}

/** An item that gets no place: its row was altered, or one that its leaf rests on. */
export interface UnsoundItem {
  item: JournalItem | AlteredRow;
  error: ChartsealError;
}

/** Gives items their indices from `firstIndex` on. One bad row does not keep the others back. */
export function placeItems(
  { memberId, journal }: { memberId: number; journal: Journal },
  items: readonly (JournalItem | AlteredRow)[],
  firstIndex: number,
): { placed: PlacedItem[]; unsound: UnsoundItem[] } {
  const placed: PlacedItem[] = [];
  const unsound: UnsoundItem[] = [];
  const lastSeq = new Map<Hex, number>();
  const indexOf = new Map<number, number>();
  const left = new Set<number>();
  const salts = randomBytes(items.length * SALT_LENGTH);
  for (const item of items) {
    try {
      if (isAlteredRow(item)) throw alteredItem(item.id);
      const { id, amends } = item;
      if (amends !== undefined && left.has(amends)) throw alteredItem(amends);
      const patientId = item.patientId!;
      const logIndex = firstIndex + placed.length;
      const patientSeq = (lastSeq.get(patientId) ?? lastSeqOf(journal, patientId)) + 1;
      const amendedIndex =
        amends === undefined ? undefined : (indexOf.get(amends) ?? journal.item(amends)?.logIndex);
      const salt = salts.subarray(placed.length * SALT_LENGTH, (placed.length + 1) * SALT_LENGTH);
      const place = { logIndex, patientSeq, amendedIndex, salt };
      const hash = leafHash(leafOf(memberId, { ...item, ...place }));
      placed.push({ id, cid: item.cid!, rowMac: item.rowMac, ...place, leafHash: hash });
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
