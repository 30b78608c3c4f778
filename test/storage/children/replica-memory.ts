// SPDX-License-Identifier: Apache-2.0
// Puts one large body into two replicas, and carries it to a third store as a CAR file that is never on disk; prints how
// far the resident memory rose, in MiB, as one line of JSON.
import { join } from "node:path";
import { exportCar, importCar, openEmbeddedStore, openReplicatedStore } from "../../../src/storage/index.js";
import { peakMemoryMiB } from "../../support/peak-memory.js";
import { keystream } from "../keystream.js";

const [folder, size] = process.argv.slice(2) as [string, string];
const replicas = ["a", "b"].map((name) => ({ name, open: () => openEmbeddedStore(join(folder, name)) }));
await using store = openReplicatedStore(replicas, { write: 2 });
await using third = await openEmbeddedStore(join(folder, "c"));

async function carry(bytes: number): Promise<{ put: number; car: number; ok: boolean }> {
  const { cid } = await store.put(keystream(bytes, 65_536));
  const put = peakMemoryMiB();
  await importCar(third, exportCar(store, [cid]));
  const { ok } = await third.verify(cid);
  return { put, car: peakMemoryMiB(), ok };
}

await carry(5_000_000); // loads all code
const before = peakMemoryMiB();
const { put, car, ok } = await carry(Number(size));
process.stdout.write(JSON.stringify({ ok, put: put - before, car: car - before }));
