// SPDX-License-Identifier: Apache-2.0

/** What a contender says of its run, as a line of JSON. */
export interface Outcome {
  records: number;
  /** Of the source. */
  bytes: number;
  seconds: number;
  /** Processor time of the process, its start included. */
  cpuSeconds: number;
  gas: number;
  maxRssMiB: number;
}

export function say(outcome: Omit<Outcome, "maxRssMiB" | "cpuSeconds">): void {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  process.stdout.write(`${JSON.stringify({ ...outcome, cpuSeconds, maxRssMiB: maxRSS / 1_024 })}\n`);
}
