// SPDX-License-Identifier: Apache-2.0
import type { Database } from "../sqlite.js";
import type { Settings } from "./settings.js";

const SETTING = "backups";

/** A backup of this vault that was made. */
export interface Backup {
  /** 8 random bytes as hex. */
  id: string;
  /** Unix seconds. */
  madeAt: number;
  /** Unix seconds; from then on it is to be destroyed. */
  expiresAt: number;
  /** The key-encryption key that its content keys are wrapped by: without that one they are useless. */
  kekId: number;
}

/** The vault's list of its own backups. */
export class Backups {
  readonly #database: Database;
  readonly #settings: Settings;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
  }

  /** Also those that expired, oldest first. */
  all(): Backup[] {
    const stored = this.#settings.get(SETTING);
    return stored === undefined ? [] : (JSON.parse(Buffer.from(stored).toString()) as Backup[]);
  }

  /** Those from which a content key can still be had: not expired, and their key-encryption key not destroyed. */
  live(now: number): Backup[] {
    const keks = new Set(this.#database.all("SELECT kek_id FROM keks").map((row) => row["kek_id"]));
    return this.all().filter(({ expiresAt, kekId }) => expiresAt > now && keks.has(kekId));
  }

  add(backup: Backup): void {
    this.#settings.set(SETTING, Buffer.from(JSON.stringify([...this.all(), backup])));
  }
}
