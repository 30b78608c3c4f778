// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { concatBytes, equalBytes, toHex, uintBytes } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Database, SqlRow } from "../sqlite.js";
import { expectLength } from "./expected-bytes.js";
import { type Cell, openCell, sealCell } from "./sealed-cell.js";
import type { VaultKeys } from "./vault-keys.js";

const KEY_BYTES = 32;
const RECORD_ID_BYTES = 16;
/** Rows fetched at a time by {@link ContentKeys.records}. */
const LIST_PAGE = 1_000;
/** Keys wrapped anew in one transaction, which then takes about 70 ms. */
const ROTATION_BATCH = 1_000;
/** Between two of them. SQLite does not queue: without a pause another process would find the file locked. */
const ROTATION_PAUSE_MS = 20;

export interface ContentKey {
  /** 16 random bytes, as in the sealed record's context. */
  recordId: Uint8Array;
  /** 32 bytes. */
  contentKey: Uint8Array;
}

/**
 * Content keys, each wrapped by the key-encryption key (KEK) of its time; KEKs are wrapped by the vault's own
 * key. An erased key leaves a row without a key, so that it can never be put back.
 */
export class ContentKeys implements Disposable {
  readonly #database: Database;
  readonly #keys: VaultKeys;
  readonly #keks = new Map<number, Uint8Array>();

