// SPDX-License-Identifier: Apache-2.0
import type { Log, TransactionReceipt } from "ethers";
import { holdsEvent, readLogs, type Chain, type Writer } from "../chain/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, type Anchoring, type Journal, type JournalBatch } from "../records/index.js";
import { dissolve, setAnchored, setState } from "./batches.js";
import { settle } from "./settle.js";

/** How long a node that lags behind what it showed before may take to catch up, in milliseconds. */
const LAG_GRACE_MS = 3_000;
const POLL_MS = 100;

export interface ReconcileParts {
  memberId: number;
  journal: Journal;
  chain: Chain;
  writer: Writer;
  signal?: AbortSignal | undefined;
}

/**
 * Brings the journal to what the chain holds, after a start or a doubt. First every transaction that was signed is
 * settled, so that none can be mined later; then all is judged at one and the same block, since two nodes behind one
 * address may be at different ones. What is on chain is anchored; a batch whose place another took is taken apart,
 * and its items get new indices.
 * @returns the batches found anchored, and those to be signed anew, in log order
 */
export async function reconcile(
  parts: ReconcileParts,
): Promise<{ anchored: JournalBatch[]; unsent: JournalBatch[] }> {
  const { journal, memberId, chain } = parts;
  const block = await caughtUp(parts, await settle(parts));
  await unanchorLost(parts, block);
  const head = Number(await chain.ask(() => chain.records.headOf(memberId, { blockTag: block })));
  const anchored: JournalBatch[] = [];
  const missing: JournalBatch[] = [];
  for (const batch of journal.openBatches()) {
    if ((await rootAt(parts, batch, block)) === toHex(batch.root)) {
      setAnchored(journal, batch, await anchoringOf(parts, batch));
      anchored.push(journal.batch(batch.id)!);
    } else missing.push(batch);
  }
  const unsent: JournalBatch[] = [];
  let next = head + 1;
  for (const batch of missing) {
    if (batch.firstIndex !== next) break;
    unsent.push(batch);
    next += batch.count;
  }
  dissolve(journal, missing.slice(unsent.length));
  return { anchored, unsent };
}

/** Waits a little for a node that is behind the block of the newest anchored batch. */
async function caughtUp(parts: ReconcileParts, block: number): Promise<number> {
  const { journal, chain, signal } = parts;
  const seen = journal.newestAnchored()?.blockNumber ?? 0;
  const giveUp = performance.now() + LAG_GRACE_MS;
  let now = block;
  while (now < seen && performance.now() < giveUp) {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    now = await chain.ask(() => chain.provider.getBlockNumber());
  }
  return now;
}

/** A node that lost its last blocks: what they held is anchored no more, and is sent again. */
async function unanchorLost(parts: ReconcileParts, block: number): Promise<void> {
  const { journal, chain } = parts;
  for (;;) {
    const newest = journal.newestAnchored();
    if (newest === undefined || (await rootAt(parts, newest, block)) === toHex(newest.root)) return;
    if ((await chain.ask(() => chain.provider.send("eth_syncing", []))) !== false) {
      throw new ChartsealError(
        "ERR_RPC_UNAVAILABLE",
        "the node still syncs: it does not show what was anchored before",
        {
          values: { firstIndex: newest.firstIndex },
          hint: "wait until it has caught up",
          retryable: true,
        },
      );
    }
    setState(journal, newest, ItemState.BATCHED);
  }
}

async function rootAt(
  { chain, memberId }: ReconcileParts,
  { firstIndex, count }: JournalBatch,
  blockTag: number,
): Promise<Hex | undefined> {
  try {
    const { root } = await chain.ask(() =>
      chain.records.rootAndStatus(memberId, firstIndex, count, firstIndex, { blockTag }),
    );
    return root as Hex;
  } catch (error) {
    if (error instanceof ChartsealError && error.values["reason"] === "BatchUnknown") return undefined;
    throw error;
  }
}

/** Where a batch was mined that is known to be on chain. */
async function anchoringOf(parts: ReconcileParts, batch: JournalBatch): Promise<Anchoring> {
  const { chain, memberId, journal } = parts;
  const hash = batch.transactionHash;
  const own = hash === undefined ? null : await chain.ask(() => chain.provider.getTransactionReceipt(hash));
  const anchoring = own === null ? undefined : await anchoringBy(parts, batch, own);
  if (anchoring !== undefined) return anchoring;
  // The batch was signed twice and the other transaction was mined; or the node's receipt is false.
  const topics = chain.records.interface.encodeFilterTopics("BatchAnchored", [memberId]) as string[];
  const fromBlock = journal.newestAnchored(batch.firstIndex)?.blockNumber ?? chain.deployment.fromBlock;
  for await (const log of readLogs(chain, { address: chain.deployment.records, topics, fromBlock })) {
    const event = chain.records.interface.parseLog(log);
    if (Number(event?.args["firstIndex"]) !== batch.firstIndex) continue;
    const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(log.transactionHash));
    // The root is known to be on chain, so the log is believed where the receipt cannot be.
    if (receipt !== null) return (await anchoringBy(parts, batch, receipt)) ?? anchoringFrom(log, receipt);
  }
  throw new ChartsealError(
    "ERR_CHAIN_MISMATCH",
    `the chain holds batch ${batch.firstIndex} but no event of it`,
    {
      values: { firstIndex: batch.firstIndex },
      hint: "the node's logs are incomplete; sync it again",
    },
  );
}

/**
 * Where a batch was mined, by a receipt. What is written down of it goes into receipts for patients, so a node's word
 * is not enough.
 * @returns undefined unless the receipt holds the batch's own event, in a block that there is
 */
export async function anchoringBy(
  { chain, memberId }: Pick<ReconcileParts, "chain" | "memberId">,
  { firstIndex, count, root, manifestDigest }: JournalBatch,
  receipt: TransactionReceipt,
): Promise<Anchoring | undefined> {
  if (receipt.status !== 1) return undefined;
  const values = [memberId, firstIndex, count, root, manifestDigest];
  const event = chain.records.interface.encodeEventLog("BatchAnchored", values);
  if (!holdsEvent(receipt, chain.deployment.records, event)) return undefined;
  const block = await chain.ask(() => chain.provider.getBlock(receipt.blockNumber));
  if (block?.hash !== receipt.blockHash) return undefined;
  const { hash: transactionHash, blockNumber, blockHash } = receipt;
  return anchoringFrom({ transactionHash, blockNumber, blockHash }, receipt);
}

function anchoringFrom(
  { transactionHash, blockNumber, blockHash }: Pick<Log, "transactionHash" | "blockNumber" | "blockHash">,
  { gasUsed }: TransactionReceipt,
): Anchoring {
  return {
    transactionHash: transactionHash as Hex,
    blockNumber,
    blockHash: blockHash as Hex,
    gasUsed: Number(gasUsed),
  };
}
