// SPDX-License-Identifier: Apache-2.0
import { LeafKind, toHex, type Hex, type SupportingKind } from "../crypto/index.js";
import type { Database, SqlRow } from "../sqlite.js";
import type { ItemEvent, PatientRef } from "./item.js";
import { ItemState, type EventState } from "./journal-schema.js";

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
  administrative?: boolean;
  /** Kept until it is followed. */
  event?: ItemEvent;
}

/** By what an item is known again: keyed hashes of its source key, and of that with its bytes. */
export interface ItemMacs {
  sourceMac: Uint8Array;
  itemMac: Uint8Array;
}

export interface NewItem extends ItemMacs {
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
  withdrawn?: number;
  event?: EventState;
}

/** All that the journal still says of an erased item. */
export const ERASED_DETAILS: ItemDetails = {
  sourceKey: "",
  label: "erased",
  path: "",
  mediaType: "",
  size: 0,
};

/** What a supporting leaf stands for: its kind, and by kind a terms hash, access id or erased index (32 bytes). */
export interface Supports {
  kind: SupportingKind;
  ref: Hex;
}

export interface JournalItem {
  id: number;
  itemMac: Uint8Array;
  sourceMac: Uint8Array;
  state: ItemState;
  recordId: Uint8Array | undefined;
  cid: string | undefined;
  contentDigest: Uint8Array | undefined;
  recordedDay: number;
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
  /** Its source took it back: by the how manieth withdrawal. `retracted` follows once it is so on chain. */
  withdrawn: number | undefined;
  event: EventState | undefined;
  /** Authenticates the row, as it was read. */
  rowMac: Uint8Array | undefined;
}

/** A row that is not as chartseal wrote it: nothing of it but its number may be used. */
export interface AlteredRow {
  id: number;
  altered: true;
}

export function isAlteredRow(row: JournalItem | AlteredRow): row is AlteredRow {
  return "altered" in row;
}

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

/** The columns that {@link itemOf} reads. */
export const ITEM_COLUMNS = `id, item_mac, source_mac, state, record_id, cid, content_digest, recorded_day, reason,
  patient_id, compartment, amends, amended_index, salt, batch_id, log_index, patient_seq, leaf_hash, superseded_by,
  retracted, kind, ref, erased, withdrawn, event, row_mac`;

/** What stands in a row, authentic or not: {@link RowMacs} tells. */
export function itemOf(row: SqlRow): JournalItem {
  return {
    id: Number(row["id"]),
    itemMac: bytes(row["item_mac"]) ?? NOTHING,
    sourceMac: bytes(row["source_mac"]) ?? NOTHING,
    state: Number(row["state"]) as ItemState,
    recordId: bytes(row["record_id"]),
    cid: text(row["cid"]),
    contentDigest: bytes(row["content_digest"]),
    recordedDay: Number(row["recorded_day"]),
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
    withdrawn: number(row["withdrawn"]),
    event: number(row["event"]) as EventState | undefined,
    rowMac: bytes(row["row_mac"]),
  };
}

/** The row of a new item, before it has a place in the log. */
export function newRow(id: number, item: NewItem): JournalItem {
  const { itemMac, sourceMac, state, sealed, recordedDay, reason, patient, amends, supports } = item;
  return {
    id,
    itemMac,
    sourceMac,
    state,
    recordId: sealed?.recordId,
    cid: sealed?.cid,
    contentDigest: sealed?.contentDigest,
    recordedDay,
    reason,
    patientId: patient?.patientId,
    compartment: patient?.compartment,
    amends,
    amendedIndex: undefined,
    salt: undefined,
    batchId: undefined,
    logIndex: undefined,
    patientSeq: undefined,
    leafHash: undefined,
    supersededBy: undefined,
    retracted: false,
    kind: supports?.kind ?? LeafKind.RECORD,
    ref: supports?.ref,
    erased: false,
    withdrawn: item.withdrawn,
    event: item.event,
    rowMac: undefined,
  };
}

/** Writes a new item's row. @returns false when the item is there already */
export function insertItem(
  database: Database,
  row: JournalItem,
  { details, receivedAt, rowMac }: { details: Uint8Array; receivedAt: number; rowMac: Uint8Array },
): boolean {
  const added = database.run(
    `INSERT INTO items (id, item_mac, source_mac, state, record_id, cid, content_digest, details, recorded_day,
       received_at, reason, patient_id, compartment, amends, kind, ref, withdrawn, event, row_mac)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19
     WHERE NOT EXISTS (SELECT 1 FROM items WHERE source_mac = ?3 AND item_mac = ?2)
     ON CONFLICT (item_mac) WHERE state = ${ItemState.DEAD} DO NOTHING`,
    row.id,
    row.itemMac,
    row.sourceMac,
    row.state,
    row.recordId ?? null,
    row.cid ?? null,
    row.contentDigest ?? null,
    details,
    row.recordedDay,
    receivedAt,
    row.reason ?? null,
    blobOf(row.patientId),
    row.compartment ?? null,
    row.amends ?? null,
    row.kind,
    blobOf(row.ref),
    row.withdrawn ?? null,
    row.event ?? null,
    rowMac,
  );
  return added > 0;
}

/** Hex as the BLOB of its bytes. */
export function blobOf(hexText: Hex | undefined): Uint8Array | null {
  return hexText === undefined ? null : Buffer.from(hexText.slice(2), "hex");
}

/** What stands in a batch's row, authentic or not: {@link RowMacs} tells. */
export function batchOf(row: SqlRow): JournalBatch {
  return {
    id: Number(row["id"]),
    state: Number(row["state"]) as ItemState,
    firstIndex: Number(row["first_index"]),
    count: Number(row["count"]),
    root: bytes(row["root"]) ?? NOTHING,
    manifestDigest: bytes(row["manifest_digest"]) ?? NOTHING,
    manifestCid: String(row["manifest_cid"]),
    rawTransaction: text(row["raw_transaction"]) as Hex | undefined,
    transactionHash: text(row["transaction_hash"]) as Hex | undefined,
    blockNumber: number(row["block_number"]),
    blockHash: text(row["block_hash"]) as Hex | undefined,
    gasUsed: number(row["gas_used"]),
  };
}

const NOTHING = new Uint8Array(0);

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
