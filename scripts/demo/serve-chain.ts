// SPDX-License-Identifier: Apache-2.0
// `npm run demo:chain`: starts the chain of a finished demo again, until Ctrl-C.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { CHAIN_URL, startChain } from "./chain.js";

if (!existsSync("demo/chain.json")) {
  process.stderr.write("There is no demo/chain.json: run `npm run demo` first.\n");
  process.exit(2);
}
const chain = await startChain("demo/chain.json");
process.stdout.write(`The demo's chain answers at ${CHAIN_URL}. Ctrl-C ends it and keeps its state.\n`);
await once(chain, "exit");
