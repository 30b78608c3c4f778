// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, type KeyObject } from "node:crypto";
import { HmacKey, equalBytes } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Database, SqlRow } from "../sqlite.js";
import {
  ITEM_COLUMNS,
  batchOf,
  blobOf,
  isAlteredRow,
  itemOf,
  type AlteredRow,
  type JournalBatch,
  type JournalItem,
} from "./journal-rows.js";
import { ItemState } from "./journal-schema.js";

/** Of what is authenticated: its fields and their order. */
const ROW_FORMAT = 1;
/** Stands where the length of a field that is NULL would. */
const NULL_LENGTH = 0xffff_ffff;
const TWO_32 = 2 ** 32;
/** Rows that are read at a time, where all are. */
const PAGE = 1_000;

/** What a batch is built of. Where it was mined is the chain's to say. */
export type BatchFacts = Pick<
  JournalBatch,
  "id" | "firstIndex" | "count" | "root" | "manifestDigest" | "manifestCid"
>;

type Field = Uint8Array | string | number | null | undefined;

/**
 * Tells the rows that chartseal wrote from those that somebody changed, moved or made up who can write the journal's
 * file: each has an HMAC under a vault key of its own. A row that was deleted, or put back as it once was, does not show.
 */
export class RowMacs implements Disposable {
  readonly #key: HmacKey;

  /** Takes over `key` (32 bytes). */
  constructor(key: Uint8Array) {
    this.#key = hmacKeyOf(key);
  }

  /** @throws ERR_STORE_FAILED when the row was altered */
  item(row: SqlRow): JournalItem {
    const item = this.itemOrAltered(row);
    if (isAlteredRow(item)) throw alteredItem(item.id);
    return item;
  }

  /** As {@link item}, for lists that one bad row must not spoil. */
  itemOrAltered(row: SqlRow): JournalItem | AlteredRow {
    const item = itemOf(row);
    return this.isAuthentic(item) ? item : { id: item.id, altered: true };
  }

  isAuthentic(item: JournalItem): boolean {
    return item.rowMac !== undefined && equalBytes(item.rowMac, this.macOf(item));
  }

  /** @throws ERR_STORE_FAILED when the row was altered */
  batch(row: SqlRow): JournalBatch {
    const batch = batchOf(row);
    if (!this.#isBatch(row)) throw altered("batch", batch.id);
    return batch;
  }

  /** Of everything that decides whose record it is, what it says and where it stands. */
  macOf(item: JournalItem): Uint8Array {
    return this.#mac([
      "item",
      item.id,
      item.itemMac,
      item.sourceMac,
      standing(item.state),
      item.reason,
      item.recordId,
      item.cid,
      item.contentDigest,
      item.recordedDay,
      item.kind,
      blobOf(item.ref),
      blobOf(item.patientId),
      item.compartment,
      item.amends,
      item.batchId,
      item.logIndex,
      item.patientSeq,
      item.amendedIndex,
      item.salt,
      item.leafHash,
      item.supersededBy,
      Number(item.retracted),
      Number(item.erased),
      // Of format 4, and few items have them: with neither, a row is authentic as format 3 wrote it.
      ...(item.withdrawn === undefined && item.event === undefined ? [] : [item.withdrawn, item.event]),
    ]);
  }

  macOfBatch({ id, firstIndex, count, root, manifestDigest, manifestCid }: BatchFacts): Uint8Array {
    return this.#mac(["batch", id, firstIndex, count, root, manifestDigest, manifestCid]);
  }

  /** Takes the rows of an older journal as they are: there is nothing to hold them against. */
  takeOnTrust(database: Database): void {
    for (const item of itemsIn(database))
      database.run("UPDATE items SET row_mac = ? WHERE id = ?", this.macOf(item), item.id);
    for (const { id, ...facts } of database.all("SELECT * FROM batches").map(batchOf))
      database.run("UPDATE batches SET row_mac = ? WHERE id = ?", this.macOfBatch({ id, ...facts }), id);
  }

  /** Looks at every row. @returns the numbers of those that were altered */
  findAltered(database: Database): { items: number[]; batches: number[] } {
    const items: number[] = [];
    for (const item of itemsIn(database)) if (!this.isAuthentic(item)) items.push(item.id);
    const batches = database.all("SELECT * FROM batches ORDER BY id");
    return {
      items,
      batches: batches.filter((row) => !this.#isBatch(row)).map((row) => Number(row["id"])),
    };
  }

  #isBatch(row: SqlRow): boolean {
    const mac = row["row_mac"];
    return mac instanceof Uint8Array && equalBytes(mac, this.macOfBatch(batchOf(row)));
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }

  #mac(fields: readonly Field[]): Uint8Array {
    return this.#key.digest(encoded([ROW_FORMAT, ...fields]));
  }
}

