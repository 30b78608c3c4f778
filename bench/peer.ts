// SPDX-License-Identifier: Apache-2.0
import { runChild } from "../test/support/child.js";

/** As the command itself runs: docs/decisions/0023. */
const NODE_OPTIONS = "--max-semi-space-size=4";

/** Runs a file of `peers/` in a process of its own; what it said in its first line of JSON. */
export async function runPeer<T>(peer: string, args: readonly string[]): Promise<T> {
  const script = new URL(`peers/${peer}.ts`, import.meta.url);
  const { lines, code, output } = await runChild(script, args, { env: { NODE_OPTIONS } });
  const [outcome] = lines;
  if (code !== 0 || outcome === undefined) throw new Error(`${peer} failed: ${output}`);
  return outcome as T;
}
