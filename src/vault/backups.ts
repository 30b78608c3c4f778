// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { fromHex, type Hex, toHex } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import { openKek } from "./content-keys.js";
import { Settings } from "./settings.js";
import { openVaultCopy } from "./vault-file.js";
import type { VaultKeys } from "./vault-keys.js";

const LIST = "backups";
const RESTORED = "restored";

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
  /** How many content keys had been erased by then. */
  erased: number;
  /** It was begun, and is not known to be complete. What there is of it may hold keys all the same. */
  unfinished?: true;
}

/** A key-encryption key as it is kept apart from backups: wrapped by the vault's own key. */
export interface WrappedKek {
  kekId: number;
  wrapped: Hex;
  /** Unix seconds. */
  createdAt: number;
}

/**
 * Backups of a vault. They hold everything but the key-encryption keys, which are kept apart: a backup opens no record
 * without them. A copy knows that it is one, and gives no key until it heard what was erased since.
 */
export class Backups {
  readonly #database: Database;
  readonly #keys: VaultKeys;
  readonly #settings: Settings;
  #restored: boolean;

  constructor(database: Database, keys: VaultKeys, settings: Settings) {
    this.#database = database;
    this.#keys = keys;
    this.#settings = settings;
    this.#restored = settings.get(RESTORED)?.[0] === 1;
  }

  /** Also those that expired, oldest first. */
  all(): Backup[] {
    const stored = this.#settings.get(LIST);
    return stored === undefined ? [] : (JSON.parse(Buffer.from(stored).toString()) as Backup[]);
  }

  /** Those from which a content key can still be had: not expired, and their key-encryption key not destroyed. */
  live(now: number): Backup[] {
    const keks = new Set(this.keks().map(({ kekId }) => kekId));
    return this.all().filter(({ expiresAt, kekId }) => expiresAt > now && keks.has(kekId));
  }

  /** How many content keys were erased in this vault, ever. */
  erased(): number {
    return Number(this.#database.get("SELECT count(*) AS n FROM content_keys WHERE wrapped IS NULL")?.["n"]);
  }

  /**
   * Takes note of a backup before it holds a key: an erasure counts it from now on, also when it is never finished.
   * @throws ERR_TIMEOUT (retryable) while the key-encryption key is being replaced: the copy would need both
   */
  begin({ now, expiresAt }: { now: number; expiresAt: number }): Backup {
    return this.#database.transaction(() => {
      const [kek, another] = this.keks();
      if (another !== undefined) {
        throw new ChartsealError("ERR_TIMEOUT", "the key-encryption key is being replaced", {
          retryable: true,
        });
      }
      const id = randomBytes(8).toString("hex");
      const { kekId } = kek!;
      const backup: Backup = { id, madeAt: now, expiresAt, kekId, erased: this.erased(), unfinished: true };
      this.#settings.set(LIST, json([...this.all(), backup]));
      return backup;
    });
  }

  /**
   * Writes a copy of the vault, as it is at one moment, to a new file; others may go on working. No key-encryption key
   * is ever written there.
   * @throws ERR_CONFIG_INVALID when the file exists
   */
  copyTo(path: string, { id }: Backup): void {
    using copy = openVaultCopy(path, this.#database.path);
    const settings = new Settings(copy, this.#keys);
    settings.set(LIST, json(this.all().map((backup) => (backup.id === id ? finished(backup) : backup))));
    settings.set(RESTORED, Buffer.of(1));
  }

  /** Takes note that a backup is complete. */
  finish({ id }: Backup): Backup {
    this.#change((all) => all.map((backup) => (backup.id === id ? finished(backup) : backup)));
    return this.all().find((backup) => backup.id === id)!;
  }

  /** Forgets a backup of which nothing is left. */
  remove({ id }: Backup): void {
    this.#change((all) => all.filter((backup) => backup.id !== id));
  }

  #change(change: (all: Backup[]) => Backup[]): void {
    this.#database.transaction(() => this.#settings.set(LIST, json(change(this.all()))));
  }

  /** For the file that is kept apart from backups. */
  keks(): WrappedKek[] {
    return this.#database.all("SELECT * FROM keks ORDER BY kek_id").map((row) => ({
      kekId: Number(row["kek_id"]),
      wrapped: toHex(row["wrapped"] as Uint8Array),
      createdAt: Number(row["created_at"]),
    }));
  }

  /**
   * Gives a restored vault its key-encryption keys.
   * @throws ERR_VAULT_DAMAGED for another vault's, ERR_KEY_ERASED when they are newer than the backup: an erasure
   * destroyed those that it needs
   */
  addKeks(keks: readonly WrappedKek[]): void {
    this.#database.transaction(() => {
      for (const { kekId, wrapped, createdAt } of keks) {
        const cell = fromHex(wrapped);
        openKek(this.#keys, kekId, cell).fill(0);
        this.#database.run(
          "INSERT INTO keks VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          kekId,
          cell,
          createdAt,
        );
      }
      const missing = this.#database.get(
        "SELECT kek_id FROM content_keys WHERE kek_id NOT IN (SELECT kek_id FROM keks) LIMIT 1",
      );
      if (missing === undefined) return;
      throw new ChartsealError(
        "ERR_KEY_ERASED",
        "the key-encryption key that this backup needs was destroyed: records were erased since",
        { values: { kekId: Number(missing["kek_id"]) }, hint: "restore a backup that was made after that" },
      );
    });
  }

  /** True for a copy until {@link reconciled}. */
  get restored(): boolean {
    return this.#restored;
  }

  /** Every erasure since the copy was made has been repeated in it. */
  reconciled(): void {
    this.#settings.set(RESTORED, Buffer.of(0));
    this.#restored = false;
  }

  /** @throws ERR_VAULT_RESTORED */
  requireReconciled(): void {
    if (!this.#restored) return;
    throw new ChartsealError(
      "ERR_VAULT_RESTORED",
      "this vault is a copy: it gives no key before it knows what was erased since it was made",
      { hint: "`chartseal restore` asks the chain, and erases that here too" },
    );
  }
}

function finished({ unfinished: _, ...backup }: Backup): Backup {
  return backup;
}

function json(backups: readonly Backup[]): Uint8Array {
  return Buffer.from(JSON.stringify(backups));
}
