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

/** Cuts a body short that lies in the store's database. */
export function cut(store: string, cid: string): void {
  using database = openIn(store);
  database.prepare("UPDATE blob SET body = substr(body, 1, 10) WHERE cid = ?").run(cid);
}

/** Takes a body out of the store's database. @returns what puts it back */
export function lose(store: string, cid: string): () => void {
  using database = openIn(store);
  const row = database.prepare("SELECT * FROM blob WHERE cid = ?").get(cid)!;
  database.prepare("DELETE FROM blob WHERE cid = ?").run(cid);
  return () => {
    using again = openIn(store);
    const names = Object.keys(row);
    const places = names.map(() => "?");
    again.prepare(`INSERT INTO blob (${names.join()}) VALUES (${places.join()})`).run(...Object.values(row));
  };
}

function openIn(store: string): DatabaseSync {
  return new DatabaseSync(join(store, "store.sqlite"), { timeout: 5_000 });
}
