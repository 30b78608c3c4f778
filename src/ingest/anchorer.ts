// SPDX-License-Identifier: Apache-2.0
import type { Chain, SignedTransaction, Writer } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, type Journal, type JournalBatch } from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import { draftBatch, nextBatch, recordBatch, resign, setAnchored, setSubmitted } from "./batches.js";
import { placeItems, setAsideAll, type UnsoundItem } from "./places.js";
import { anchoringBy, reconcile } from "./reconcile.js";
import { RESEND_AFTER_MS, isNonceConflict, requireOperator } from "./settle.js";

/** Batches sent and not yet mined: 16,000 items a block of 1 s and a tenth of its gas, yet quickly signed anew. */
const MOST_IN_FLIGHT = 16;
/** `anchor` costs 60,000 (steady state) to 80,000 gas whatever the batch's size. */
const ANCHOR_GAS_LIMIT = 200_000n;
/** Reverted batches without one anchored between them, after which a person has to look. */
const MOST_REVERTS = 5;

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
  /** Hears of items that get no place in the log, because the journal was altered. */
  onUnsound?: (unsound: UnsoundItem) => void;
  signal?: AbortSignal | undefined;
}

/** Builds, sends and follows up batches. One at a time per member log: the journal's lock sees to that. */
export class Anchorer {
  readonly #parts: AnchorerParts;
  readonly #sentAt = new Map<number, number>();
  #sealedSince: number | undefined;
  /** What is on chain may differ from what the journal says: after a start, and after every failure. */
  #inDoubt = true;
  #reverts = 0;

  constructor(parts: AnchorerParts) {
    this.#parts = parts;
  }

  /**
   * Builds and sends what is due, and takes note of what was mined. `flush` closes incomplete batches.
   *
   * Nothing is anchored twice: the contract takes a batch only at the log's end, a signed transaction is in the
   * journal before it is sent, and is given up only when its nonce is used.
   * @throws ERR_RPC_UNAVAILABLE, ERR_TIMEOUT, ERR_CHAIN_REFUSED, ERR_CHAIN_MISMATCH: call again later
   * @throws what journal and store throw
   */
  async pump(flush: boolean): Promise<void> {
    const { journal } = this.#parts;
    try {
      if (this.#inDoubt) await this.#reconcile();
      for (const batch of journal.openBatches()) if (!(await this.#followUp(batch))) break;
      while (
        !this.#inDoubt &&
        journal.openBatches().length < MOST_IN_FLIGHT &&
        (await this.#closeBatch(flush))
      );
    } catch (error) {
      this.#inDoubt = true;
      throw error;
    }
  }

  /** True while items are sealed but not anchored. */
  get pending(): boolean {
    const { journal } = this.#parts;
    return journal.openBatches().length > 0 || journal.hasIn(ItemState.SEALED);
  }

  /** The next pump compares the journal with the chain, as after a start. */
  doubt(): void {
    this.#inDoubt = true;
  }

  async #reconcile(): Promise<void> {
    const { journal, chain, writer, onAnchored } = this.#parts;
    const { anchored, unsent } = await reconcile(this.#parts);
    this.#sentAt.clear();
    for (const batch of anchored) {
      this.#reverts = 0;
      onAnchored?.(batch);
    }
    // Else every attempt of an account that was revoked would be mined, and revert.
    if (unsent.length > 0) await requireOperator(chain, writer.address);
    this.#inDoubt = false;
    for (const batch of unsent) {
      if (!(await this.#send(resign(journal, batch, await this.#sign(batch))))) return;
    }
  }

  async #closeBatch(flush: boolean): Promise<boolean> {
    const { journal, batchItems, batchWait, onUnsound } = this.#parts;
    const sealed = journal.countIn(ItemState.SEALED, batchItems);
    if (sealed === 0) {
      this.#sealedSince = undefined;
      return false;
    }
    this.#sealedSince ??= performance.now();
    const due = flush || sealed >= batchItems || performance.now() - this.#sealedSince >= batchWait;
    if (!due) return false;
    const firstIndex = await this.#nextIndex();
    if (firstIndex === undefined) return false;
    this.#sealedSince = undefined;
    const place = { id: nextBatch(journal), firstIndex };
    const { placed, unsound } = placeItems(this.#parts, place, batchItems);
    setAsideAll(journal, unsound);
    for (const item of unsound) onUnsound?.(item);
    if (placed.length === 0) return true;
    const draft = await draftBatch(this.#parts, place, placed);
    const signed = await this.#sign({ ...draft, count: draft.items.length });
    await this.#send(recordBatch(journal, draft, signed));
    return true;
  }

  /** The log's next free index; undefined when the node shows less than was anchored already. */
  async #nextIndex(): Promise<number | undefined> {
    const { journal, chain, memberId } = this.#parts;
    const open = journal.openBatches().at(-1);
    if (open !== undefined) return open.firstIndex + open.count;
    const next = Number(await chain.ask(() => chain.records.headOf(memberId))) + 1;
    const newest = journal.newestAnchored();
    this.#inDoubt = newest !== undefined && next < newest.firstIndex + newest.count;
    return this.#inDoubt ? undefined : next;
  }

  async #sign(
    batch: Pick<JournalBatch, "firstIndex" | "count" | "root" | "manifestDigest">,
  ): Promise<SignedTransaction> {
    const { chain, writer } = this.#parts;
    const { firstIndex, count, root, manifestDigest } = batch;
    const call = await chain.records.anchor.populateTransaction(firstIndex, count, root, manifestDigest);
    return await writer.sign(call, ANCHOR_GAS_LIMIT);
  }

  /** @returns false when another transaction has the nonce: the next pump settles that */
  async #send(batch: JournalBatch): Promise<boolean> {
    try {
      await this.#parts.writer.send(batch.rawTransaction!);
    } catch (error) {
      if (!isNonceConflict(error)) throw error;
      this.#inDoubt = true;
      return false;
    }
    this.#sentAt.set(batch.id, performance.now());
    setSubmitted(this.#parts.journal, batch);
    return true;
  }

  /** @returns true when the batch is anchored, so that the next can be looked at */
  async #followUp(batch: JournalBatch): Promise<boolean> {
    const { journal, chain, onAnchored } = this.#parts;
    const hash = batch.transactionHash!;
    const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(hash));
    if (receipt === null) {
      if (performance.now() - (this.#sentAt.get(batch.id) ?? -Infinity) > RESEND_AFTER_MS)
        this.#inDoubt = true;
      return false;
    }
    const anchoring = await anchoringBy(this.#parts, batch, receipt);
    if (anchoring === undefined) {
      this.#inDoubt = true;
      if (receipt.status !== 1 && ++this.#reverts > MOST_REVERTS) throw revertsAlways(receipt.hash);
      return false;
    }
    setAnchored(journal, batch, anchoring);
    this.#sentAt.delete(batch.id);
    this.#reverts = 0;
    onAnchored?.(journal.batch(batch.id)!);
    return true;
  }
}

function revertsAlways(transaction: string): ChartsealError {
  return new ChartsealError("ERR_CHAIN_REFUSED", "the chain reverts batch after batch", {
    values: { transaction },
    hint: "run `chartseal doctor`; does another program anchor for this member?",
  });
}
