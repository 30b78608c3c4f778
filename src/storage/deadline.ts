// SPDX-License-Identifier: Apache-2.0

/**
 * Ends a call that takes too long. A call without a body has one allowance for all of it; one that streams starts
 * the clock anew for each piece and stops it while the caller himself is busy.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  /** Milliseconds of an allowance. */
  readonly ms: number;
  readonly #caller: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expired = false;

  constructor(ms: number, caller?: AbortSignal) {
    this.ms = ms;
    this.#caller = caller;
    caller?.addEventListener("abort", this.#onCaller, { once: true });
    if (caller?.aborted === true) this.#onCaller();
  }

  /** Aborts when time is up, or when the caller's own signal does. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was the time that was up. */
  get expired(): boolean {
    return this.#expired;
  }

  start(): void {
    this.pause();
    this.#timer = setTimeout(() => {
      this.#expired = true;
      this.#controller.abort();
    }, this.ms);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.pause();
    this.#caller?.removeEventListener("abort", this.#onCaller);
  }

  readonly #onCaller = (): void => this.#controller.abort(this.#caller?.reason);
}
