// SPDX-License-Identifier: Apache-2.0
import type { Context } from "./context.js";
import { rate } from "./progress.js";

/** Milliseconds between two updates: of a line that is written anew, and of lines of a log. */
const TERMINAL_MS = 200;
const LOG_MS = 5_000;

/** Says how far a count is: one line on a terminal that goes away, else a line every 5 s, with `--json` as an object. */
export class CountProgress implements Disposable {
  readonly #context: Context;
  readonly #what: string;
  readonly #startedAt = performance.now();
  #shownAt = this.#startedAt;
  #shown = false;

  /** @param what is counted: "bodies" */
  constructor(context: Context, what: string) {
    this.#context = context;
    this.#what = what;
  }

  update(done: number, total?: number): void {
    const { io, json } = this.#context;
    const now = performance.now();
    const onTerminal = io.stderr.isTTY === true && !json;
    if (now - this.#shownAt < (onTerminal ? TERMINAL_MS : LOG_MS)) return;
    this.#shownAt = now;
    const perSecond = rate(done, (now - this.#startedAt) / 1_000);
    if (json) {
      this.#context.print(
        { event: "progress", done, ...(total === undefined ? {} : { total }), perSecond },
        "",
      );
      return;
    }
    const line = `${done}${total === undefined ? "" : ` of ${total}`} ${this.#what}, ${perSecond}/s`;
    io.stderr.write(onTerminal ? `\r\u001b[K${line}` : `${line}\n`); // ECMA-48 EL: erase to the line's end
    this.#shown = onTerminal;
  }

  [Symbol.dispose](): void {
    if (this.#shown) this.#context.io.stderr.write("\r\u001b[K");
  }
}
