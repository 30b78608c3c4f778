// SPDX-License-Identifier: Apache-2.0

/** What npm prints before it runs a script: `> chartseal@0.1.0 test:unit`. */
const HEADING = /^> \S+@\S+ (\S+)$/;
/** Mocha's summary, of which Hardhat writes the same. */
const SUMMARY = /^\s*(\d+) passing\b/;

/** Tests that passed in the runs of one npm script, by the summaries after its heading and before the next one. */
export function passingTests(output: string, script: string): number {
  let running: string | undefined;
  let passing = 0;
  for (const line of output.replace(/\x1b\[[0-9;]*m/g, "").split("\n")) {
    running = HEADING.exec(line)?.[1] ?? running;
    if (running === script) passing += Number(SUMMARY.exec(line)?.[1] ?? 0);
  }
  return passing;
}
