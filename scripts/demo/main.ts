// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: two hospitals and a regulator share real-looking records on a chain of their own.
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Stage } from "./stage.js";
import { tell } from "./story.js";

const folder = resolve("demo");
await rm(folder, { recursive: true, force: true });
const stage = new Stage();
const running: (() => Promise<void>)[] = [];
const end = async () => {
  for (const stop of running.splice(0).reverse()) await stop();
};
process.once("SIGINT", () => void end().then(() => process.exit(130)));

let told = false;
try {
  await tell(stage, folder, (stop) => running.push(stop));
  told = true;
} catch (error) {
  stage.expect("the story runs to its end", false, error instanceof Error ? error.message : String(error));
} finally {
  await end();
}
const held = stage.summary() && told;
if (held) {
  process.stdout.write(`
Go on with it: start its chain again in another terminal, then ask.
  npx -y -p node@24 -c 'npm run demo:chain'
  npx -y -p node@24 -c 'npm run -s chartseal -- status --config demo/hospital-a/chartseal.json --passphrase-file demo/hospital-a.passphrase'
Also: doctor, verify --log, verify demo/receipts, patient list, audit --patient 'system|value'.
`);
}
process.exitCode = held ? 0 : 1;
