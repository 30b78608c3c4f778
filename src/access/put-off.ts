// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import { REDEEMABLE_SECONDS } from "./permission.js";

/** Milliseconds before a request that could not be answered is tried again: at first, and at most. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const REDEEMABLE_MS = REDEEMABLE_SECONDS * 1_000;

/** A request that could not be answered yet. */
interface Waiting {
  /** As performance.now() gives them. */
  since: number;
  nextTry: number;
  pause: number;
}

/** What could not be answered waits, ever longer, and holds up no other. */
export class PutOff {
  readonly #waiting = new Map<Hex, Waiting>();

  isDue(id: Hex): boolean {
    return (this.#waiting.get(id)?.nextTry ?? 0) <= performance.now();
  }

  /** @returns false when it waited for as long as it can be redeemed: it is to be dropped */
  again(id: Hex): boolean {
    const now = performance.now();
    this.#forgetOld(now);
    const { since, pause } = this.#waiting.get(id) ?? { since: now, pause: FIRST_PAUSE_MS };
    if (now - since > REDEEMABLE_MS) return false;
    const next = Math.min(pause * 2, LONGEST_PAUSE_MS);
    this.#waiting.set(id, { since, nextTry: now + pause, pause: next });
    return true;
  }

  done(id: Hex): void {
    this.#waiting.delete(id);
  }

  /** What was taken away meanwhile is remembered no longer than it could be redeemed. */
  #forgetOld(now: number): void {
    for (const [id, { since }] of this.#waiting) {
      if (now - since > 2 * REDEEMABLE_MS) this.#waiting.delete(id);
    }
  }
}