  constructor(database: Database, keys: VaultKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  put(contentKeys: Iterable<ContentKey>): void {
    this.#database.transaction(() => {
      const kekId = this.#currentKek();
      const kek = createSecretKey(this.#kek(kekId));
      for (const { recordId, contentKey } of contentKeys) {
        expectLength(recordId, RECORD_ID_BYTES, "the record id");
        expectLength(contentKey, KEY_BYTES, "the content key");
        const wrapped = sealCell(kek, keyCell(recordId, kekId), contentKey);
        const added = this.#database.run(
          "INSERT INTO content_keys (record_id, kek_id, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          recordId,
          kekId,
          wrapped,
        );
        if (added === 0) this.#expectSame(recordId, contentKey);
      }
    });
  }

  get(recordId: Uint8Array): Uint8Array {
    expectLength(recordId, RECORD_ID_BYTES, "the record id");
    // One statement, so that a rotation in another process falls before or after it.
    const row = this.#database.get(
      `SELECT c.kek_id, c.wrapped, k.wrapped AS kek FROM content_keys c LEFT JOIN keks k USING (kek_id)
       WHERE c.record_id = ?`,
      recordId,
    );
    if (row === undefined) throw missing(recordId);
    const { kek_id: kekId, wrapped, kek } = row;
    if (typeof kekId !== "number") throw erased(recordId);
    return openCell(this.#keks.get(kekId) ?? this.#openKek(kekId, kek), keyCell(recordId, kekId), wrapped);
  }

  /** Every record that ever had a key here, oldest first. */
  *records(): Generator<{ recordId: Uint8Array; erased: boolean }> {
    for (let slot = 0; ;) {
      const rows = this.#database.all(
        "SELECT slot, record_id, wrapped IS NULL AS erased FROM content_keys WHERE slot > ? ORDER BY slot LIMIT ?",
        slot,
        LIST_PAGE,
      );
      for (const row of rows) yield { recordId: row["record_id"] as Uint8Array, erased: row["erased"] === 1 };
      if (rows.length < LIST_PAGE) return;
      slot = Number(rows.at(-1)!["slot"]);
    }
  }

  erase(recordIds: Iterable<Uint8Array>): void {
    this.#database.transaction(() => {
      for (const recordId of recordIds) {
        expectLength(recordId, RECORD_ID_BYTES, "the record id");
        const found = this.#database.run(
          "UPDATE content_keys SET kek_id = NULL, wrapped = NULL WHERE record_id = ?",
          recordId,
        );
        if (found === 0) throw missing(recordId);
      }
    });
    this.#database.truncateLog();
  }

  addKek(): number {
    return this.#database.transaction(() => {
      const kekId =
        Number(this.#database.get("SELECT coalesce(max(kek_id), 0) AS last FROM keks")?.["last"]) + 1;
      const kek = randomBytes(KEY_BYTES);
      const wrapped = sealCell(this.#keys.subKey("keks"), kekCell(kekId), kek);
      this.#database.run("INSERT INTO keks VALUES (?, ?, ?)", kekId, wrapped, Math.floor(Date.now() / 1000));
      kek.fill(0);
      return kekId;
    });
  }

  async rotate(): Promise<number> {
    const kekId = this.addKek();
    let rewrapped = 0;
    let slot = 0;
    for (;;) {
      const last = this.#database.transaction(() => {
        const rows = this.#database.all(
          "SELECT slot, record_id, kek_id, wrapped FROM content_keys WHERE slot > ? ORDER BY slot LIMIT ?",
          slot,
          ROTATION_BATCH,
        );
        for (const row of rows) rewrapped += this.#rewrap(row, kekId);
        return rows.at(-1)?.["slot"];
      });
      if (last === undefined) break;
      slot = Number(last);
      await pause(ROTATION_PAUSE_MS);
    }
    // A foreign key refuses this while any content key still needs an old KEK.
    this.#database.run("DELETE FROM keks WHERE kek_id < ?", kekId);
    this.#database.truncateLog();
    this.#forget();
    return rewrapped;
  }

  [Symbol.dispose](): void {
    this.#forget();
  }

  #rewrap(row: SqlRow, kekId: number): number {
    const { slot, record_id: recordId, kek_id: oldKekId, wrapped } = row;
    if (typeof oldKekId !== "number" || oldKekId >= kekId) return 0;
    const id = recordId as Uint8Array;
    const contentKey = openCell(this.#kek(oldKekId), keyCell(id, oldKekId), wrapped);
    const again = sealCell(this.#kek(kekId), keyCell(id, kekId), contentKey);
    contentKey.fill(0);
    return this.#database.run(
      "UPDATE content_keys SET kek_id = ?, wrapped = ? WHERE slot = ?",
      kekId,
      again,
      slot as number,
    );
  }

  /** The newest; read in each transaction, for another process may have rotated. */
  #currentKek(): number {
    return Number(this.#database.get("SELECT max(kek_id) AS last FROM keks")?.["last"]);
  }

  /** In a transaction only: another process may erase it in between. */
  #kek(kekId: number): Uint8Array {
    const known = this.#keks.get(kekId);
    if (known !== undefined) return known;
    return this.#openKek(
      kekId,
      this.#database.get("SELECT wrapped FROM keks WHERE kek_id = ?", kekId)?.["wrapped"],
    );
  }

  #openKek(kekId: number, wrapped: unknown): Uint8Array {
    const kek = openKek(this.#keys, kekId, wrapped);
    this.#keks.set(kekId, kek);
    return kek;
  }

  #expectSame(recordId: Uint8Array, contentKey: Uint8Array): void {
    const stored = this.get(recordId);
    const same = equalBytes(stored, contentKey);
    stored.fill(0);
    if (same) return;
    const id = toHex(recordId);
    throw new ChartsealError("ERR_USAGE", `record ${id} already has another content key`, {
      values: { recordId: id },
    });
  }

  #forget(): void {
    for (const kek of this.#keks.values()) kek.fill(0);
    this.#keks.clear();
  }
}

/** @throws ERR_VAULT_DAMAGED when it is another vault's, or was changed */
export function openKek(keys: VaultKeys, kekId: number, wrapped: unknown): Uint8Array {
  return openCell(keys.subKey("keks"), kekCell(kekId), wrapped);
}

function erased(recordId: Uint8Array): ChartsealError {
  const id = toHex(recordId);
  return new ChartsealError("ERR_KEY_ERASED", `the content key of record ${id} was erased`, {
    values: { recordId: id },
  });
}

function missing(recordId: Uint8Array): ChartsealError {
  const id = toHex(recordId);
  return new ChartsealError("ERR_KEY_MISSING", `the vault holds no content key for record ${id}`, {
    values: { recordId: id },
    hint: "is this the custodian's vault, and not an older copy of it?",
  });
}

function kekCell(kekId: number): Cell {
  return { table: "keks", column: "wrapped", row: uintBytes(kekId, 4) };
}

function keyCell(recordId: Uint8Array, kekId: number): Cell {
  return { table: "content_keys", column: "wrapped", row: concatBytes(recordId, uintBytes(kekId, 4)) };
}
