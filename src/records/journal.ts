// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from "node:crypto";
import { ChartsealError } from "../errors.js";
import { openDatabase, type Database, type SqlRow, type SqlValue } from "../sqlite.js";
import { openCell, sealCell, type Vault } from "../vault/index.js";
import { uintBytes, type Hex, type HmacKey } from "../crypto/index.js";
import { ERASED_UNPLACED, applyChange, changeOf, type ItemChanges } from "./item-changes.js";
import { lockJournal } from "./journal-lock.js";
import {
  ERASED_DETAILS,
  ITEM_COLUMNS,
  blobOf,
  insertItem,
  newRow,
  type AlteredRow,
  type ItemDetails,
  type ItemMacs,
  type JournalBatch,
  type JournalItem,
  type NewItem,
} from "./journal-rows.js";
import { ItemState, JOURNAL_FORMAT, JOURNAL_MIGRATIONS, JOURNAL_SCHEMA } from "./journal-schema.js";
import { mustTakeOnTrust, rememberTrust } from "./journal-trust.js";
import { RowMacs, hmacKeyOf, secretOf } from "./row-macs.js";

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
  /** Tells what chartseal wrote from what was altered. */
  readonly rows: RowMacs;
  readonly #detailsKey: KeyObject;
  readonly #dedupeKey: HmacKey;

  private constructor(database: Database, vault: Vault, rows: RowMacs) {
    this.database = database;
    this.rows = rows;
    this.#detailsKey = secretOf(vault.journalKey());
    this.#dedupeKey = hmacKeyOf(vault.dedupeKey());
  }

  /** @throws ERR_CONFIG_INVALID, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED */
  static open(path: string, vault: Vault): Journal {
    const rows = new RowMacs(vault.rowKey());
    const database = openDatabase(path, {
      format: JOURNAL_FORMAT,
      schema: JOURNAL_SCHEMA,
      migrations: JOURNAL_MIGRATIONS,
      migrated: (migrating, from) => {
        if (mustTakeOnTrust(vault, migrating, from)) rows.takeOnTrust(migrating);
      },
      damagedCode: "ERR_STORE_FAILED",
    });
    rememberTrust(vault, database);
    return new Journal(database, vault, rows);
  }

  /**
   * Makes the caller the log's one writer until the lock is disposed of; the operating system frees the lock of a
   * process that dies.
   * @throws ERR_JOURNAL_LOCKED while another has it, in this process or another
   */
  lock(): Disposable {
    return lockJournal(this.database.path);
  }

  macsOf(sourceKey: string, sha256: Uint8Array): ItemMacs {
    return { sourceMac: this.macOf("source", sourceKey), itemMac: this.macOf("item", sourceKey, sha256) };
  }

  /** Keyed hash by which the same item is known again: nobody without the vault can guess what was taken. */
  macOf(...parts: (string | Uint8Array)[]): Uint8Array {
    const encoded = parts.flatMap((part) => {
      const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
      return [uintBytes(bytes.length, 4), bytes];
    });
    return this.#dedupeKey.digest(...encoded);
  }

  knows({ sourceMac, itemMac }: ItemMacs): boolean {
    const sql = "SELECT 1 FROM items WHERE source_mac = ? AND item_mac = ?";
    return this.database.get(sql, sourceMac, itemMac) !== undefined;
  }

  /** False when the item is there already. */
  add(item: NewItem): boolean {
    return this.database.transaction(() => {
      // Its number is authenticated with it, so it must be known before. Nobody else writes in this transaction.
      const last = this.database.get("SELECT max(id) AS last FROM items")!["last"];
      const row = newRow(Number(last ?? 0) + 1, item);
      return insertItem(this.database, row, {
        details: this.#sealDetails(item.itemMac, item.details),
        receivedAt: item.receivedAt,
        rowMac: this.rows.macOf(row),
      });
    });
  }

  /**
   * Changes an item as it was read.
   * @throws ERR_JOURNAL_LOCKED (retryable) when it is not as it was then
   */
  change(item: JournalItem, changes: ItemChanges): void {
    applyChange(this.database, changeOf(this.rows, item, changes));
  }

  /** The newest item of a source key that was neither refused nor retracted nor taken back. */
  newestOf(sourceMac: Uint8Array): JournalItem | undefined {
    const stands = `state <> ${ItemState.DEAD} AND retracted = 0 AND withdrawn IS NULL`;
    return this.#one(`source_mac = ? AND ${stands} ORDER BY id DESC LIMIT 1`, sourceMac);
  }

  itemByMac({ sourceMac, itemMac }: ItemMacs): JournalItem | undefined {
    return this.#one("source_mac = ? AND item_mac = ?", sourceMac, itemMac);
  }

  /** @throws ERR_STORE_FAILED when the row was altered, as all that read items */
  item(id: number): JournalItem | undefined {
    return this.#one("id = ?", id);
  }

  itemAt(logIndex: number): JournalItem | undefined {
    return this.#one("log_index = ?", logIndex);
  }

  /** A patient's item that came last in the log. */
  newestOfPatient(patientId: Hex): JournalItem | undefined {
    return this.#one(
      "patient_id = ? AND patient_seq IS NOT NULL ORDER BY patient_seq DESC LIMIT 1",
      blobOf(patientId),
    );
  }

  /** Oldest first. @param afterId to read on, page by page */
  itemsIn(state: ItemState, most = -1, afterId = 0): JournalItem[] {
    return this.#in((row) => this.rows.item(row), state, most, afterId);
  }

  /** As {@link itemsIn}; a row that was altered does not keep the others back. */
  rowsIn(state: ItemState, most = -1, afterId = 0): (JournalItem | AlteredRow)[] {
    return this.#in((row) => this.rows.itemOrAltered(row), state, most, afterId);
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
    return this.#rows(
      (row) => this.rows.item(row),
      `patient_id = ? AND state = ${ItemState.ANCHORED} AND log_index <= ? ORDER BY patient_seq`,
      blobOf(patientId),
      upTo,
    );
  }

  /** Items of these sealed bytes that are not anchored, as far as this journal knows. */
  pendingOf(contentDigest: Uint8Array): JournalItem[] {
    return this.#rows((row) => this.rows.item(row), `${NOT_ANCHORED} AND content_digest = ?`, contentDigest);
  }

  itemsOfBatch(batchId: number): (JournalItem | AlteredRow)[] {
    return this.#rows((row) => this.rows.itemOrAltered(row), "batch_id = ? ORDER BY log_index", batchId);
  }

  /** Of a batch's entries, in log order, as they stand in the file: it is their root that counts. */
  leafHashesOf(batchId: number): Uint8Array[] {
    return this.database
      .all("SELECT leaf_hash FROM items WHERE batch_id = ? ORDER BY log_index", batchId)
      .map((row) => row["leaf_hash"] as Uint8Array);
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
      const item = this.itemAt(logIndex);
      if (item === undefined || (item.retracted && item.withdrawn === undefined)) return;
      const details = this.details(item.id);
      // With its place, for the same bytes may be taken and retracted again.
      const itemMac = this.macOf("retracted", item.itemMac, String(logIndex));
      this.change(item, { retracted: true, withdrawn: undefined, itemMac });
      this.setDetails(item.id, details);
    });
  }

  /**
   * Forgets what an erased item was; may be repeated. Its row stays, for the log is dense, and with it the keyed hash
   * by which the same bytes, read again from their source, are passed over. One that has no place is never given one.
   * @throws ERR_TIMEOUT (retryable) when an earlier version of the row may still be in the write-ahead log
   */
  erase(id: number): void {
    this.database.transaction(() => {
      const item = this.item(id);
      if (item === undefined) return;
      this.setDetails(id, ERASED_DETAILS);
      this.change(item, { erased: true, ...(item.batchId === undefined ? ERASED_UNPLACED : {}) });
    });
    this.database.truncateLog();
  }

  /** Writes a copy of the journal, as it is at one moment, to a new file; others may go on working. */
  copyTo(path: string): void {
    this.database.run("VACUUM INTO ?", path);
  }

  batch(id: number): JournalBatch | undefined {
    const row = this.database.get("SELECT * FROM batches WHERE id = ?", id);
    return row === undefined ? undefined : this.rows.batch(row);
  }

  /** By first index. */
  batches(fromIndex = 0): JournalBatch[] {
    return this.database
      .all("SELECT * FROM batches WHERE first_index >= ? ORDER BY first_index", fromIndex)
      .map((row) => this.rows.batch(row));
  }

  /** Not yet known to be anchored, by first index. */
  openBatches(): JournalBatch[] {
    // The unary + keeps SQLite from walking all batches in order of their first index.
    return this.database
      .all(`SELECT * FROM batches WHERE ${NOT_ANCHORED} ORDER BY +first_index`)
      .map((row) => this.rows.batch(row));
  }

  /** The anchored batch that comes last, of those before `beforeIndex`. */
  newestAnchored(beforeIndex = Number.MAX_SAFE_INTEGER): JournalBatch | undefined {
    const row = this.database.get(
      `SELECT * FROM batches WHERE state = ${ItemState.ANCHORED} AND first_index < ?
       ORDER BY first_index DESC LIMIT 1`,
      beforeIndex,
    );
    return row === undefined ? undefined : this.rows.batch(row);
  }

  #one(where: string, ...values: SqlValue[]): JournalItem | undefined {
    const row = this.database.get(`SELECT ${ITEM_COLUMNS} FROM items WHERE ${where}`, ...values);
    return row === undefined ? undefined : this.rows.item(row);
  }

  #in<Made>(make: (row: SqlRow) => Made, state: ItemState, most: number, afterId: number): Made[] {
    const where = state === ItemState.ANCHORED ? `state = ${state}` : waitingIn(state);
    return this.#rows(make, `${where} AND id > ? ORDER BY id LIMIT ?`, afterId, most);
  }

  #rows<Made>(make: (row: SqlRow) => Made, where: string, ...values: SqlValue[]): Made[] {
    return this.database.map(make, `SELECT ${ITEM_COLUMNS} FROM items WHERE ${where}`, ...values);
  }

  #sealDetails(itemMac: Uint8Array, details: ItemDetails): Uint8Array {
    return sealCell(this.#detailsKey, detailsCell(itemMac), Buffer.from(JSON.stringify(details), "utf8"));
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.#dedupeKey[Symbol.dispose]();
    this.rows[Symbol.dispose]();
  }
}

/** SQLite does not see by itself that another state is not ANCHORED. */
function waitingIn(state: ItemState): string {
  return `state = ${state} AND ${NOT_ANCHORED}`;
}

function detailsCell(row: Uint8Array) {
  return { table: "items", column: "details", row };
}
