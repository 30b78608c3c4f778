// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";
import { readLogs, type Chain, type SignedTransaction, type Writer } from "../chain/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, type Anchoring, type Journal, type JournalBatch } from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import {
  batchableItems,
  dissolve,
  draftBatch,
  recordBatch,
  resign,
  setAnchored,
  setState,
  type DraftBatch,
} from "./batches.js";

/** Batches sent and not yet mined: enough to fill a 1 s block, few enough to re-sign quickly. */
const MOST_IN_FLIGHT = 4;
/** `anchor` costs 60,000 (steady state) to 80,000 gas whatever the batch's size. */
const ANCHOR_GAS_LIMIT = 200_000n;
/** Milliseconds after which an unmined transaction is sent again: a node may have dropped it. */
const RESEND_AFTER_MS = 30_000;

export interface AnchorerParts {
  memberId: number;
  journal: Journal;
  store: BlobStore;
  chain: Chain;
  writer: Writer;
  /** Most items of a batch. */
  batchItems: number;
  /** Milliseconds after which an incomplete batch is closed. */
  batchWait: number;
  onAnchored?: (batch: JournalBatch) => void;
}

/** Builds, sends and follows up batches. One at a time per member log: the journal's lock sees to that. */
export class Anchorer {
  readonly #parts: AnchorerParts;
  #sealedSince: number | undefined;
  #sentAt = new Map<number, number>();

  constructor(parts: AnchorerParts) {
    this.#parts = parts;
  }

  /**
   * Brings journal and chain together, after a start or a refusal: what is on chain is anchored; what is not is
   * sent again, with the same entries; a batch whose place another took is taken apart. Nothing can be anchored
   * twice, because the contract takes a batch only at the log's end.
   */
  async reconcile(): Promise<void> {
    const { journal, memberId, chain, writer } = this.#parts;
    writer.forgetNonces();
    const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
    // A restarted node may have lost its last blocks: what they held is anchored no more.
    const lost = journal.batches(head + 1).filter((batch) => batch.state === ItemState.ANCHORED);
    for (const batch of lost) setState(journal, batch, ItemState.BATCHED);
    for (const batch of journal.openBatches()) {
      const known = await this.#rootOnChain(batch);
      if (known === toHex(batch.root)) {
        setAnchored(journal, batch, await this.#anchoringOf(batch));
      } else if (batch.firstIndex <= head) {
        dissolve(journal, journal.openBatches());
        return;
      } else {
        await this.#resend(batch);
      }
    }
  }

  /** Builds and sends what is due, and takes note of what was mined. `flush` closes incomplete batches. */
  async pump(flush: boolean): Promise<void> {
    const { journal } = this.#parts;
    for (const batch of journal.openBatches()) if (!(await this.#followUp(batch))) break;
    while (journal.openBatches().length < MOST_IN_FLIGHT && (await this.#closeBatch(flush)));
  }

  /** True while items are sealed but not anchored. */
  get pending(): boolean {
    const { journal } = this.#parts;
    return journal.openBatches().length > 0 || batchableItems(journal, 1).length > 0;
  }

  async #closeBatch(flush: boolean): Promise<boolean> {
    const { journal, batchItems, batchWait } = this.#parts;
    const items = batchableItems(journal, batchItems);
    if (items.length === 0) {
      this.#sealedSince = undefined;
      return false;
    }
    this.#sealedSince ??= performance.now();
    const due = flush || items.length >= batchItems || performance.now() - this.#sealedSince >= batchWait;
    if (!due) return false;
    this.#sealedSince = undefined;
    const draft = await draftBatch(this.#parts, items, await this.#nextIndex());
    const signed = await this.#sign(draft.firstIndex, draft);
    recordBatch(journal, draft, signed);
    const batch = journal.batches(draft.firstIndex)[0]!;
    await this.#send(batch, signed.raw);
    return true;
  }

  async #nextIndex(): Promise<number> {
    const { journal, chain, memberId } = this.#parts;
    const last = journal.openBatches().at(-1);
    if (last !== undefined) return last.firstIndex + last.count;
    return Number(await chain.ask(() => chain.records.headOf(memberId))) + 1;
  }

  async #sign(
    firstIndex: number,
    batch: Pick<JournalBatch, "root" | "manifestDigest"> & ({ count: number } | Pick<DraftBatch, "items">),
  ): Promise<SignedTransaction> {
    const { chain, writer } = this.#parts;
    const count = "items" in batch ? batch.items.length : batch.count;
    const call = await chain.records.anchor.populateTransaction(firstIndex, count, batch.root, batch.manifestDigest);
    return await writer.sign(call, ANCHOR_GAS_LIMIT);
  }

  async #send(batch: JournalBatch, raw: Hex): Promise<void> {
    await this.#parts.writer.send(raw);
    this.#sentAt.set(batch.id, performance.now());
    setState(this.#parts.journal, batch, ItemState.SUBMITTED);
  }

  async #resend(batch: JournalBatch): Promise<void> {
    if (batch.rawTransaction !== undefined) {
      try {
        await this.#send(batch, batch.rawTransaction);
        return;
      } catch (error) {
        if (!(error instanceof ChartsealError) || error.values["reason"] !== "NONCE_USED") throw error;
      }
    }
    const signed = await this.#sign(batch.firstIndex, batch);
    resign(this.#parts.journal, batch, signed);
    await this.#send(batch, signed.raw);
  }

  /** @returns true when the batch is anchored, so that the next can be looked at */
  async #followUp(batch: JournalBatch): Promise<boolean> {
    const { journal, chain, onAnchored } = this.#parts;
    const hash = batch.transactionHash!;
    const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(hash));
    if (receipt === null) {
      const sentAt = this.#sentAt.get(batch.id);
      if (sentAt === undefined || performance.now() - sentAt > RESEND_AFTER_MS) await this.#resend(batch);
      return false;
    }
    if (receipt.status !== 1) {
      await this.#refused(receipt);
      return false;
    }
    setAnchored(journal, batch, anchoringFrom(receipt));
    this.#sentAt.delete(batch.id);
    onAnchored?.(journal.batch(batch.id)!);
    return true;
  }

  /** A reverted batch: either another took its place, or this operator may not anchor at all. */
  async #refused(receipt: TransactionReceipt): Promise<void> {
    const { chain, writer } = this.#parts;
    await chain.ask(() => chain.members.authorized.staticCall(writer.address, 1, 2));
    const before = this.#parts.journal.openBatches().map((batch) => batch.transactionHash);
    await this.reconcile();
    const after = this.#parts.journal.openBatches().map((batch) => batch.transactionHash);
    if (after.length > 0 && after[0] === before[0]) {
      throw new ChartsealError("ERR_CHAIN_REFUSED", "the chain reverts this batch again and again", {
        values: { transaction: receipt.hash },
        hint: "run `chartseal doctor`",
      });
    }
  }