/**
 * Takes over a key's bytes. Node 24 takes a key object four times as fast as the same key in bytes, and clears it when
 * it is collected.
 */
export function secretOf(key: Uint8Array): KeyObject {
  const secret = createSecretKey(key);
  key.fill(0);
  return secret;
}

/** As {@link secretOf}, for HMACs. */
export function hmacKeyOf(key: Uint8Array): HmacKey {
  const secret = new HmacKey("sha256", key);
  key.fill(0);
  return secret;
}

/** All items of a journal, page by page. */
function* itemsIn(database: Database): Generator<JournalItem> {
  for (let last = Number.MIN_SAFE_INTEGER; ;) {
    const rows = database.all(
      `SELECT ${ITEM_COLUMNS} FROM items WHERE id > ? ORDER BY id LIMIT ${PAGE}`,
      last,
    );
    for (const item of rows.map(itemOf)) {
      yield item;
      last = item.id;
    }
    if (rows.length < PAGE) return;
  }
}

/** Whether this is the error of a row that was altered, not of a journal that cannot be read. */
export function isAlteredError(error: unknown): error is ChartsealError {
  return (
    error instanceof ChartsealError && error.code === "ERR_STORE_FAILED" && error.values["row"] !== undefined
  );
}

export function alteredItem(id: number): ChartsealError {
  return altered("item", id);
}

function altered(table: "item" | "batch", id: number): ChartsealError {
  return new ChartsealError("ERR_STORE_FAILED", `the journal's ${table} ${id} was altered past chartseal`, {
    values: { table, row: id },
    hint: "run `chartseal doctor`; put the row back as it was, from a backup of the journal",
  });
}

/** A batch's items move on together, from its building to its anchor: nothing is decided by how far they are. */
function standing(state: ItemState): ItemState {
  return state === ItemState.SUBMITTED || state === ItemState.ANCHORED ? ItemState.BATCHED : state;
}

/** Each field after its length in 4 bytes; integers in 8 bytes, texts in UTF-8. */
function encoded(fields: readonly Field[]): Uint8Array {
  let at = 0;
  for (const field of fields) {
    if (typeof field === "number") {
      // What is no whole number from 0 on, in no row of ours, is all ones.
      const ours = Number.isSafeInteger(field) && field >= 0;
      at = writeUint32(writeUint32(writeUint32(at, 8), ours ? field / TWO_32 : -1), ours ? field : -1);
    } else if (field instanceof Uint8Array) {
      at = writeUint32(at, field.length);
      ensure(at + field.length);
      scratch.set(field, at);
      at += field.length;
    } else if (typeof field === "string") {
      const length = Buffer.byteLength(field, "utf8");
      at = writeUint32(at, length);
      ensure(at + length);
      at += scratch.write(field, at, "utf8");
    } else at = writeUint32(at, NULL_LENGTH);
  }
  return scratch.subarray(0, at);
}

/** Byte by byte: of a few bytes that is the fastest. */
function writeUint32(at: number, value: number): number {
  ensure(at + 4);
  scratch[at] = value >>> 24;
  scratch[at + 1] = value >>> 16;
  scratch[at + 2] = value >>> 8;
  scratch[at + 3] = value;
  return at + 4;
}

/** Where a row is encoded: one at a time, for nothing waits in between. */
let scratch = Buffer.alloc(1_024);

function ensure(size: number): void {
  if (size > scratch.length) scratch = Buffer.concat([scratch], 2 * size);
}
