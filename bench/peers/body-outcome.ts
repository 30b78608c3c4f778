// SPDX-License-Identifier: Apache-2.0
import { peakMemoryMiB } from "../../test/support/peak-memory.js";
import { cpuSeconds } from "./ingest-outcome.js";

/** What a contender says of one body. */
export interface BodyOutcome {
  seconds: number;
  cpuSeconds: number;
  /** Not known of other programs. */
  maxRssMiB?: number;
}

/** Does the work and says how it went, as a line of JSON. */
export async function timed(work: () => Promise<void>): Promise<void> {
  const before = cpuSeconds();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  const outcome: BodyOutcome = { seconds, cpuSeconds: cpuSeconds() - before, maxRssMiB: peakMemoryMiB() };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