  async #rootOnChain(batch: JournalBatch): Promise<Hex | undefined> {
    const { chain, memberId } = this.#parts;
    const { firstIndex, count } = batch;
    try {
      const found = await chain.ask(() => chain.records.rootAndStatus(memberId, firstIndex, count, firstIndex));
      return found.root as Hex;
    } catch (error) {
      if (error instanceof ChartsealError && error.values["reason"] === "BatchUnknown") return undefined;
      throw error;
    }
  }

  async #anchoringOf(batch: JournalBatch): Promise<Anchoring> {
    const { chain, memberId } = this.#parts;
    const hash = batch.transactionHash;
    const own = hash === undefined ? null : await chain.ask(() => chain.provider.getTransactionReceipt(hash));
    if (own?.status === 1) return anchoringFrom(own);
    // The transaction was signed twice and the other one was mined.
    const topics = chain.records.interface.encodeFilterTopics("BatchAnchored", [memberId]) as string[];
    for await (const log of readLogs(chain, { address: chain.deployment.records, topics })) {
      const event = chain.records.interface.parseLog(log);
      if (Number(event?.args["firstIndex"]) !== batch.firstIndex) continue;
      const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(log.transactionHash));
      if (receipt !== null) return anchoringFrom(receipt);
    }
    throw new ChartsealError("ERR_CHAIN_MISMATCH", `the chain holds batch ${batch.firstIndex} but no event of it`, {
      values: { firstIndex: batch.firstIndex },
      hint: "the node's logs are incomplete; sync it again",
    });
  }
}

function anchoringFrom(receipt: TransactionReceipt): Anchoring {
  return {
    transactionHash: receipt.hash as Hex,
    blockNumber: receipt.blockNumber,
    blockHash: receipt.blockHash as Hex,
    gasUsed: Number(receipt.gasUsed),
  };
}
