// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import { bytes32 } from "./expected-bytes.js";
import type { Cell } from "./sealed-cell.js";
import type { VaultKeys } from "./vault-keys.js";

interface StoredStaffKey {
  name: string;
  privateKey: Hex;
}

/** Staff signing keys by name, for staff who have no key file or remote signer. */
export class StaffKeys {
  readonly #database: Database;
  readonly #keys: VaultKeys;

  constructor(database: Database, keys: VaultKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  put(name: string, privateKey: Hex): void {
    bytes32(privateKey, "the private key").fill(0);
    const lookup = this.#lookup(name);
    const value: StoredStaffKey = { name: name.normalize("NFC"), privateKey };
    this.#database.run(
      "INSERT INTO staff_keys VALUES (?, ?) ON CONFLICT DO UPDATE SET staff_key = excluded.staff_key",
      lookup,
      this.#keys.sealJson(staffCell(lookup), value),
    );
  }

  get(name: string): Hex {
    const lookup = this.#lookup(name);
    const row = this.#database.get("SELECT staff_key FROM staff_keys WHERE lookup = ?", lookup);
    if (row !== undefined) return this.#open(lookup, row["staff_key"]).privateKey;
    throw new ChartsealError("ERR_KEY_MISSING", "the vault holds no staff key of this name", {
      hint: "see the names with `chartseal staff`",
    });
  }

  remove(name: string): boolean {
    const removed = this.#database.run("DELETE FROM staff_keys WHERE lookup = ?", this.#lookup(name)) > 0;
    if (removed) this.#database.truncateLog();
    return removed;
  }

  names(): string[] {
    return this.#database
      .all("SELECT lookup, staff_key FROM staff_keys")
      .map((row) => this.#open(row["lookup"] as Uint8Array, row["staff_key"]).name)
      .sort();
  }

  #lookup(name: string): Uint8Array {
    if (name.trim() === "") throw new ChartsealError("ERR_USAGE", "a staff key needs a name");
    return this.#keys.lookup("staff", name.normalize("NFC"));
  }

  #open(lookup: Uint8Array, sealed: unknown): StoredStaffKey {
    return this.#keys.openJson(staffCell(lookup), sealed) as StoredStaffKey;
  }
}

function staffCell(lookup: Uint8Array): Cell {
  return { table: "staff_keys", column: "staff_key", row: lookup };
}
