// SPDX-License-Identifier: Apache-2.0
import { toHex } from "../crypto/index.js";
import type { Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";

/** Rows fetched at a time: no read transaction stays open between pages. */
const PAGE = 1_000;

/** A body of an item of the journal. */
export interface NamedBody {
  itemId: number;
  cid: string;
  /** Undefined of an item that is not in a batch yet. */
  index: number | undefined;
  recordId: Uint8Array;
  /** It is to be nowhere: its key is gone, also when the erasure was cut short after that. */
  erased: boolean;
}

/** Every body that the journal's items name, oldest first. @param afterId to read on */
export function* namedBodies(journal: Journal, vault: Vault, afterId = 0): Generator<NamedBody> {
  const withoutKey = new Set<string>();
  for (const { recordId, erased } of vault.records()) if (erased) withoutKey.add(toHex(recordId));
  for (let last = afterId; ;) {
    const rows = journal.database.all(
      "SELECT id, cid, log_index, record_id, erased FROM items WHERE id > ? AND cid IS NOT NULL ORDER BY id LIMIT ?",
      last,
      PAGE,
    );
    for (const row of rows) {
      const recordId = row["record_id"] as Uint8Array;
      yield {
        itemId: Number(row["id"]),
        cid: String(row["cid"]),
        index: row["log_index"] === null ? undefined : Number(row["log_index"]),
        recordId,
        erased: row["erased"] === 1 || (withoutKey.size > 0 && withoutKey.has(toHex(recordId))),
      };
    }
    if (rows.length < PAGE) return;
    last = Number(rows.at(-1)!["id"]);
  }
}

/** CIDs of what was erased: no copy of it is to be made again. */
export function erasedBodies(journal: Journal, vault: Vault): Set<string> {
  const erased = new Set<string>();
  for (const body of namedBodies(journal, vault)) if (body.erased) erased.add(body.cid);
  return erased;
}
