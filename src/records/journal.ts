// SPDX-License-Identifier: Apache-2.0
import { createHmac } from "node:crypto";
import { ChartsealError } from "../errors.js";
import { openDatabase, type Database, type SqlRow } from "../sqlite.js";
import { openCell, sealCell, type Vault } from "../vault/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import type { PatientRef } from "./item.js";
import { ItemState, JOURNAL_FORMAT, JOURNAL_SCHEMA } from "./journal-schema.js";

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
}

export interface JournalItem {
  id: number;
  state: ItemState;
  recordId: Uint8Array | undefined;
  cid: string | undefined;
  contentDigest: Uint8Array | undefined;
  recordedDay: number;
  reason: string | undefined;
  patientId: Hex | undefined;
  compartment: number | undefined;
  amends: number | undefined;
  salt: Uint8Array | undefined;
  batchId: number | undefined;
  logIndex: number | undefined;
  patientSeq: number | undefined;
  leafHash: Uint8Array | undefined;
  supersededBy: number | undefined;
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

/**
 * One member's own record log as this hospital knows it: every item it took, from its arrival to its anchor. A
 * SQLite file; without the vault's keys it shows no name, identifier, text or guessable hash.
 */
export class Journal implements Disposable {
  readonly database: Database;
  readonly #detailsKey: Uint8Array;
  readonly #dedupeKey: Uint8Array;
  #lock: Database | undefined;

  private constructor(database: Database, vault: Vault) {
    this.database = database;
    this.#detailsKey = vault.journalKey();
    this.#dedupeKey = vault.dedupeKey();
  }

  /** @throws ERR_CONFIG_INVALID, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED */
  static open(path: string, vault: Vault): Journal {
    const database = openDatabase(path, {
      format: JOURNAL_FORMAT,
      schema: JOURNAL_SCHEMA,
      damagedCode: "ERR_STORE_FAILED",
    });
    return new Journal(database, vault);
  }

