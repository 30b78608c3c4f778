// SPDX-License-Identifier: Apache-2.0
// An ingest in a process of its own: node ingest-child.ts CHARTSEAL.JSON FILE BATCH_ITEMS
import { sourceFor } from "../../src/ingest/index.js";
import { openHospital } from "../support/hospital.js";
import { peakMemoryMiB } from "../support/peak-memory.js";

const [config = "", file = "", batchItems = "1000"] = process.argv.slice(2);
try {
  await using hospital = await openHospital({ config });
  const started = performance.now();
  const onProgress = ({ sealed }: { sealed: number }) => {
    if (process.env["PROGRESS"] !== undefined) process.stdout.write(`${JSON.stringify({ sealed })}\n`);
  };
  const run = await hospital.ingest(await sourceFor(file, { split: true }), {
    batchItems: Number(batchItems),
    onProgress,
  });
  const seconds = (performance.now() - started) / 1000;
  const { read, known, sealed, waiting, dead, anchored, superseded, failure } = run;
  const maxRssMiB = peakMemoryMiB();
  const result = { read, known, sealed, waiting, dead, anchored, superseded, failure, seconds, maxRssMiB };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ code: (error as { code?: string }).code ?? String(error) })}\n`);
}
