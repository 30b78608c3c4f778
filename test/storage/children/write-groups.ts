// SPDX-License-Identifier: Apache-2.0
// Puts groups of bodies and prints each CID once it is stored; then is killed, without closing the store.
import { openEmbeddedStore } from "../../../src/storage/index.js";

const [folder, name, groups] = process.argv.slice(2) as [string, string, string];
const store = await openEmbeddedStore(folder);
for (let group = 0; group < Number(groups); group++) {
  const small = Array.from({ length: 20 }, (_, i) => Buffer.from(`${name} ${group} ${i}`));
  const large = Buffer.alloc(1_048_576 + 10 + group, "both writers put this one");
  for (const { cid } of await store.putMany([...small, large])) process.stdout.write(`${cid}\n`);
}
process.kill(process.pid, "SIGKILL");
