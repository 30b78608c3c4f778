// SPDX-License-Identifier: Apache-2.0

/** What a contender says of its run, as a line of JSON. */
export interface Outcome {
  records: number;
  /** Of the source. */
  bytes: number;
  seconds: number;
  gas: number;
  maxRssMiB: number;
}

export function say(outcome: Omit<Outcome, "maxRssMiB">): void {
  const maxRssMiB = process.resourceUsage().maxRSS / 1_024;
  process.stdout.write(`${JSON.stringify({ ...outcome, maxRssMiB })}\n`);
}
