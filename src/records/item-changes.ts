// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { SqlValue } from "../sqlite.js";
import type { Journal } from "./journal.js";
import { ITEM_COLUMNS, blobOf, itemOf, type JournalItem } from "./journal-rows.js";
import { ItemState } from "./journal-schema.js";

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

type Rows = Pick<Journal, "database" | "rows">;

/** See {@link Journal.change}. */
export function changeItem({ database, rows }: Rows, item: JournalItem, changes: ItemChanges): void {
  const { set, values } = assignmentsOf(changes);
  const mac = rows.macOf({ ...item, ...changes });
  // What is authenticated now is what was read, and nothing that came in between.
  const sql = `UPDATE items SET ${set}, row_mac = ? WHERE id = ? AND row_mac = ?`;
  if (database.run(sql, ...values, mac, item.id, item.rowMac ?? null) > 0) return;
  throw new ChartsealError("ERR_JOURNAL_LOCKED", `another process changed item ${item.id} meanwhile`, {
    values: { path: database.path, item: item.id },
    retryable: true,
  });
}

/**
 * Puts an altered row among the refused, out of the others' way. It is not authenticated by that: it stays what somebody
 * made of it.
 */
export function setAside({ database }: Rows, id: number): void {
  const { set, values } = assignmentsOf({ state: ItemState.DEAD, reason: SET_ASIDE, ...UNPLACED });
  database.run(`UPDATE items SET ${set} WHERE id = ?`, ...values, id);
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
  changeItem({ database, rows }, item, { state: sealed.state, reason: sealed.reason });
  return true;
}

/** The changes as an UPDATE's assignments, and their values. */
function assignmentsOf(changes: ItemChanges): { set: string; values: SqlValue[] } {
  const names = Object.keys(changes) as (keyof ItemChanges)[];
  return {
    set: names.map((name) => `${COLUMNS[name]} = ?`).join(", "),
    values: names.map((name) => (name === "patientId" ? blobOf(changes.patientId) : valueOf(changes[name]))),
  };
}

function valueOf(value: ItemChanges[keyof ItemChanges]): SqlValue {
  return typeof value === "boolean" ? Number(value) : (value ?? null);
}
