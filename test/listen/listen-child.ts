// SPDX-License-Identifier: Apache-2.0
// A listener in a process of its own: node listen-child.ts CHARTSEAL.JSON. SIGTERM stops it.
import { openHospital } from "../support/hospital.js";
import { peakMemoryMiB } from "../support/peak-memory.js";

const [config = ""] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
await using hospital = await openHospital({ config });
await using listener = await hospital.listen({
  mllp: { host: "127.0.0.1", port: 0 },
  batchWait: 100,
  signal: stop.signal,
});
process.stdout.write(`${JSON.stringify({ ready: listener.addresses.mllp })}\n`);
await listener.stopped;
process.stdout.write(`${JSON.stringify({ stopped: listener.state(), maxRssMiB: peakMemoryMiB() })}\n`);
