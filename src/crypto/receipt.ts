// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { isHex } from "./bytes.js";
import type { Hex } from "./bytes.js";
import { parseCid } from "./cid.js";
import { leafFromJson } from "./leaf.js";
import type { Leaf } from "./leaf.js";
import { StrictObject } from "./strict-json.js";

/** The receipt format this version writes and reads. */
export const RECEIPT_FORMAT = 1;

/** Evidence that an entry is in a member's record log: one JSON file. */
export interface Receipt {
  /** {@link RECEIPT_FORMAT} */
  format: number;
  leaf: Leaf;
  /** Inclusion proof from the leaf upward: 32 bytes each. */
  proof: Hex[];
  batch: ReceiptBatch;
  anchor: ReceiptAnchor;
  /** Where the sealed record is stored: CIDv1 in base32. */
  cid: string;
}

/** The batch that the leaf is in. */
export interface ReceiptBatch {
  memberId: number;
  /** Log index of the batch's first entry, from 1. */
  firstIndex: number;
  /** Entries in the batch, from 1. */
  count: number;
  /** Merkle root: 32 bytes. */
  root: Hex;
  /** SHA-256 of the batch manifest: 32 bytes. */
  manifestDigest: Hex;
}

/** Where the batch was anchored. */
export interface ReceiptAnchor {
  chainId: number;
  /** Address of the RecordRegistry: 20 bytes. */
  contract: Hex;
  blockNumber: number;
  /** 32 bytes. */
  blockHash: Hex;
  /** 32 bytes. */
  transactionHash: Hex;
}

const UINT32_MAX = 0xffff_ffff;
// A tree of 2^32 leaves, the most a batch can count, has proofs of 32 hashes.
const PROOF_MAX_LENGTH = 32;

/**
 * Reads a receipt, as JSON text or parsed. It checks the shape only; {@link verifyReceipt} says what it is
 * worth.
 *
 * @throws ChartsealError ERR_RECEIPT_INVALID when it is no receipt, ERR_FORMAT_UNSUPPORTED for another format
 */
export function parseReceipt(value: unknown): Receipt {
  const code = "ERR_RECEIPT_INVALID";
  const fields =
    typeof value === "string"
      ? StrictObject.parse(value, "receipt", code)
      : new StrictObject(value, "receipt", code);
  fields.format(RECEIPT_FORMAT);
  const leaf = leafFromJson(fields.object("leaf"));
  const proof = fields.array("proof", PROOF_MAX_LENGTH).map((node) => {
    if (isHex(node, 32)) return node;
    throw new ChartsealError(code, "receipt is not valid: its proof must be hashes of 32 bytes");
  });
  const batch = readBatch(fields.object("batch"));
  const anchor = readAnchor(fields.object("anchor"));
  const cid = fields.string("cid");
  if (parseCid(cid) === undefined) {
    throw new ChartsealError(code, "receipt is not valid: its CID is not of the unixfs-v1-2025 profile");
  }
  fields.end();
  return { format: RECEIPT_FORMAT, leaf, proof, batch, anchor, cid };
}

function readBatch(fields: StrictObject): ReceiptBatch {
  const batch = {
    memberId: fields.uint("memberId", UINT32_MAX, 1),
    firstIndex: fields.uint("firstIndex", Number.MAX_SAFE_INTEGER, 1),
    count: fields.uint("count", UINT32_MAX, 1),
    root: fields.hex("root", 32),
    manifestDigest: fields.hex("manifestDigest", 32),
  };
  fields.end();
  return batch;
}

function readAnchor(fields: StrictObject): ReceiptAnchor {
  const anchor = {
    chainId: fields.uint("chainId", Number.MAX_SAFE_INTEGER),
    contract: fields.hex("contract", 20),
    blockNumber: fields.uint("blockNumber", Number.MAX_SAFE_INTEGER),
    blockHash: fields.hex("blockHash", 32),
    transactionHash: fields.hex("transactionHash", 32),
  };
  fields.end();
  return anchor;
}
