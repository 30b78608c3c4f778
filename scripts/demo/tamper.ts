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

/** Writes a changed copy of a receipt. */
export async function forgeReceipt(from: string, to: string): Promise<void> {
  const receipt = JSON.parse(await readFile(from, "utf8")) as { leaf: { recordedDay: number } };
  receipt.leaf.recordedDay += 1;
  await writeFile(to, JSON.stringify(receipt));
}
