// SPDX-License-Identifier: Apache-2.0
// chartseal's own ingest: node ingest-chartseal.ts CHARTSEAL.JSON FILE.NDJSON
import { ndjsonSource } from "../../src/ingest/index.js";
import { openHospital } from "../../test/support/hospital.js";
import { begin, cpuSeconds, type Mark } from "./ingest-outcome.js";

/** Records from one mark to the next. */
const MARK_EVERY = 100;

const [config = "", file = ""] = process.argv.slice(2);
await using hospital = await openHospital({ config });
const marks: Mark[] = [];
const say = begin();
const run = await hospital.ingest(ndjsonSource(file), {
  onProgress({ read }) {
    if (read >= (marks.length + 1) * MARK_EVERY) marks.push({ records: read, cpuSeconds: cpuSeconds() });
  },
});
if (run.failure !== undefined || run.anchored !== run.read)
  throw new Error(JSON.stringify(run.failure ?? run.refused));
const gas = run.batches.reduce((sum, batch) => sum + batch.gasUsed!, 0);
say({ records: run.anchored, bytes: run.bytesRead, gas, marks });
