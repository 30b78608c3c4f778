// SPDX-License-Identifier: Apache-2.0
import { toHex } from "../crypto/index.js";
import { namedBodies, type Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";

/** Rows fetched at a time: no read transaction stays open between pages. */
const PAGE = 1_000;

/**
 * CIDs of what is to be nowhere, so that no copy is made of it again: bodies of erased entries, those whose erasure was
 * cut short after their key was gone too. No reason to remove a body: only an entry whose row says so, authentically, is
 * erased.
 */
export function erasedBodies(journal: Journal, vault: Vault): Set<string> {
  const erased = new Set<string>();
  for (const body of namedBodies(journal.database, journal.rows)) if (body.erased) erased.add(body.cid);
  const withoutKey = new Set<string>();
  for (const { recordId, erased: gone } of vault.records()) if (gone) withoutKey.add(toHex(recordId));
  if (withoutKey.size === 0) return erased;
  for (let last = 0; ;) {
    const rows = journal.database.all(
      "SELECT id, cid, record_id FROM items WHERE id > ? AND cid IS NOT NULL ORDER BY id LIMIT ?",
      last,
      PAGE,
    );
    for (const row of rows)
      if (withoutKey.has(toHex(row["record_id"] as Uint8Array))) erased.add(String(row["cid"]));
    if (rows.length < PAGE) return erased;
    last = Number(rows.at(-1)!["id"]);
  }
}
