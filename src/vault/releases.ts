// SPDX-License-Identifier: Apache-2.0
import { concatBytes, type Hex } from "../crypto/bytes.js";
import type { Database } from "../sqlite.js";
import { bytes32 } from "./expected-bytes.js";
import type { Cell } from "./sealed-cell.js";
import type { VaultKeys } from "./vault-keys.js";

const WHOLE_ACCESS: Hex = `0x${"00".repeat(32)}`;

/** What was released for each access, so that asking twice never makes a second capsule. */
export class Releases {
  readonly #database: Database;
  readonly #keys: VaultKeys;

  constructor(database: Database, keys: VaultKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  put(accessId: Hex, json: string, leafHash: Hex = WHOLE_ACCESS): string {
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
      return added > 0 ? json : this.get(accessId, leafHash)!;
    });
  }

  /** @returns what is stored afterwards: `json`, or what another process put there instead of `old` */
  replace(accessId: Hex, old: string, json: string): string {
    const access = bytes32(accessId, "the access id");
    const leaf = bytes32(WHOLE_ACCESS, "the leaf hash");
    const sealed = this.#keys.seal(releaseCell(access, leaf), Buffer.from(json));
    return this.#database.transaction(() => {
      const found = this.get(accessId);
      if (found !== undefined && found !== old) return found;
      this.#database.run("INSERT OR REPLACE INTO releases VALUES (?, ?, ?)", access, leaf, sealed);
      return json;
    });
  }

  get(accessId: Hex, leafHash: Hex = WHOLE_ACCESS): string | undefined {
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
}

function releaseCell(access: Uint8Array, leaf: Uint8Array): Cell {
  return { table: "releases", column: "release", row: concatBytes(access, leaf) };
}
