// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface ChildResult {
  /** Every line of its standard output, as JSON. */
  lines: Record<string, unknown>[];
  signal: NodeJS.Signals | null;
  code: number | null;
  /** All that it wrote, to both outputs. */
  output: string;
}

/** Ends the process; by default without warning. */
export type Kill = (signal?: NodeJS.Signals) => void;

export interface ChildOptions {
  imports?: readonly URL[];
  env?: NodeJS.ProcessEnv;
  /** A command line that starts the process's own, such as a shell that limits it first. */
  within?: readonly string[];
  onStart?: (kill: Kill) => void;
  /** At each piece of standard output. */
  onLine?: (kill: Kill) => void;
}

/** Runs a TypeScript file in a process of its own. */
export async function runChild(
  script: URL,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  const imports = [new URL("strip-types.ts", import.meta.url), ...(options.imports ?? [])];
  const [command = "", ...rest] = [
    ...(options.within ?? []),
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    ...imports.flatMap((url) => ["--import", url.href]),
    fileURLToPath(script),
    ...args,
  ];
  const child = spawn(command, rest, {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill: Kill = (signal = "SIGKILL") => void child.kill(signal);
  options.onStart?.(kill);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    options.onLine?.(kill);
  });
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const lines = out
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { lines, code, signal, output: out + err };
}
