// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const WORKER = fileURLToPath(new URL("worker.py", import.meta.url));

function interpreter(): string {
  const named = process.env["CHARTSEAL_PYTHON"];
  if (named !== undefined) return named;
  const local = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
  if (existsSync(local)) return local;
  throw new Error(
    "no Python for the interop tests: run `python3 -m venv .venv && .venv/bin/pip install -r " +
      "test/interop/requirements.txt`, or name one in CHARTSEAL_PYTHON",
  );
}

/** Runs one operation of the reference implementation; throws what it printed when it fails. */
export function python(operation: string, args: Record<string, Uint8Array>): Uint8Array {
  const encoded = Object.entries(args).map(([name, bytes]): [string, string] => [
    name,
    Buffer.from(bytes).toString("base64"),
  ]);
  const { status, stdout, stderr, error } = spawnSync(interpreter(), [WORKER], {
    input: JSON.stringify({ operation, args: Object.fromEntries(encoded) }),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr);
  return Uint8Array.from(Buffer.from(stdout, "base64"));
}

/** Runs a program in `folder` and returns what it printed; throws what it complained of when it fails. */
export function runPython(program: string, folder: string): string {
  const { status, stdout, stderr, error } = spawnSync(interpreter(), ["-"], {
    input: program,
    cwd: folder,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
