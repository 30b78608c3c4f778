// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { ChartsealError } from "../errors.js";
import { openDatabase, type Database } from "../sqlite.js";
import { openCell, sealCell, type Vault } from "../vault/index.js";
import { LeafKind, fromHex, type Hex } from "../crypto/index.js";
import { lockJournal } from "./journal-lock.js";
import {
  batchOf,
  itemOf,
  sealedOf,
  type ItemDetails,
  type JournalBatch,
  type JournalItem,
  type NewItem,
  type SealedItem,
} from "./journal-rows.js";
import { ItemState, JOURNAL_FORMAT, JOURNAL_MIGRATIONS, JOURNAL_SCHEMA } from "./journal-schema.js";

/**
 * The condition of the partial indexes. States are written into the SQL: a bound one would keep SQLite from these
 * indexes, or make it prepare the statement anew at each call.
 */
const NOT_ANCHORED = `state <> ${ItemState.ANCHORED}`;

/**
 * One member's own record log as this hospital knows it: every item it took, from its arrival to its anchor. A
 * SQLite file; without the vault's keys it shows no name, identifier, text or guessable hash.
 */
export class Journal implements Disposable {
  readonly database: Database;
  readonly #detailsKey: KeyObject;
  readonly #dedupeKey: KeyObject;

  private constructor(database: Database, vault: Vault) {
    this.database = database;
    this.#detailsKey = secretOf(vault.journalKey());
    this.#dedupeKey = secretOf(vault.dedupeKey());
  }

  /** @throws ERR_CONFIG_INVALID, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED */
  static open(path: string, vault: Vault): Journal {
    const database = openDatabase(path, {
      format: JOURNAL_FORMAT,
      schema: JOURNAL_SCHEMA,
      migrations: JOURNAL_MIGRATIONS,
      damagedCode: "ERR_STORE_FAILED",
    });
    return new Journal(database, vault);
  }

