// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 250;
/** Milliseconds after which a request is sent again: someone may have written over it. */
const RESEND_AFTER_MS = 10_000;
/** Milliseconds after which a request that could not be sent is tried again. */
const FAILED_PAUSE_MS = 1_000;

export interface Asking<T> {
  send: (signal: AbortSignal) => Promise<void>;
  /** The answer, once it is there. */
  look: () => Promise<T | undefined>;
  /** Hears why the request could not be sent for now. */
  onProblem?: (problem: ChartsealError) => void;
}

/**
 * Sends a request, and again while it may have been lost or could not be taken, until its answer is there.
 * @param timeoutMs Milliseconds that the other member has
 * @returns undefined when there was no answer in that time
 * @throws what sending again would not change; what `look` throws; the signal's reason
 */
export async function ask<T>(
  { send, look, onProblem }: Asking<T>,
  { timeoutMs, signal: own }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<T | undefined> {
  const giveUp = performance.now() + timeoutMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = own === undefined ? deadline : AbortSignal.any([deadline, own]);
  let sendAt = -Infinity;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, LAST_POLL_MS)) {
    own?.throwIfAborted();
    const answer = await look();
    if (answer !== undefined) return answer;
    if (performance.now() >= giveUp) return undefined;
    if (performance.now() >= sendAt) {
      sendAt = performance.now() + (await sendAgainIn(() => send(signal), onProblem));
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/**
 * Milliseconds after which to send again. What stands in the way for a while is no more than a problem.
 * @throws what sending again would not change
 */
async function sendAgainIn(
  send: () => Promise<void>,
  onProblem?: (problem: ChartsealError) => void,
): Promise<number> {
  try {
    await send();
    return RESEND_AFTER_MS;
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return RESEND_AFTER_MS;
    if (!(error instanceof ChartsealError)) throw error;
    if (error.code !== "ERR_TIMEOUT" && error.code !== "ERR_RATE_LIMITED") throw error;
    onProblem?.(error);
    const { retryAfter } = error.values;
    return typeof retryAfter === "number" ? retryAfter * 1_000 : FAILED_PAUSE_MS;
  }
}
