// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Flips the last byte of a body that lies in the store's database. */
export function damage(store: string, cid: string): void {
  using database = openIn(store);
  const row = database.prepare("SELECT body FROM blob WHERE cid = ?").get(cid) as { body: Uint8Array };
  row.body[row.body.length - 1]! ^= 1;
  database.prepare("UPDATE blob SET body = ? WHERE cid = ?").run(row.body, cid);
}

/** Takes a body out of the store's database. */
export function lose(store: string, cid: string): void {
  using database = openIn(store);
  database.prepare("DELETE FROM blob WHERE cid = ?").run(cid);
}

function openIn(store: string): DatabaseSync {
  return new DatabaseSync(join(store, "store.sqlite"), { timeout: 5_000 });
}