  /**
   * Makes the caller the log's one writer until the lock is disposed of; the operating system frees the lock of a
   * process that dies.
   * @throws ERR_JOURNAL_LOCKED while another has it, in this process or another
   */
  lock(): Disposable {
    return lockJournal(this.database.path);
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
    const { sealed, patient, supports } = item;
    const added = this.database.run(
      `INSERT INTO items (item_mac, source_mac, state, record_id, cid, content_digest, details, recorded_day,
         received_at, reason, patient_id, compartment, amends, kind, ref)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
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
      supports?.kind ?? LeafKind.RECORD,
      supports === undefined ? null : fromHex(supports.ref, 32),
    );
    return added > 0;
  }

  /** The newest item of a source key that was neither refused nor retracted. */
  newestOf(sourceMac: Uint8Array): JournalItem | undefined {
    const row = this.database.get(
      `SELECT * FROM items WHERE source_mac = ? AND state <> ${ItemState.DEAD} AND retracted = 0
       ORDER BY id DESC LIMIT 1`,
      sourceMac,
    );
    return row === undefined ? undefined : itemOf(row);
  }

  itemByMac(itemMac: Uint8Array): JournalItem | undefined {
    const row = this.database.get("SELECT * FROM items WHERE item_mac = ?", itemMac);
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

  /** Oldest first. @param afterId to read on, page by page */
  itemsIn(state: ItemState, most = -1, afterId = 0): JournalItem[] {
    const where = state === ItemState.ANCHORED ? `state = ${state}` : waitingIn(state);
    return this.database
      .all(`SELECT * FROM items WHERE ${where} AND id > ? ORDER BY id LIMIT ?`, afterId, most)
      .map(itemOf);
  }

  /** The sealed items, oldest first, with only what a batch needs of them. */
  sealedItems(most: number): SealedItem[] {
    return this.database
      .all(
        `SELECT id, cid, content_digest, recorded_day, patient_id, compartment, amends, kind, ref FROM items
         WHERE ${waitingIn(ItemState.SEALED)} ORDER BY id LIMIT ?`,
        most,
      )
      .map(sealedOf);
  }

  /** How many items are in the state, counted up to `most`. Not for ANCHORED. */
  countIn(state: ItemState, most: number): number {
    const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM items WHERE ${waitingIn(state)} LIMIT ?)`;
    return Number(this.database.get(sql, most)!["n"]);
  }

  /** True when at least one item is in the state. Not for ANCHORED. */
  hasIn(state: ItemState): boolean {
    return this.countIn(state, 1) > 0;
  }

  /** A patient's anchored items, by patientSeq. */
  itemsOfPatient(patientId: Hex, upTo = Number.MAX_SAFE_INTEGER): JournalItem[] {
    return this.database
      .all(
        `SELECT * FROM items WHERE patient_id = ? AND state = ${ItemState.ANCHORED} AND log_index <= ?
         ORDER BY patient_seq`,
        Buffer.from(patientId.slice(2), "hex"),
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

  /**
   * Takes note that an entry was entered in error. The same bytes are new again from now on: they may be anchored
   * once more, under the right patient.
   */
  retract(logIndex: number): void {
    this.database.transaction(() => {
      const row = this.database.get(
        "SELECT id, item_mac FROM items WHERE log_index = ? AND retracted = 0",
        logIndex,
      );
      if (row === undefined) return;
      const id = Number(row["id"]);
      const details = this.details(id);
      const mac = this.macOf("retracted", row["item_mac"] as Uint8Array);
      this.database.run("UPDATE items SET retracted = 1, item_mac = ? WHERE id = ?", mac, id);
      this.setDetails(id, details);
    });
  }

  /**
   * Forgets what an erased entry was; may be repeated. Its row stays, for the log is dense, and with it the keyed hash
   * by which the same bytes, read again from their source, are passed over.
   * @throws ERR_TIMEOUT (retryable) when an earlier version of the row may still be in the write-ahead log
   */
  erase(logIndex: number): void {
    this.database.transaction(() => {
      const id = this.itemAt(logIndex)?.id;
      if (id === undefined) return;
      this.setDetails(id, ERASED_DETAILS);
      this.database.run("UPDATE items SET erased = 1 WHERE id = ?", id);
    });
    this.database.truncateLog();
  }

  /** Writes a copy of the journal, as it is at one moment, to a new file; others may go on working. */
  copyTo(path: string): void {
    this.database.run("VACUUM INTO ?", path);
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
    // The unary + keeps SQLite from walking all batches in order of their first index.
    return this.database
      .all(`SELECT * FROM batches WHERE ${NOT_ANCHORED} ORDER BY +first_index`)
      .map(batchOf);
  }

  /** The anchored batch that comes last, of those before `beforeIndex`. */
  newestAnchored(beforeIndex = Number.MAX_SAFE_INTEGER): JournalBatch | undefined {
    const row = this.database.get(
      `SELECT * FROM batches WHERE state = ${ItemState.ANCHORED} AND first_index < ?
       ORDER BY first_index DESC LIMIT 1`,
      beforeIndex,
    );
    return row === undefined ? undefined : batchOf(row);
  }

  #sealDetails(itemMac: Uint8Array, details: ItemDetails): Uint8Array {
    return sealCell(this.#detailsKey, detailsCell(itemMac), Buffer.from(JSON.stringify(details), "utf8"));
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}

/** All that the journal still says of an erased item. */
const ERASED_DETAILS: ItemDetails = { sourceKey: "", label: "erased", path: "", mediaType: "", size: 0 };

/** Node 24 takes a key object four times as fast as the same key in bytes. It clears it when it is collected. */
function secretOf(key: Uint8Array): KeyObject {
  const secret = createSecretKey(key);
  key.fill(0);
  return secret;
}

/** SQLite does not see by itself that another state is not ANCHORED. */
function waitingIn(state: ItemState): string {
  return `state = ${state} AND ${NOT_ANCHORED}`;
}

function detailsCell(row: Uint8Array) {
  return { table: "items", column: "details", row };
}