  /**
   * Makes this process the log's one writer until it is disposed of; the operating system frees the lock of a
   * process that dies.
   * @throws ERR_JOURNAL_LOCKED while another process has it
   */
  lock(): void {
    if (this.#lock !== undefined) return;
    const path = `${this.database.path}.lock`;
    const lock = openDatabase(path, {
      format: 1,
      schema: "",
      damagedCode: "ERR_STORE_FAILED",
      busyTimeoutMs: 1,
    });
    try {
      lock.exec("BEGIN IMMEDIATE");
    } catch (cause) {
      lock.close();
      throw new ChartsealError("ERR_JOURNAL_LOCKED", `another process writes ${this.database.path}`, {
        values: { path: this.database.path },
        hint: "wait for it to end; its lock does not outlive it",
        retryable: true,
        cause,
      });
    }
    this.#lock = lock;
  }

  /** Keyed hash by which the same item is known again: nobody without the vault can guess what was taken. */
  macOf(...parts: (string | Uint8Array)[]): Uint8Array {
    const mac = createHmac("sha256", this.#dedupeKey);
    for (const part of parts) {
      const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      mac.update(length).update(bytes);
    }
    return mac.digest();
  }

  knows(itemMac: Uint8Array): boolean {
    return this.database.get("SELECT 1 FROM items WHERE item_mac = ?", itemMac) !== undefined;
  }

  /** False when the item is there already. */
  add(item: NewItem): boolean {
    const { sealed, patient } = item;
    const added = this.database.run(
      `INSERT INTO items (item_mac, source_mac, state, record_id, cid, content_digest, details, recorded_day,
         received_at, reason, patient_id, compartment, amends)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      item.itemMac,
      item.sourceMac,
      item.state,
      sealed?.recordId ?? null,
      sealed?.cid ?? null,
      sealed?.contentDigest ?? null,
      this.#sealDetails(item.itemMac, item.details),
      item.recordedDay,
      item.receivedAt,
      item.reason ?? null,
      patient === undefined ? null : Buffer.from(patient.patientId.slice(2), "hex"),
      patient?.compartment ?? null,
      item.amends ?? null,
    );
    return added > 0;
  }

  /** The newest item of a source key that was not refused. */
  newestOf(sourceMac: Uint8Array, beforeId = Number.MAX_SAFE_INTEGER): JournalItem | undefined {
    const row = this.database.get(
      "SELECT * FROM items WHERE source_mac = ? AND state <> ? AND id < ? ORDER BY id DESC LIMIT 1",
      sourceMac,
      ItemState.DEAD,
      beforeId,
    );
    return row === undefined ? undefined : itemOf(row);
  }

  item(id: number): JournalItem | undefined {
    const row = this.database.get("SELECT * FROM items WHERE id = ?", id);
    return row === undefined ? undefined : itemOf(row);
  }

  itemAt(logIndex: number): JournalItem | undefined {
    const row = this.database.get("SELECT * FROM items WHERE log_index = ?", logIndex);
    return row === undefined ? undefined : itemOf(row);
  }

  /** Oldest first. */
  itemsIn(state: ItemState, most = -1): JournalItem[] {
    return this.database
      .all("SELECT * FROM items WHERE state = ? ORDER BY id LIMIT ?", state, most)
      .map(itemOf);
  }

  /** A patient's anchored items, by patientSeq. */
  itemsOfPatient(patientId: Hex, upTo = Number.MAX_SAFE_INTEGER): JournalItem[] {
    return this.database
      .all(
        "SELECT * FROM items WHERE patient_id = ? AND state = ? AND log_index <= ? ORDER BY patient_seq",
        Buffer.from(patientId.slice(2), "hex"),
        ItemState.ANCHORED,
        upTo,
      )
      .map(itemOf);
  }

  itemsOfBatch(batchId: number): JournalItem[] {
    return this.database
      .all("SELECT * FROM items WHERE batch_id = ? ORDER BY log_index", batchId)
      .map(itemOf);
  }

  details(id: number): ItemDetails {
    const row = this.database.get("SELECT item_mac, details FROM items WHERE id = ?", id);
    if (row === undefined) throw new ChartsealError("ERR_USAGE", `the journal has no item ${id}`);
    const mac = row["item_mac"] as Uint8Array;
    const plain = openCell(this.#detailsKey, detailsCell(mac), row["details"]);
    return JSON.parse(Buffer.from(plain).toString("utf8")) as ItemDetails;
  }

  setDetails(id: number, details: ItemDetails): void {
    const mac = this.database.get("SELECT item_mac FROM items WHERE id = ?", id)?.["item_mac"] as Uint8Array;
    this.database.run("UPDATE items SET details = ? WHERE id = ?", this.#sealDetails(mac, details), id);
  }

  /** How many items are in each state, by state number. */
  counts(): ReadonlyMap<number, number> {
    const rows = this.database.all("SELECT state, count(*) AS n FROM items GROUP BY state");
    return new Map(rows.map((row) => [Number(row["state"]), Number(row["n"])]));
  }

  batch(id: number): JournalBatch | undefined {
    const row = this.database.get("SELECT * FROM batches WHERE id = ?", id);
    return row === undefined ? undefined : batchOf(row);
  }

  /** By first index. */
  batches(fromIndex = 0): JournalBatch[] {
    return this.database
      .all("SELECT * FROM batches WHERE first_index >= ? ORDER BY first_index", fromIndex)
      .map(batchOf);
  }

  /** Not yet known to be anchored, by first index. */
  openBatches(): JournalBatch[] {
    return this.database
      .all("SELECT * FROM batches WHERE state <> ? ORDER BY first_index", ItemState.ANCHORED)
      .map(batchOf);
  }

  #sealDetails(itemMac: Uint8Array, details: ItemDetails): Uint8Array {
    return sealCell(this.#detailsKey, detailsCell(itemMac), Buffer.from(JSON.stringify(details), "utf8"));
  }

  [Symbol.dispose](): void {
    this.#detailsKey.fill(0);
    this.#dedupeKey.fill(0);
    this.#lock?.close();
    this.database.close();
  }
}

function detailsCell(row: Uint8Array) {
  return { table: "items", column: "details", row };
}

function itemOf(row: SqlRow): JournalItem {
  const patientId = bytes(row["patient_id"]);
  return {
    id: Number(row["id"]),
    state: Number(row["state"]) as ItemState,
    recordId: bytes(row["record_id"]),
    cid: text(row["cid"]),
    contentDigest: bytes(row["content_digest"]),
    recordedDay: Number(row["recorded_day"]),
    reason: text(row["reason"]),
    patientId: patientId === undefined ? undefined : toHex(patientId),
    compartment: number(row["compartment"]),
    amends: number(row["amends"]),
    salt: bytes(row["salt"]),
    batchId: number(row["batch_id"]),
    logIndex: number(row["log_index"]),
    patientSeq: number(row["patient_seq"]),
    leafHash: bytes(row["leaf_hash"]),
    supersededBy: number(row["superseded_by"]),
  };
}

function batchOf(row: SqlRow): JournalBatch {
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
function text(value: SqlRow[string] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
function number(value: SqlRow[string] | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
