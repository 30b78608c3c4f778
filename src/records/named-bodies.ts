// SPDX-License-Identifier: Apache-2.0
import { openDatabase, type Database } from "../sqlite.js";
import { ITEM_COLUMNS, isAlteredRow } from "./journal-rows.js";
import { JOURNAL_FORMAT } from "./journal-schema.js";
import type { RowMacs } from "./row-macs.js";

/** Rows fetched at a time: no read transaction stays open between pages. */
const PAGE = 1_000;

/** A body that a journal names. */
export interface NamedBody {
  cid: string;
  /** Of an entry; left out for a batch manifest, and for an item without its place yet. */
  logIndex?: number;
  /** The entry was erased, and its body is to be nowhere. */
  erased: boolean;
}

/**
 * Opens a journal's file to be read without any key of the vault.
 * @throws ERR_CONFIG_INVALID when there is none, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED, ERR_TIMEOUT
 */
export function openJournalFile(path: string, busyTimeoutMs?: number): Database {
  return openDatabase(path, {
    format: JOURNAL_FORMAT,
    schema: "",
    damagedCode: "ERR_STORE_FAILED",
    readOnly: true,
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
  });
}

/**
 * Every body that a journal names: batch manifests first, then items in the order in which they came.
 * @param rows An entry is erased only where its row is authentic: else who can write the file had bodies deleted
 */
export function* namedBodies(journal: Database, rows: Pick<RowMacs, "itemOrAltered">): Generator<NamedBody> {
  const isErased = (id: number) => {
    const row = journal.get(`SELECT ${ITEM_COLUMNS} FROM items WHERE id = ?`, id);
    return row !== undefined && !isAlteredRow(rows.itemOrAltered(row));
  };
  const manifests = "SELECT id, manifest_cid AS cid, NULL AS log_index, 0 AS erased FROM batches";
  yield* paged(journal, `${manifests} WHERE id > ? ORDER BY id LIMIT ${PAGE}`, isErased);
  const items = "SELECT id, cid, log_index, erased FROM items";
  yield* paged(journal, `${items} WHERE id > ? AND cid IS NOT NULL ORDER BY id LIMIT ${PAGE}`, isErased);
}

function* paged(journal: Database, sql: string, isErased: (id: number) => boolean): Generator<NamedBody> {
  for (let last = 0; ;) {
    const page = journal.all(sql, last);
    for (const { id, cid, log_index: logIndex, erased } of page) {
      yield {
        cid: String(cid),
        erased: erased === 1 && isErased(Number(id)),
        ...(typeof logIndex === "number" ? { logIndex } : {}),
      };
    }
    if (page.length < PAGE) return;
    last = Number(page.at(-1)!["id"]);
  }
}
