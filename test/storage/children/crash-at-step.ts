// SPDX-License-Identifier: Apache-2.0
// Puts and deletes bodies, and kills itself just before its n-th step that changes a file or a transaction.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";

const [folder, step] = process.argv.slice(2) as [string, string];
const say = (line: string): number => fs.writeSync(1, `${line}\n`);

const { openEmbeddedStore } = await import("../../../src/storage/index.js");
const { keystream, keystreamBytes } = await import("../keystream.js");
await using store = await openEmbeddedStore(folder);

let left = Number(step);
type Method = (...given: unknown[]) => unknown;
function watch(target: object, name: string): void {
  const methods = target as Record<string, Method>;
  const real = methods[name]!;
  methods[name] = function (this: unknown, ...given: unknown[]): unknown {
    if (left === 0) {
      say(`killed before ${name} ${typeof given[0] === "string" ? given[0].slice(0, 40) : ""}`);
      process.kill(process.pid, "SIGKILL");
    }
    left -= 1;
    return real.apply(this, given);
  };
}
const handle = await fs.promises.open("/dev/null", "r");
const handleMethods = Object.getPrototypeOf(handle) as object;
await handle.close();
// Not fsyncSync: a killed process, unlike a power cut, loses nothing that was written.
for (const name of ["write", "datasync"]) watch(handleMethods, name);
for (const name of ["renameSync", "unlinkSync"]) watch(fs, name);
watch(DatabaseSync.prototype, "exec"); // BEGIN and COMMIT
syncBuiltinESMExports();

const { cid } = await store.put(keystream(1_048_576 + 5));
say(`put ${cid}`);
const both = await store.putMany([await keystreamBytes(100), await keystreamBytes(300_000)]);
say(`both ${both.map((stored) => stored.cid).join(" ")}`);
await store.delete(cid);
say(`deleted ${cid}`);
say("done");
