// SPDX-License-Identifier: Apache-2.0
import type { AccountingProgress } from "../audit/index.js";
import type { Context } from "./context.js";

/** Says on a terminal how far an accounting is, on one line that goes away. */
export class AuditProgress implements Disposable {
  readonly #context: Context;
  #shown = false;

  constructor(context: Context) {
    this.#context = context;
  }

  readonly update = ({ step, done, total }: AccountingProgress): void => {
    const { stderr } = this.#context.io;
    if (stderr.isTTY !== true) return;
    const what = step === "searching" ? "blocks searched" : "patients checked";
    stderr.write(`\r\u001b[K${done} of ${total} ${what}`); // ECMA-48 EL: erase to the line's end
    this.#shown = true;
  };

  [Symbol.dispose](): void {
    if (this.#shown) this.#context.io.stderr.write("\r\u001b[K");
  }
}
