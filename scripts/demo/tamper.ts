// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from "node:sqlite";
import { readFile, writeFile } from "node:fs/promises";

/** Flips one bit of a body in the store, as a curious database administrator could. @returns puts it back */
export function flipByte(store: string, cid: string, offset: number): () => void {
  const flip = () => {
    using database = new DatabaseSync(`${store}/store.sqlite`, { timeout: 10_000 });
    const row = database.prepare("SELECT body FROM blob WHERE cid = ?").get(cid);
    const body = Uint8Array.from(row!["body"] as Uint8Array);
    body[offset]! ^= 0x01;
    database.prepare("UPDATE blob SET body = ? WHERE cid = ?").run(body, cid);
  };
  flip();
  return flip;
}

/** Takes a body out of the store behind its back. @returns puts it back */
export function dropBody(store: string, cid: string): () => void {
  using database = new DatabaseSync(`${store}/store.sqlite`, { timeout: 10_000 });
  const row = database.prepare("SELECT * FROM blob WHERE cid = ?").get(cid)!;
  database.prepare("DELETE FROM blob WHERE cid = ?").run(cid);
  return () => {
    using again = new DatabaseSync(`${store}/store.sqlite`, { timeout: 10_000 });
    const columns = Object.keys(row);
    const places = columns.map(() => "?").join(", ");
    again.prepare(`INSERT INTO blob (${columns.join(", ")}) VALUES (${places})`).run(...Object.values(row));
  };
}

/** Writes a changed copy of a receipt. */
export async function forgeReceipt(from: string, to: string): Promise<void> {
  const receipt = JSON.parse(await readFile(from, "utf8")) as { leaf: { recordedDay: number } };
  receipt.leaf.recordedDay += 1;
  await writeFile(to, JSON.stringify(receipt));
}
