// SPDX-License-Identifier: Apache-2.0

/** Milliseconds for which a trouble that goes on is told once. */
const REPEAT_MS = 30_000;

/** Which troubles of a command that runs on are news. */
export class Troubles {
  readonly #toldAt = new Map<string, number>();

  isNew(code: string): boolean {
    const now = performance.now();
    const before = this.#toldAt.get(code);
    if (before !== undefined && now - before < REPEAT_MS) return false;
    this.#toldAt.set(code, now);
    return true;
  }
}
