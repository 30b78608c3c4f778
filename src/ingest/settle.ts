// SPDX-License-Identifier: Apache-2.0
import { Transaction } from "ethers";
import type { Chain, Writer } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Journal } from "../records/index.js";

const POLL_MS = 50;
/** Milliseconds after which an unmined transaction is sent again: a node may have dropped it. */
export const RESEND_AFTER_MS = 30_000;
/** As chain/writer.ts: QBFT halts for a minute when two of four validators stop. */
const SETTLE_TIMEOUT_MS = 5 * 60_000;
/** How long a nonce before ours may stay free, for another process may have signed for it, in milliseconds. */
const GAP_GRACE_MS = 2_000;
const PLAIN_TRANSFER_GAS = 21_000n;

export interface SettleParts {
  journal: Journal;
  chain: Chain;
  writer: Writer;
  signal?: AbortSignal | undefined;
}

interface Pending {
  raw: Hex;
  nonce: number;
}

/**
 * Sends every transaction that was signed for an open batch and waits until its nonce is used, by it or another.
 * Only then is it certain that none of them can still be mined, and that a batch may be signed anew or taken apart.
 * @returns a block at which that holds
 * @throws ERR_TIMEOUT (retryable) while the chain makes no blocks
 */
export async function settle(parts: SettleParts): Promise<number> {
  const { chain, writer } = parts;
  let block: number | undefined;
  for (const [account, pending] of byAccount(parts.journal)) {
    // The operator's key may have changed. What an account signed that may not anchor any more can but revert.
    const own = account === writer.address.toLowerCase();
    if (own || (await mayAnchor(chain, account))) block = await settleAccount(parts, account, pending);
  }
  writer.forgetNonces();
  return block ?? (await chain.ask(() => chain.provider.getBlockNumber()));
}

function byAccount(journal: Journal): Map<string, Pending[]> {
  const signed = journal.openBatches().flatMap(({ rawTransaction }) => {
    if (rawTransaction === undefined) return [];
    const { nonce, from } = Transaction.from(rawTransaction);
    return [{ raw: rawTransaction, nonce, account: from!.toLowerCase() }];
  });
  return Map.groupBy(signed, ({ account }) => account);
}

async function settleAccount(
  parts: SettleParts,
  account: string,
  pending: readonly Pending[],
): Promise<number> {
  const { chain, writer, signal } = parts;
  const own = account === writer.address.toLowerCase();
  const giveUp = performance.now() + SETTLE_TIMEOUT_MS;
  let sentAt = -Infinity;
  let gapSince: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const block = await chain.ask(() => chain.provider.getBlockNumber());
    const used = await chain.ask(() => chain.provider.getTransactionCount(account, block));
    const left = pending.filter(({ nonce }) => nonce >= used);
    if (left.length === 0) return block;
    if (performance.now() - sentAt > RESEND_AFTER_MS) {
      for (const { raw } of left) await offer(writer, raw);
      sentAt = performance.now();
    }
    const gap = own && left.every(({ nonce }) => nonce > used);
    gapSince = gap ? (gapSince ?? performance.now()) : undefined;
    if (gapSince !== undefined && performance.now() - gapSince > GAP_GRACE_MS) {
      await fillGap(writer);
      gapSince = undefined;
    }
    if (performance.now() > giveUp) throw unsettled(left.length);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function mayAnchor(chain: Chain, account: string): Promise<boolean> {
  try {
    await requireOperator(chain, account);
    return true;
  } catch (error) {
    if (error instanceof ChartsealError && error.values["reason"] !== undefined) return false;
    throw error;
  }
}

/** @throws ERR_CHAIN_REFUSED with the contract's reason when the account may not anchor */
export async function requireOperator(chain: Chain, account: string): Promise<void> {
  const OPERATOR = 1; // Roles.sol
  const WRITING = 2; // Suspension.sol
  await chain.ask(() => chain.members.authorized.staticCall(account, OPERATOR, WRITING));
}

/** Sends a transaction; one whose nonce another took, or holds in the node's pool, is no error. */
async function offer(writer: Writer, raw: Hex): Promise<void> {
  try {
    await writer.send(raw);
  } catch (error) {
    if (!isNonceConflict(error)) throw error;
  }
}

/** True when another transaction of the account used the nonce, or waits with it. */
export function isNonceConflict(error: unknown): boolean {
  if (!(error instanceof ChartsealError)) return false;
  const { code } = (error.cause ?? {}) as { code?: string };
  return error.values["reason"] === "NONCE_USED" || code === "REPLACEMENT_UNDERPRICED";
}

/** Uses up the account's next nonce: a node that lost blocks lost what had used it before. */
async function fillGap(writer: Writer): Promise<void> {
  writer.forgetNonces();
  const filler = await writer.sign({ to: writer.address, data: "0x" }, PLAIN_TRANSFER_GAS);
  await offer(writer, filler.raw);
}

function unsettled(transactions: number): ChartsealError {
  return new ChartsealError("ERR_TIMEOUT", `${transactions} transactions were not mined within 5 minutes`, {
    values: { transactions },
    hint: "check that the chain makes blocks; run again, nothing is lost or sent twice",
    retryable: true,
  });
}
