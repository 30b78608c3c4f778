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
  /** How far a long run was from time to time. */
  marks?: Mark[];
}

/** Where a run stood after so many records. */
export interface Mark {
  records: number;
  /** Processor time of the process up to then. */
  cpuSeconds: number;
}

/** Processor time of this process so far, user and system, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Starts the clocks; the returned function stops them and says the outcome. */
export function begin(): (outcome: Pick<Outcome, "records" | "bytes" | "gas" | "marks">) => void {
  const started = performance.now();
  const before = cpuSeconds();
  return (outcome) => {
    const seconds = (performance.now() - started) / 1_000;
    const used = cpuSeconds() - before;
    const maxRssMiB = peakMemoryMiB();
    process.stdout.write(`${JSON.stringify({ ...outcome, seconds, cpuSeconds: used, maxRssMiB })}\n`);
  };
}
