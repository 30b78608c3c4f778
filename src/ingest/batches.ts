// SPDX-License-Identifier: Apache-2.0
import { MerkleTree, encodeBatchManifest, toHex, type Hex } from "../crypto/index.js";
import {
  ERASED_UNPLACED,
  ItemState,
  UNPLACED,
  applyChange,
  isAlteredRow,
  setAside,
  type Anchoring,
  type Journal,
  type JournalBatch,
} from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { BatchPlace, PlacedItem } from "./places.js";

/** A batch that is built but not in the journal yet. */
export interface DraftBatch {
  id: number;
  firstIndex: number;
  root: Uint8Array;
  manifestDigest: Uint8Array;
  manifestCid: string;
  items: readonly PlacedItem[];
}

/**
 * Most items of a batch: its manifest of 69 bytes an entry must stay one block of 1 MiB, so that its CID follows
 * from the digest on chain.
 */
export const MOST_BATCH_ITEMS = 10_000;

/** The number that the next batch gets. Nobody else makes one while the caller has the journal's lock. */
export function nextBatch({ database }: Journal): number {
  return Number(database.get("SELECT max(id) AS last FROM batches")!["last"] ?? 0) + 1;
}

/** Builds the tree of items that were placed in batch `id` from `firstIndex` on, and stores the batch manifest. */
export async function draftBatch(
  { memberId, store }: { memberId: number; store: BlobStore },
  { id, firstIndex }: BatchPlace,
  items: readonly PlacedItem[],
): Promise<DraftBatch> {
  const manifest = encodeBatchManifest({
    memberId,
    firstIndex,
    entries: items.map(({ cid, leafHash }) => ({ leafHash: toHex(leafHash), cid })),
  });
  const stored = await store.put(manifest);
  const { root } = MerkleTree.of(items.map(({ leafHash }) => leafHash));
  return { id, firstIndex, root, manifestDigest: stored.sha256, manifestCid: stored.cid, items };
}

/** Writes a batch with its signed transaction, in one commit, before anything is sent. */
export function recordBatch(
  journal: Journal,
  draft: DraftBatch,
  signed: { raw: Hex; hash: Hex },
): JournalBatch {
  const { database } = journal;
  return database.transaction(() => {
    const { id, items, ...facts } = draft;
    const count = items.length;
    database.run(
      `INSERT INTO batches (id, state, first_index, count, root, manifest_digest, manifest_cid, raw_transaction,
         transaction_hash, row_mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      ItemState.BATCHED,
      facts.firstIndex,
      count,
      facts.root,
      facts.manifestDigest,
      facts.manifestCid,
      signed.raw,
      signed.hash,
      journal.rows.macOfBatch({ id, count, ...facts }),
    );
    for (const { change } of items) applyChange(database, change);
    return journal.batch(id)!;
  });
}

/** Replaces the signed transaction of a batch that was not mined: same entries, another nonce. */
export function resign(journal: Journal, batch: JournalBatch, signed: { raw: Hex; hash: Hex }): JournalBatch {
  journal.database.run(
    "UPDATE batches SET raw_transaction = ?, transaction_hash = ? WHERE id = ?",
    signed.raw,
    signed.hash,
    batch.id,
  );
  return { ...batch, rawTransaction: signed.raw, transactionHash: signed.hash };
}

/** Takes note that a batch was sent. Its items stay BATCHED: to write a thousand rows more would say nothing new. */
export function setSubmitted(journal: Journal, batch: JournalBatch): void {
  journal.database.run("UPDATE batches SET state = ? WHERE id = ?", ItemState.SUBMITTED, batch.id);
}

export function setState(
  journal: Journal,
  batch: JournalBatch,
  state: typeof ItemState.BATCHED | typeof ItemState.ANCHORED,
): void {
  journal.database.transaction(() => {
    journal.database.run("UPDATE batches SET state = ? WHERE id = ?", state, batch.id);
    journal.database.run("UPDATE items SET state = ? WHERE batch_id = ?", state, batch.id);
  });
}

export function setAnchored(journal: Journal, batch: JournalBatch, anchoring: Anchoring): void {
  journal.database.transaction(() => {
    journal.database.run(
      `UPDATE batches SET transaction_hash = ?, block_number = ?, block_hash = ?, gas_used = ?,
         raw_transaction = NULL WHERE id = ?`,
      anchoring.transactionHash,
      anchoring.blockNumber,
      anchoring.blockHash,
      anchoring.gasUsed,
      batch.id,
    );
    setState(journal, batch, ItemState.ANCHORED);
  });
}

/** Takes batches apart whose place in the log another batch took: their items get new indices. */
export function dissolve(journal: Journal, batches: readonly JournalBatch[]): void {
  journal.database.transaction(() => {
    for (const { id } of batches) {
      for (const item of journal.itemsOfBatch(id)) {
        if (isAlteredRow(item)) setAside(journal, item.id);
        else journal.change(item, item.erased ? ERASED_UNPLACED : { state: ItemState.SEALED, ...UNPLACED });
      }
      journal.database.run("DELETE FROM batches WHERE id = ?", id);
    }
  });
}
