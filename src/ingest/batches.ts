// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { MerkleTree, encodeBatchManifest, leafHash, toHex, type Hex } from "../crypto/index.js";
import {
  ItemState,
  leafOf,
  type Anchoring,
  type Journal,
  type JournalBatch,
  type SealedItem,
} from "../records/index.js";
import type { BlobStore } from "../storage/index.js";

/** A batch that is built but not in the journal yet. */
export interface DraftBatch {
  firstIndex: number;
  root: Uint8Array;
  manifestDigest: Uint8Array;
  manifestCid: string;
  items: DraftItem[];
}

interface DraftItem {
  id: number;
  logIndex: number;
  patientSeq: number;
  amendedIndex: number | undefined;
  salt: Uint8Array;
  leafHash: Uint8Array;
}

/**
 * Most items of a batch: its manifest of 69 bytes an entry must stay one block of 1 MiB, so that its CID follows
 * from the digest on chain.
 */
export const MOST_BATCH_ITEMS = 10_000;

/** Bytes of a leaf's salt. */
const SALT_LENGTH = 32;

/** Gives items their indices from `firstIndex` on, builds their tree and stores the batch manifest. */
export async function draftBatch(
  parts: { memberId: number; journal: Journal; store: BlobStore },
  items: readonly SealedItem[],
  firstIndex: number,
): Promise<DraftBatch> {
  const { memberId, journal, store } = parts;
  const nextSeq = new Map<Hex, number>();
  const indexOf = new Map<number, number>();
  const salts = randomBytes(items.length * SALT_LENGTH);
  const drafted = items.map((item, position) => {
    const patientId = item.patientId!;
    const patientSeq = nextSeq.get(patientId) ?? lastSeq(journal, patientId) + 1;
    nextSeq.set(patientId, patientSeq + 1);
    const logIndex = firstIndex + position;
    indexOf.set(item.id, logIndex);
    const amendedIndex =
      item.amends === undefined
        ? undefined
        : (indexOf.get(item.amends) ?? journal.item(item.amends)?.logIndex);
    const placed = { ...item, salt: saltAt(salts, position), logIndex, patientSeq, amendedIndex };
    return { placed, leafHash: leafHash(leafOf(memberId, placed)) };
  });
  const manifest = encodeBatchManifest({
    memberId,
    firstIndex,
    entries: drafted.map(({ placed, leafHash: hash }) => ({ leafHash: toHex(hash), cid: placed.cid! })),
  });
  const stored = await store.put(manifest);
  return {
    firstIndex,
    root: MerkleTree.of(drafted.map((draft) => draft.leafHash)).root,
    manifestDigest: stored.sha256,
    manifestCid: stored.cid,
    items: drafted.map(({ placed, leafHash: hash }) => ({
      id: placed.id,
      logIndex: placed.logIndex,
      patientSeq: placed.patientSeq,
      amendedIndex: placed.amendedIndex,
      salt: placed.salt,
      leafHash: hash,
    })),
  };
}

/** Writes a batch with its signed transaction, in one commit, before anything is sent. */
export function recordBatch(
  journal: Journal,
  draft: DraftBatch,
  signed: { raw: Hex; hash: Hex },
): JournalBatch {
  const { database } = journal;
  return database.transaction(() => {
    database.run(
      `INSERT INTO batches (state, first_index, count, root, manifest_digest, manifest_cid, raw_transaction,
         transaction_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ItemState.BATCHED,
      draft.firstIndex,
      draft.items.length,
      draft.root,
      draft.manifestDigest,
      draft.manifestCid,
      signed.raw,
      signed.hash,
    );
    const batchId = Number(database.get("SELECT last_insert_rowid() AS id")!["id"]);
    for (const item of draft.items) {
      database.run(
        `UPDATE items SET state = ?, batch_id = ?, log_index = ?, patient_seq = ?, amended_index = ?, salt = ?,
           leaf_hash = ? WHERE id = ?`,
        ItemState.BATCHED,
        batchId,
        item.logIndex,
        item.patientSeq,
        item.amendedIndex ?? null,
        item.salt,
        item.leafHash,
        item.id,
      );
    }
    return journal.batch(batchId)!;
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

export function setState(journal: Journal, batch: JournalBatch, state: ItemState): void {
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
      journal.database.run(
        `UPDATE items SET state = ?, batch_id = NULL, log_index = NULL, patient_seq = NULL, amended_index = NULL,
           salt = NULL, leaf_hash = NULL WHERE batch_id = ?`,
        ItemState.SEALED,
        id,
      );
      journal.database.run("DELETE FROM batches WHERE id = ?", id);
    }
  });
}

function saltAt(salts: Uint8Array, position: number): Uint8Array {
  return salts.subarray(position * SALT_LENGTH, (position + 1) * SALT_LENGTH);
}

function lastSeq(journal: Journal, patientId: Hex): number {
  const row = journal.database.get(
    "SELECT max(patient_seq) AS seq FROM items WHERE patient_id = ?",
    Buffer.from(patientId.slice(2), "hex"),
  );
  return Number(row?.["seq"] ?? 0);
}
