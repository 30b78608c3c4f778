// SPDX-License-Identifier: Apache-2.0
import {
  LEAF_FORMAT,
  MerkleTree,
  RECEIPT_FORMAT,
  indexRef,
  toHex,
  type Hex,
  type Leaf,
  type Receipt,
} from "../crypto/index.js";
import type { Chain } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState } from "./journal-schema.js";
import type { Journal } from "./journal.js";
import type { JournalBatch, JournalItem } from "./journal-rows.js";

/** Trees kept at hand: older and newer entries of a supersession are seldom of one batch. */
const MOST_TREES = 8;
const NO_REF: Hex = `0x${"00".repeat(32)}`;

/** An anchored entry as the contracts take it, and where its body is. */
export interface AnchoredEntry {
  leaf: Leaf;
  firstIndex: number;
  count: number;
  proof: Hex[];
  cid: string;
}

/** What a leaf needs that an item has once it is batched. */
export type LeafItem = Pick<
  JournalItem,
  | "patientId"
  | "compartment"
  | "recordedDay"
  | "contentDigest"
  | "salt"
  | "logIndex"
  | "patientSeq"
  | "amendedIndex"
  | "kind"
  | "ref"
>;

/** The leaf of a batched item. */
export function leafOf(memberId: number, item: LeafItem): Leaf {
  const { patientId, compartment, contentDigest, salt, logIndex, patientSeq, amendedIndex } = item;
  if (
    patientId === undefined ||
    compartment === undefined ||
    contentDigest === undefined ||
    salt === undefined ||
    logIndex === undefined ||
    patientSeq === undefined
  ) {
    throw new ChartsealError(
      "ERR_STORE_FAILED",
      "the journal holds a batched item without its leaf's fields",
    );
  }
  return {
    format: LEAF_FORMAT,
    memberId,
    index: logIndex,
    kind: item.kind,
    compartment,
    recordedDay: item.recordedDay,
    patientId,
    patientSeq,
    ref: item.ref ?? (amendedIndex === undefined ? NO_REF : indexRef(amendedIndex)),
    contentDigest: toHex(contentDigest),
    salt: toHex(salt),
  };
}

/** Builds entries and receipts out of a member's own journal. Keeps the trees it used last. */
export class Entries {
  readonly #journal: Journal;
  readonly #memberId: number;
  readonly #trees = new Map<Hex, MerkleTree>();

  constructor(journal: Journal, memberId: number) {
    this.#journal = journal;
    this.#memberId = memberId;
  }

  /** @throws ERR_USAGE when there is no such anchored entry */
  at(logIndex: number): AnchoredEntry {
    const item = this.#journal.itemAt(logIndex);
    if (item === undefined)
      throw new ChartsealError("ERR_USAGE", `this member's log has no entry ${logIndex}`);
    return this.of(item);
  }

  of(item: JournalItem): AnchoredEntry {
    const batch = item.batchId === undefined ? undefined : this.#journal.batch(item.batchId);
    if (batch === undefined || item.state !== ItemState.ANCHORED || item.cid === undefined) {
      throw new ChartsealError("ERR_USAGE", `item ${item.id} is not anchored yet`, { retryable: true });
    }
    const leaf = this.leaf(item);
    const proof = this.#treeOf(batch).proof(leaf.index - batch.firstIndex);
    return { leaf, firstIndex: batch.firstIndex, count: batch.count, proof: proof.map(toHex), cid: item.cid };
  }

  leaf(item: JournalItem): Leaf {
    return leafOf(this.#memberId, item);
  }

  /** The receipt of an anchored entry. */
  receipt(logIndex: number, chain: Chain): Receipt {
    const item = this.#journal.itemAt(logIndex);
    const { leaf, firstIndex, count, proof, cid } = this.at(logIndex);
    const batch = this.#journal.batch(item!.batchId!)!;
    return {
      format: RECEIPT_FORMAT,
      leaf,
      proof,
      batch: {
        memberId: this.#memberId,
        firstIndex,
        count,
        root: toHex(batch.root),
        manifestDigest: toHex(batch.manifestDigest),
      },
      anchor: {
        chainId: chain.deployment.chainId,
        contract: chain.deployment.records,
        blockNumber: batch.blockNumber ?? 0,
        blockHash: batch.blockHash ?? NO_REF,
        transactionHash: batch.transactionHash ?? NO_REF,
      },
      cid,
    };
  }

  #treeOf(batch: JournalBatch): MerkleTree {
    const root = toHex(batch.root);
    const known = this.#trees.get(root);
    if (known !== undefined) return known;
    const tree = MerkleTree.of(this.#journal.leafHashesOf(batch.id));
    if (this.#trees.size >= MOST_TREES) this.#trees.delete(this.#trees.keys().next().value!);
    this.#trees.set(root, tree);
    return tree;
  }
}
