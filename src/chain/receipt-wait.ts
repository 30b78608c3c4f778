// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";
import { ChartsealError } from "../errors.js";
import type { Chain } from "./chain.js";

const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 500;

/**
 * Waits until a transaction is mined.
 * @throws ERR_TIMEOUT (retryable) after the chain's confirmation timeout, ERR_RPC_UNAVAILABLE, or the signal's reason
 */
export async function waitForReceipt(
  chain: Chain,
  hash: string,
  signal?: AbortSignal,
): Promise<TransactionReceipt> {
  const look = async () => (await chain.ask(() => chain.provider.getTransactionReceipt(hash))) ?? undefined;
  return await poll(chain, hash, look, signal);
}

/** Looks again and again, ever more slowly, until there is something. Throws as {@link waitForReceipt}. */
export async function poll<T>(
  chain: Chain,
  hash: string,
  look: () => Promise<T | undefined>,
  signal?: AbortSignal,
): Promise<T> {
  const giveUp = performance.now() + chain.confirmationTimeoutMs;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, LAST_POLL_MS)) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    const left = giveUp - performance.now();
    if (left <= 0) throw notMined(hash, chain.confirmationTimeoutMs);
    await sleep(Math.min(pause, left), signal);
  }
}

function notMined(hash: string, milliseconds: number): ChartsealError {
  return new ChartsealError(
    "ERR_TIMEOUT",
    `transaction ${hash} was not mined within ${milliseconds / 1000} s`,
    {
      values: { transaction: hash },
      hint: "check that the chain makes blocks; the transaction may still be mined",
      retryable: true,
    },
  );
}

/** Ends early when the signal aborts. */
async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
  });
}
