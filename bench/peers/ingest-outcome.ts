// SPDX-License-Identifier: Apache-2.0
import { peakMemoryMiB } from "../../test/support/peak-memory.js";

/** What a contender says of its run, as a line of JSON. */
export interface Outcome {
  records: number;
  /** Of the source. */
  bytes: number;
  seconds: number;
  /** Processor time of the run. */
  cpuSeconds: number;
  gas: number;
  maxRssMiB: number;
}

/** Starts the clocks; the returned function stops them and says the outcome. */
export function begin(): (outcome: Pick<Outcome, "records" | "bytes" | "gas">) => void {
  const started = performance.now();
  const before = process.cpuUsage();
  return (outcome) => {
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(before);
    const maxRssMiB = peakMemoryMiB();
    const cpuSeconds = (user + system) / 1e6;
    process.stdout.write(`${JSON.stringify({ ...outcome, seconds, cpuSeconds, maxRssMiB })}\n`);
  };
}
