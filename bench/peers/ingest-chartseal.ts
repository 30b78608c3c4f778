// SPDX-License-Identifier: Apache-2.0
// chartseal's own ingest: node ingest-chartseal.ts CHARTSEAL.JSON FILE.NDJSON
import { ndjsonSource } from "../../src/ingest/index.js";
import { openHospital } from "../../test/support/hospital.js";
import { begin } from "./ingest-outcome.js";

const [config = "", file = ""] = process.argv.slice(2);
await using hospital = await openHospital({ config });
const say = begin();
const run = await hospital.ingest(ndjsonSource(file));
if (run.failure !== undefined || run.anchored !== run.read)
  throw new Error(JSON.stringify(run.failure ?? run.refused));
const gas = run.batches.reduce((sum, batch) => sum + batch.gasUsed!, 0);
say({ records: run.anchored, bytes: run.bytesRead, gas });
