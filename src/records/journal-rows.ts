// SPDX-License-Identifier: Apache-2.0
import { toHex, type Hex, type LeafKind, type SupportingKind } from "../crypto/index.js";
import type { SqlRow } from "../sqlite.js";
import type { PatientRef } from "./item.js";
import type { ItemState } from "./journal-schema.js";

/** What the journal keeps encrypted about an item: for people, and to find its patient later. */
export interface ItemDetails {
  sourceKey: string;
  label: string;
  path: string;
  mediaType: string;
  resourceType?: string;
  size: number;
  recordedAt?: string;
  /** Kept while the patient is unknown. */
  subjects?: readonly (readonly PatientRef[])[];
}

export interface NewItem {
  itemMac: Uint8Array;
  sourceMac: Uint8Array;
  state: ItemState;
  /** Left out for an item that could not be read. */
  sealed?: { recordId: Uint8Array; cid: string; contentDigest: Uint8Array };
  details: ItemDetails;
  recordedDay: number;
  /** Unix seconds. */
  receivedAt: number;
  /** Error code, of a dead item. */
  reason?: string;
  patient?: { patientId: Hex; compartment: number };
  /** The item that this one amends. */
  amends?: number;
  /** Left out for a record. */
  supports?: Supports;
}

/** What a supporting leaf stands for: its kind, and by kind a terms hash, access id or erased index (32 bytes). */
export interface Supports {
  kind: SupportingKind;
  ref: Hex;
}

export interface JournalItem {
  id: number;
  state: ItemState;
  recordId: Uint8Array | undefined;
  cid: string | undefined;
  contentDigest: Uint8Array | undefined;
  recordedDay: number;
  /** Unix seconds. */
  receivedAt: number;
  reason: string | undefined;
  patientId: Hex | undefined;
  compartment: number | undefined;
  amends: number | undefined;
  /** Log index of the entry that its leaf names as amended: fixed once the item is batched. */
  amendedIndex: number | undefined;
  salt: Uint8Array | undefined;
  batchId: number | undefined;
  logIndex: number | undefined;
  patientSeq: number | undefined;
  leafHash: Uint8Array | undefined;
  supersededBy: number | undefined;
  /** Marked as entered in error. */
  retracted: boolean;
  kind: LeafKind;
  /** Of all but records. */
  ref: Hex | undefined;
  /** Its key, body and details are gone. */
  erased: boolean;
}

/** What a batch needs of a sealed item. */
export type SealedItem = Pick<
  JournalItem,
  "id" | "cid" | "contentDigest" | "recordedDay" | "patientId" | "compartment" | "amends" | "kind" | "ref"
>;

export interface JournalBatch {
  id: number;
  state: ItemState;
  firstIndex: number;
  count: number;
  root: Uint8Array;
  manifestDigest: Uint8Array;
  manifestCid: string;
  rawTransaction: Hex | undefined;
  transactionHash: Hex | undefined;
  blockNumber: number | undefined;
  blockHash: Hex | undefined;
  gasUsed: number | undefined;
}

/** Where a batch was mined. */
export interface Anchoring {
  transactionHash: Hex;
  blockNumber: number;
  blockHash: Hex;
  gasUsed: number;
}

export function itemOf(row: SqlRow): JournalItem {
  return {
    id: Number(row["id"]),
    state: Number(row["state"]) as ItemState,
    recordId: bytes(row["record_id"]),
    cid: text(row["cid"]),
    contentDigest: bytes(row["content_digest"]),
    recordedDay: Number(row["recorded_day"]),
    receivedAt: Number(row["received_at"]),
    reason: text(row["reason"]),
    patientId: hex(row["patient_id"]),
    compartment: number(row["compartment"]),
    amends: number(row["amends"]),
    amendedIndex: number(row["amended_index"]),
    salt: bytes(row["salt"]),
    batchId: number(row["batch_id"]),
    logIndex: number(row["log_index"]),
    patientSeq: number(row["patient_seq"]),
    leafHash: bytes(row["leaf_hash"]),
    supersededBy: number(row["superseded_by"]),
    retracted: row["retracted"] === 1,
    kind: Number(row["kind"]) as LeafKind,
    ref: hex(row["ref"]),
    erased: row["erased"] === 1,
  };
}

export function sealedOf(row: SqlRow): SealedItem {
  return {
    id: Number(row["id"]),
    cid: text(row["cid"]),
    contentDigest: bytes(row["content_digest"]),
    recordedDay: Number(row["recorded_day"]),
    patientId: toHex(row["patient_id"] as Uint8Array),
    compartment: number(row["compartment"]),
    amends: number(row["amends"]),
    kind: Number(row["kind"]) as LeafKind,
    ref: hex(row["ref"]),
  };
}

export function batchOf(row: SqlRow): JournalBatch {
  return {
    id: Number(row["id"]),
    state: Number(row["state"]) as ItemState,
    firstIndex: Number(row["first_index"]),
    count: Number(row["count"]),
    root: row["root"] as Uint8Array,
    manifestDigest: row["manifest_digest"] as Uint8Array,
    manifestCid: String(row["manifest_cid"]),
    rawTransaction: text(row["raw_transaction"]) as Hex | undefined,
    transactionHash: text(row["transaction_hash"]) as Hex | undefined,
    blockNumber: number(row["block_number"]),
    blockHash: text(row["block_hash"]) as Hex | undefined,
    gasUsed: number(row["gas_used"]),
  };
}

function bytes(value: SqlRow[string] | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}
function hex(value: SqlRow[string] | undefined): Hex | undefined {
  return value instanceof Uint8Array ? toHex(value) : undefined;
}
function text(value: SqlRow[string] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
function number(value: SqlRow[string] | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
