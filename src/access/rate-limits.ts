// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

/** At most `burst` at once, and `perSecond` from then on. */
export interface Rate {
  burst: number;
  perSecond: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds, as performance.now() gives them. */
  filledAt: number;
}

/** Buckets that are kept: one that is full again says nothing and is forgotten first. */
const MOST_BUCKETS = 10_000;

/**
 * A token bucket for each key. Give it only keys that were proven (who signed, whose staff he is): under a name that
 * anyone can claim, anyone could use up another's.
 */
export class RateLimit {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, now = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** @throws ERR_RATE_LIMITED with `values.retryAfter`, in seconds */
  take(key: string): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#now();
    const { tokens, filledAt } = this.#buckets.get(key) ?? { tokens: burst, filledAt: now };
    const filled = Math.min(burst, tokens + ((now - filledAt) / 1_000) * perSecond);
    const left = filled >= 1 ? filled - 1 : filled;
    // Those that were used last stand at the end of the map.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: left, filledAt: now });
    if (this.#buckets.size > MOST_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (filled >= 1) return;
    throw new ChartsealError("ERR_RATE_LIMITED", "asked too often", {
      values: { retryAfter: Math.ceil((1 - filled) / perSecond) },
      retryable: true,
    });
  }
}
