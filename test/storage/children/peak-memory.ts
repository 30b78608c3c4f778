// SPDX-License-Identifier: Apache-2.0
// Puts and gets one large body in a store; prints how far the resident memory rose, in MiB, as one line of JSON.
import { openStore, type StoreConfig } from "../../../src/storage/index.js";
import { peakMemoryMiB } from "../../support/peak-memory.js";

const [config, size] = process.argv.slice(2) as [string, string];
/** Uses one buffer again and again: what the source leaves behind is not the store's. */
async function* body(length: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(65_536, 3);
  for (let left = length; left > 0; left -= buffer.length) {
    buffer.writeDoubleBE(left);
    yield buffer.subarray(0, Math.min(left, buffer.length));
  }
}

const peak = peakMemoryMiB;

await using store = await openStore(JSON.parse(config) as StoreConfig);
await store.verify((await store.put(body(2_000_000))).cid); // loads all code
const before = peak();
const { cid } = await store.put(body(Number(size)));
const put = peak() - before;
const verdict = await store.verify(cid);
process.stdout.write(JSON.stringify({ ok: verdict.ok, put, get: peak() - before }));
