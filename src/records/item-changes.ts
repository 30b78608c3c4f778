// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Database, SqlValue } from "../sqlite.js";
import { ITEM_COLUMNS, blobOf, itemOf, type JournalItem } from "./journal-rows.js";
import { ItemState } from "./journal-schema.js";
import type { RowMacs } from "./row-macs.js";

/** The columns of what may change of an item, by its name. */
const COLUMNS = {
  itemMac: "item_mac",
  state: "state",
  reason: "reason",
  patientId: "patient_id",
  compartment: "compartment",
  amends: "amends",
  amendedIndex: "amended_index",
  salt: "salt",
  batchId: "batch_id",
  logIndex: "log_index",
  patientSeq: "patient_seq",
  leafHash: "leaf_hash",
  supersededBy: "superseded_by",
  retracted: "retracted",
  erased: "erased",
  withdrawn: "withdrawn",
  event: "event",
} as const satisfies Partial<Record<keyof JournalItem, string>>;

export type ItemChanges = Partial<Pick<JournalItem, keyof typeof COLUMNS>>;

/** Why an item is set aside: its row was altered, or one that it rests on. */
export const SET_ASIDE = "ERR_STORE_FAILED";

/** An item that has no place in the log. */
export const UNPLACED = {
  batchId: undefined,
  logIndex: undefined,
  patientSeq: undefined,
  amendedIndex: undefined,
  salt: undefined,
  leafHash: undefined,
} as const satisfies ItemChanges;

/** What becomes of an erased item that has no place in the log: it never gets one, and nothing follows of it. */
export const ERASED_UNPLACED = {
  ...UNPLACED,
  withdrawn: undefined,
  event: undefined,
  state: ItemState.DEAD,
  reason: "ERR_KEY_ERASED",
} as const satisfies ItemChanges;

/** A journal. */
interface Rows {
  readonly database: Database;
  readonly rows: RowMacs;
}

/** A change of an item as it was read: the rest of the row need not be kept, or read again, to make it. */
export interface ItemChange {
  id: number;
  changes: ItemChanges;
  /** Authenticates the row as it was read. */
  before: Uint8Array | undefined;
  /** Authenticates what was read, with the changes. */
  after: Uint8Array;
}

export function changeOf(rows: RowMacs, item: JournalItem, changes: ItemChanges): ItemChange {
  return { id: item.id, changes, before: item.rowMac, after: rows.macOf({ ...item, ...changes }) };
}

/**
 * Makes a change.
 * @throws ERR_JOURNAL_LOCKED (retryable) when the row is not as it was read
 */
export function applyChange(database: Database, { id, changes, before, after }: ItemChange): void {
  const names = Object.keys(changes) as (keyof ItemChanges)[];
  const values = names.map((name) => valueOf(name, changes[name]));
  // What is authenticated now is what was read, and nothing that came in between.
  if (database.run(updateOf(names), ...values, after, id, before ?? null) > 0) return;
  throw new ChartsealError("ERR_JOURNAL_LOCKED", `another process changed item ${id} meanwhile`, {
    values: { path: database.path, item: id },
    retryable: true,
  });
}

/**
 * Puts an altered row among the refused, out of the others' way. It is not authenticated by that: it stays what somebody
 * made of it.
 */
export function setAside({ database }: Rows, id: number): void {
  database.run(
    `UPDATE items SET state = ${ItemState.DEAD}, reason = ?, batch_id = NULL, log_index = NULL, patient_seq = NULL,
       amended_index = NULL, salt = NULL, leaf_hash = NULL WHERE id = ?`,
    SET_ASIDE,
    id,
  );
}

/**
 * Gives an item that was set aside another chance: its row was put back as it was, or the one that it rests on may have
 * been.
 * @returns false when it was not set aside, or is altered still
 */
export function takeBack({ database, rows }: Rows, id: number): boolean {
  const row = database.get(`SELECT ${ITEM_COLUMNS} FROM items WHERE id = ?`, id);
  if (row === undefined) return false;
  const item = itemOf(row);
  if (item.state !== ItemState.DEAD || item.reason !== SET_ASIDE || item.cid === undefined) return false;
  const sealed = { ...item, state: ItemState.SEALED, reason: undefined };
  if (!rows.isAuthentic(item) && !rows.isAuthentic(sealed)) return false;
  applyChange(database, changeOf(rows, item, { state: sealed.state, reason: sealed.reason }));
  return true;
}

/** Statements by what they change: a batch runs one a thousand times. */
const updates = new Map<string, string>();

function updateOf(names: readonly (keyof ItemChanges)[]): string {
  const key = names.join();
  let sql = updates.get(key);
  if (sql === undefined) {
    const set = names.map((name) => `${COLUMNS[name]} = ?`).join(", ");
    sql = `UPDATE items SET ${set}, row_mac = ? WHERE id = ? AND row_mac = ?`;
    updates.set(key, sql);
  }
  return sql;
}

function valueOf(name: keyof ItemChanges, value: ItemChanges[keyof ItemChanges]): SqlValue {
  if (name === "patientId") return blobOf(value as Hex | undefined);
  return typeof value === "boolean" ? Number(value) : (value ?? null);
}
