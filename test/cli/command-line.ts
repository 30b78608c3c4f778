// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Io } from "../../src/cli/io.js";
import type { PromptTerminal } from "../../src/vault/index.js";

/** What a command line left behind. */
export class Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;

  constructor(code: number, out: string, err: string) {
    this.code = code;
    this.out = out;
    this.err = err;
  }

  /** The one object on standard output, or the last of several lines. */
  get json(): object {
    return this.lines.at(-1)!;
  }

  get lines(): { event?: string; to?: number }[] {
    return this.out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { event?: string });
  }

  /** Code and hint of the error on standard error, as `--json` or people see it. */
  get error(): {
    code: string;
    message: string;
    hint?: string;
    values: Record<string, unknown>;
    retryable: boolean;
  } {
    return (JSON.parse(this.err) as { error: Outcome["error"] }).error;
  }
}

export interface RunOptions {
  stdin?: AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
  /** Each line of standard output as it comes. */
  onLine?: (line: string) => void;
  isTTY?: boolean;
  terminal?: PromptTerminal;
}

/** Runs a command line in this process, without a terminal. */
export async function chartseal(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const {
    stdin = nothing(),
    signal = new AbortController().signal,
    onLine,
    isTTY = false,
    terminal,
  } = options;
  let out = "";
  let err = "";
  const io: Io = {
    stdin,
    stdout: {
      write: (text) => {
        out += text;
        onLine?.(text);
      },
    },
    stderr: {
      write: (text) => {
        err += text;
      },
      isTTY,
    },
    ...(terminal === undefined ? {} : { terminal }),
    interruption: () => signal,
  };
  // Imported as the commands themselves are: mocha may load tests by require, which would give errors of two classes.
  const { run } = await import("../../src/cli/run.js");
  const code = await run(argv, io);
  return new Outcome(code, out, err);
}

/** Runs what must be done. */
export async function done(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await chartseal(argv, options);
  expect(outcome.code, `chartseal ${argv.join(" ")}\n${outcome.out}${outcome.err}`).to.equal(0);
  return outcome;
}

/** Runs, with --json, what must be refused with this exit code and error code. */
export async function refused(
  exitCode: number,
  code: string,
  argv: readonly string[],
): Promise<Outcome["error"]> {
  const outcome = await chartseal([...argv, "--json"]);
  expect(outcome.code, outcome.err).to.equal(exitCode);
  expect(outcome.error.code, outcome.err).to.equal(code);
  expect(outcome.out).to.equal("");
  return outcome.error;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
