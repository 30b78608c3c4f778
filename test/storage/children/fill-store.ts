// SPDX-License-Identifier: Apache-2.0
// Puts bodies into a store on a small medium until it fails, then looks at what is left. Prints one line of JSON.
import { ChartsealError } from "../../../src/errors.js";
import { openEmbeddedStore, type BlobStore, type Stored } from "../../../src/storage/index.js";
import { mkdirSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

const [folder, bytes] = process.argv.slice(2) as [string, string];

/** Keeps room that is freed later. */
const BALLAST_BYTES = 1_500_000;

async function fill(store: BlobStore, stored: Stored[]): Promise<ChartsealError> {
  for (;;) {
    try {
      stored.push(await store.put(randomBytes(Number(bytes))));
    } catch (error) {
      if (error instanceof ChartsealError) return error;
      throw error;
    }
  }
}

async function isWhole(store: BlobStore, stored: Stored[]): Promise<boolean> {
  const listed = await Array.fromAsync(store.list());
  const verdicts = await Promise.all(listed.map(({ cid }) => store.verify(cid)));
  return (
    verdicts.every(({ ok }) => ok) && stored.every(({ cid }) => listed.some((entry) => entry.cid === cid))
  );
}

mkdirSync(folder, { recursive: true });
const ballast = join(folder, "ballast");
writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
await using store = await openEmbeddedStore(folder);
const stored: Stored[] = [];
const { code, retryable } = await fill(store, stored);
const whole = await isWhole(store, stored);
const found = readdirSync(join(folder, "bodies"), { recursive: true, withFileTypes: true });
const files = found.filter((entry) => entry.isFile()).length;
const count = stored.length;
unlinkSync(ballast);
const more = await store.put(randomBytes(Number(bytes))).catch(() => undefined);
const again = more !== undefined && (await isWhole(store, [...stored, more]));
process.stdout.write(JSON.stringify({ code, retryable, whole, count, files, again }));
