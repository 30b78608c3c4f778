// SPDX-License-Identifier: Apache-2.0
// Seals, stores and anchors every record of a folder, and says what became of them. Run it again at any time, also
// after a crash: what was taken is known, what was not is taken.
//   node --import tsx scripts/anchor-folder.ts a/chartseal.json passphrase.txt export/
import { Chartseal, credential, folderSource } from "../src/index.js";

const [config, passphraseFile, folder] = process.argv.slice(2);
if (config === undefined || passphraseFile === undefined || folder === undefined) {
  throw new Error("usage: anchor-folder.ts CHARTSEAL_JSON PASSPHRASE_FILE FOLDER");
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("stopped: what was taken is safe, run it again to go on")));

await using hospital = await Chartseal.open(config, { unlock: credential(passphraseFile) });
const run = await hospital.ingest(folderSource(folder, { split: true }), {
  signal: stop.signal,
  onProgress: ({ read, anchored }) => process.stderr.write(`${read} read, ${anchored} anchored\n`),
});

// Labels may hold patients' names: they belong on a screen or into the hospital's own store, not into a log.
for (const { error } of run.refused) console.error(`refused: ${error.code} ${error.message}`);
if (run.failure !== undefined) console.error(`not all is anchored yet: ${run.failure.message}`);

const gas = run.batches.reduce((sum, batch) => sum + (batch.gasUsed ?? 0), 0);
const { read, known, sealed, waiting, dead, anchored, superseded } = run;
console.log(JSON.stringify({ read, known, sealed, waiting, dead, anchored, superseded, gas }));

// Waiting records are anchored by a later run, once their patients are enrolled.
process.exitCode = waiting === 0 && dead === 0 && run.failure === undefined ? 0 : 3;
