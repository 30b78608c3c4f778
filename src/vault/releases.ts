// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toHex, type Hex } from "../crypto/bytes.js";
import type { Database, SqlRow } from "../sqlite.js";
import type { Backups } from "./backups.js";
import { bytes32 } from "./expected-bytes.js";
import type { Cell } from "./sealed-cell.js";
import type { VaultKeys } from "./vault-keys.js";

/** Releases opened in one transaction. */
const EDITED_AT_ONCE = 20;
const WHOLE_ACCESS: Hex = `0x${"00".repeat(32)}`;
/** In a leaf hash's place: made while the chain was down, and not on chain yet. */
const UNFILED: Hex = `0x${"ff".repeat(32)}`;

/** What was released while the chain was down, under the id of the window that it will have. */
export interface UnfiledRelease {
  windowId: Hex;
  json: string;
}

/** What was released for each access, so that asking twice never makes a second capsule. */
export class Releases {
  readonly #database: Database;
  readonly #keys: VaultKeys;
  readonly #backups: Pick<Backups, "requireReconciled">;

  constructor(database: Database, keys: VaultKeys, backups: Pick<Backups, "requireReconciled">) {
    this.#database = database;
    this.#keys = keys;
    this.#backups = backups;
  }

  /**
   * Stores what an access released, unless there is something already, and returns what is stored: also of two
   * processes at once, both serve the same. With a leaf hash, one release for each leaf of the access.
   * @throws ERR_VAULT_RESTORED
   */
  put(accessId: Hex, json: string, leafHash: Hex = WHOLE_ACCESS): string {
    this.#backups.requireReconciled();
    return this.#put(accessId, json, leafHash);
  }

  #put(accessId: Hex, json: string, leafHash: Hex): string {
    const access = bytes32(accessId, "the access id");
    const leaf = bytes32(leafHash, "the leaf hash");
    const sealed = this.#keys.seal(releaseCell(access, leaf), Buffer.from(json));
    return this.#database.transaction(() => {
      const added = this.#database.run(
        "INSERT INTO releases VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        access,
        leaf,
        sealed,
      );
      return added > 0 ? json : this.#find(accessId, leafHash)!;
    });
  }

  /**
   * Shows every release, and replaces it by what `edit` gives; a page at a time, so that others can go on.
   * @throws ERR_TIMEOUT (retryable) when an earlier one may still be in the write-ahead log
   */
  each(edit: (json: string) => string | undefined): void {
    let [access, leaf]: Uint8Array[] = [new Uint8Array(), new Uint8Array()];
    for (;;) {
      const page = this.#database.transaction(() => {
        const rows = this.#database.all(
          "SELECT * FROM releases WHERE (access_id, leaf_hash) > (?, ?) ORDER BY access_id, leaf_hash LIMIT ?",
          access!,
          leaf!,
          EDITED_AT_ONCE,
        );
        for (const row of rows) this.#editOne(row, edit);
        return rows;
      });
      const last = page.at(-1);
      if (last === undefined) break;
      [access, leaf] = [last["access_id"] as Uint8Array, last["leaf_hash"] as Uint8Array];
    }
    this.#database.truncateLog();
  }

  /**
   * Stores another release in the place of `old`, unless another process was first, and returns what is stored: a
   * reorganised chain can give an access id to another access.
   * @throws ERR_VAULT_RESTORED
   */
  replace(accessId: Hex, old: string, json: string): string {
    this.#backups.requireReconciled();
    const access = bytes32(accessId, "the access id");
    const leaf = bytes32(WHOLE_ACCESS, "the leaf hash");
    const sealed = this.#keys.seal(releaseCell(access, leaf), Buffer.from(json));
    return this.#database.transaction(() => {
      const found = this.#find(accessId, WHOLE_ACCESS);
      if (found !== undefined && found !== old) return found;
      this.#database.run("INSERT OR REPLACE INTO releases VALUES (?, ?, ?)", access, leaf, sealed);
      return json;
    });
  }

  /** @throws ERR_VAULT_RESTORED */
  get(accessId: Hex, leafHash: Hex = WHOLE_ACCESS): string | undefined {
    this.#backups.requireReconciled();
    return this.#find(accessId, leafHash);
  }

  #find(accessId: Hex, leafHash: Hex): string | undefined {
    const access = bytes32(accessId, "the access id");
    const leaf = bytes32(leafHash, "the leaf hash");
    const row = this.#database.get(
      "SELECT release FROM releases WHERE access_id = ? AND leaf_hash = ?",
      access,
      leaf,
    );
    if (row === undefined) return undefined;
    return Buffer.from(this.#keys.open(releaseCell(access, leaf), row["release"])).toString();
  }

  #editOne(row: SqlRow, edit: (json: string) => string | undefined): void {
    const [access, leaf] = [row["access_id"] as Uint8Array, row["leaf_hash"] as Uint8Array];
    const cell = releaseCell(access, leaf);
    const json = edit(Buffer.from(this.#keys.open(cell, row["release"])).toString());
    if (json === undefined) return;
    this.#database.run(
      "UPDATE releases SET release = ? WHERE access_id = ? AND leaf_hash = ?",
      this.#keys.seal(cell, Buffer.from(json)),
      access,
      leaf,
    );
  }

  /**
   * As {@link put}, for what was released while the chain was down: it is {@link unfiled} until {@link setFiled}. What
   * was filed already is returned instead.
   */
  putUnfiled(windowId: Hex, json: string): string {
    this.#backups.requireReconciled();
    return this.#database.transaction(
      () => this.#find(windowId, WHOLE_ACCESS) ?? this.#put(windowId, json, UNFILED),
    );
  }

  unfiled(): UnfiledRelease[] {
    return this.#database
      .all("SELECT access_id FROM releases WHERE leaf_hash = ?", bytes32(UNFILED, "the mark"))
      .map((row) => {
        const windowId = toHex(row["access_id"] as Uint8Array);
        return { windowId, json: this.#find(windowId, UNFILED)! };
      });
  }

  /**
   * Notes that it is on chain, or never will be; may be repeated.
   * @param edit Makes what is kept of it from now on; default: the same
   */
  setFiled(windowId: Hex, edit: (json: string) => string = (json) => json): void {
    this.#database.transaction(() => {
      const json = this.#find(windowId, UNFILED);
      if (json === undefined) return; // another process was quicker
      this.#put(windowId, edit(json), WHOLE_ACCESS);
      this.#database.run(
        "DELETE FROM releases WHERE access_id = ? AND leaf_hash = ?",
        bytes32(windowId, "the window id"),
        bytes32(UNFILED, "the mark"),
      );
    });
  }
}

function releaseCell(access: Uint8Array, leaf: Uint8Array): Cell {
  return { table: "releases", column: "release", row: concatBytes(access, leaf) };
}
