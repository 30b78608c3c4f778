// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import { runChild } from "../test/support/child.js";

const ENVIRONMENT = {
  /** As the command itself runs: docs/decisions/0023. */
  NODE_OPTIONS: "--max-semi-space-size=4",
  /** Scripts are kept as JavaScript: to take the types off would be 25 MiB of a contender's memory, each time. */
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../cache/bench", import.meta.url)),
};

/** Runs a file of `peers/` in a process of its own; what it said in its first line of JSON. */
export async function runPeer<T>(peer: string, args: readonly string[]): Promise<T> {
  const script = new URL(`peers/${peer}.ts`, import.meta.url);
  const { lines, code, output } = await runChild(script, args, { env: ENVIRONMENT });
  const [outcome] = lines;
  if (code !== 0 || outcome === undefined) throw new Error(`${peer} failed: ${output}`);
  return outcome as T;
}
