// SPDX-License-Identifier: Apache-2.0
import type { SqlValue } from "../sqlite.js";
import type { Journal } from "./journal.js";
import { ITEM_COLUMNS, type AlteredRow, type JournalItem } from "./journal-rows.js";

/** The items that a condition of SQL selects; a row that was altered does not keep the others back. */
export function selectItems(
  { database, rows }: Pick<Journal, "database" | "rows">,
  condition: string,
  ...values: SqlValue[]
): (JournalItem | AlteredRow)[] {
  return database
    .all(`SELECT ${ITEM_COLUMNS} FROM items WHERE ${condition}`, ...values)
    .map((row) => rows.itemOrAltered(row));
}
