// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from "../errors.js";
import type { OutboxFile, Scan } from "./outbox-scan.js";
import type { Reason } from "./outbox-move.js";

/** Milliseconds between attempts. */
const PAUSE_MS = 5_000;

interface LeftFile {
  /** Of the file, as the scan found it. */
  state: string;
  code: ErrorCode;
  /** When it is tried again. */
  again: number;
  reasons: readonly Reason[] | undefined;
}

/** What could not be read or moved and stays in the outbox, each by itself, so that no other file waits for it. */
export class Left {
  readonly #left = new Map<string, LeftFile>();

  /**
   * @param reasons Of a file that is only to be moved, for all in it that could be stored is durable
   * @returns whether this is news: so each is told once, and not at each attempt
   */
  add(
    { file, state }: Pick<OutboxFile, "file" | "state">,
    code: ErrorCode,
    now: number,
    reasons?: readonly Reason[],
  ): boolean {
    const before = this.#left.get(file);
    this.#left.set(file, { state, code, again: now + PAUSE_MS, reasons });
    return before?.state !== state || before.code !== code;
  }

  /** Whether it is left alone at present; `now` in milliseconds of a clock that never steps. */
  rests({ file, state }: OutboxFile, now: number): boolean {
    const left = this.#left.get(file);
    return left?.state === state && now < left.again;
  }

  /** What {@link add} was told of this file, unless it has changed since. */
  reasonsOf({ file, state }: OutboxFile): readonly Reason[] | undefined {
    const left = this.#left.get(file);
    return left?.state === state ? left.reasons : undefined;
  }

  /** Forgets what is no longer there. */
  keepOnly({ files, unreadable }: Scan): void {
    const there = new Set([...files.map(({ file }) => file), ...unreadable]);
    for (const file of this.#left.keys()) if (!there.has(file)) this.#left.delete(file);
  }
}
