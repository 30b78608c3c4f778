// SPDX-License-Identifier: Apache-2.0
import type { PromptTerminal } from "../vault/index.js";

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** All that a command touches of its process, so that it can be tested without one. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where the passphrase is asked for; default: the process's own terminal. */
  readonly terminal?: PromptTerminal;
  /**
   * Takes over Ctrl-C and SIGTERM: the signal aborts, with an {@link Interruption}, and the command ends in its own
   * way. A command that never calls this is ended at once.
   */
  interruption(): AbortSignal;
}

/** Why a command was asked to stop. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  /** As a shell reports it: 128 and the signal's number. */
  readonly exitCode: 130 | 143;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`stopped by ${signal}`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/** The streams and signals of this process. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process;
  // A reader that has seen enough (`| head`) ends the output, not the work.
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  let controller: AbortController | undefined;
  return {
    stdin,
    stdout,
    stderr,
    interruption() {
      controller ??= abortOnSignals();
      return controller.signal;
    },
  };
}

function abortOnSignals(): AbortController {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const interruption = new Interruption(signal);
      // Asked a second time: everything is safe at any moment, only the report is lost.
      if (controller.signal.aborted) process.exit(interruption.exitCode);
      controller.abort(interruption);
    });
  }
  return controller;
}
