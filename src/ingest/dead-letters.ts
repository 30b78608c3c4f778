// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, type ErrorCode } from "../errors.js";
import {
  ItemState,
  isBadItem,
  type BadItem,
  type ItemDetails,
  type Journal,
  type SourceItem,
} from "../records/index.js";

/** What an item itself can be refused for; a full disk or a locked vault stops the run instead. */
const ITEMS_FAULTS: readonly ErrorCode[] = ["ERR_ITEM_INVALID", "ERR_JSON_INVALID", "ERR_SOURCE_CHANGED"];

/** The error as one that is the item's fault. @throws the error itself when it is not */
export function itemsFault(error: unknown): ChartsealError {
  if (error instanceof ChartsealError && ITEMS_FAULTS.includes(error.code)) return error;
  throw error;
}

/**
 * Lists an item that cannot be taken, with its reason. No body is kept of it: it is known again by label and
 * reason, and leaves the list once an item of its label is taken.
 */
export function bury(journal: Journal, item: SourceItem | BadItem, error: ChartsealError): void {
  const { label } = item;
  journal.add({
    itemMac: deadMac(journal, label, error.code),
    sourceMac: journal.macOf("source", isBadItem(item) ? label : item.sourceKey),
    state: ItemState.DEAD,
    details: isBadItem(item)
      ? { sourceKey: "", label, path: "", mediaType: "", size: 0 }
      : detailsOf(item, true),
    recordedDay: 0,
    receivedAt: Math.floor(Date.now() / 1000),
    reason: error.code,
  });
}

/** Takes a label off the list, for its item was taken. */
export function unbury(journal: Journal, label: string): void {
  for (const code of ITEMS_FAULTS) {
    journal.database.run(
      `DELETE FROM items WHERE item_mac = ? AND state = ${ItemState.DEAD} AND cid IS NULL`,
      deadMac(journal, label, code),
    );
  }
}

/** What the journal keeps of an item; with `unresolved`, also whom it names and what follows of it. */
export function detailsOf(item: SourceItem, unresolved: boolean): ItemDetails {
  const { sourceKey, label, path, mediaType, resourceType, size, recordedAt, subjects } = item;
  const { administrative, event } = item;
  return {
    sourceKey,
    label,
    path,
    mediaType,
    size,
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(unresolved ? { subjects } : {}),
    ...(unresolved && administrative !== undefined ? { administrative } : {}),
    ...(unresolved && event !== undefined ? { event } : {}),
  };
}

function deadMac(journal: Journal, label: string, code: ErrorCode): Uint8Array {
  return journal.macOf("dead", label, code);
}
