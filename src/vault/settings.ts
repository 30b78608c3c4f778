// SPDX-License-Identifier: Apache-2.0
import type { Database } from "../sqlite.js";
import type { Cell } from "./sealed-cell.js";
import type { VaultKeys } from "./vault-keys.js";

/** Small sealed values by name; the names do not show either. */
export class Settings {
  readonly #database: Database;
  readonly #keys: VaultKeys;

  constructor(database: Database, keys: VaultKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  get(name: string): Uint8Array | undefined {
    const lookup = this.#keys.lookup("setting", name);
    const row = this.#database.get("SELECT value FROM settings WHERE lookup = ?", lookup);
    return row === undefined ? undefined : this.#keys.open(settingCell(lookup), row["value"]);
  }

  set(name: string, value: Uint8Array): void {
    const lookup = this.#keys.lookup("setting", name);
    this.#database.run(
      "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      lookup,
      this.#keys.seal(settingCell(lookup), value),
    );
  }
}

function settingCell(lookup: Uint8Array): Cell {
  return { table: "settings", column: "value", row: lookup };
}
