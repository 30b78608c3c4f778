// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ChartsealError } from "../errors.js";
import { type Database, openDatabase } from "../sqlite.js";
import { CompartmentNames } from "./compartment-names.js";
import { ContentKeys } from "./content-keys.js";
import { openHeader, readHeader, SCRYPT_COST, writeHeader } from "./header.js";
import { askPassphrase, type Unlock } from "./passphrase.js";
import { VAULT_FORMAT, VAULT_SCHEMA } from "./schema.js";
import { Settings } from "./settings.js";
import { VaultKeys } from "./vault-keys.js";

const OPTIONS = { format: VAULT_FORMAT, schema: VAULT_SCHEMA, damagedCode: "ERR_VAULT_DAMAGED" } as const;

export interface UnlockedFile {
  database: Database;
  keys: VaultKeys;
}

/**
 * Makes a vault file under a temporary name and links it to `path` when it is complete, so that a crash leaves no
 * half vault and an existing one is never replaced. `cost` other than the default is for tests.
 */
export async function createVaultFile(
  path: string,
  unlock: Unlock,
  cost: number = SCRYPT_COST,
): Promise<void> {
  expectAbsent(path);
  const passphrase = await askPassphrase(unlock, "choose");
  const unfinished = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    using database = openDatabase(unfinished, OPTIONS);
    const master = randomBytes(32);
    await writeHeader(database, passphrase, master, cost);
    using keys = new VaultKeys(master);
    using contentKeys = new ContentKeys(database, keys);
    contentKeys.addKek();
    new CompartmentNames(database, new Settings(database, keys)).initialise();
    database.close(); // moves the write-ahead log into the file
    linkNew(unfinished, path);
  } finally {
    passphrase.fill(0);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(unfinished + suffix, { force: true });
  }
}

/** Opens the vault file; asks for the passphrase only when the file is readable. */
export async function openVaultFile(path: string, unlock: Unlock): Promise<UnlockedFile> {
  if (!existsSync(path)) {
    throw new ChartsealError("ERR_CONFIG_INVALID", `there is no vault at ${path}`, {
      values: { path },
      hint: "make one with `chartseal init`",
    });
  }
  const database = openDatabase(path, { ...OPTIONS, create: false });
  try {
    const header = readHeader(database);
    const passphrase = await askPassphrase(unlock, "open");
    try {
      return { database, keys: new VaultKeys(await openHeader(header, passphrase)) };
    } finally {
      passphrase.fill(0);
    }
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Copies a vault's file, as it is at one moment, to a new one, all but its key-encryption keys: they are never written
 * there, not even to be deleted again.
 */
export function openVaultCopy(path: string, original: string): Database {
  expectAbsent(path);
  const copy = openDatabase(path, OPTIONS);
  try {
    copy.exec("PRAGMA foreign_keys = OFF");
    copy.run("ATTACH ? AS original", original);
    const tables = copy.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'keks'");
    const copying = tables.map(
      ({ name }) => `INSERT INTO ${String(name)} SELECT * FROM original.${String(name)};`,
    );
    // One read transaction: what others commit meanwhile is in all tables or in none.
    copy.exec(`BEGIN; ${copying.join("")} COMMIT; DETACH original`);
    return copy;
  } catch (error) {
    copy.close();
    throw error;
  }
}

/** `link` fails when `path` exists, unlike `rename`. */
function linkNew(from: string, path: string): void {
  try {
    linkSync(from, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") expectAbsent(path);
    throw new ChartsealError("ERR_STORE_FAILED", `the vault ${path} cannot be made`, {
      values: { path },
      hint: "keep it on a local disk with a Unix file system (or NTFS)",
      cause: error,
    });
  }
  if (process.platform === "win32") return; // a folder cannot be synchronised there
  const folder = openSync(dirname(resolve(path)), "r");
  fsyncSync(folder); // the name survives power loss
  closeSync(folder);
}

function expectAbsent(path: string): void {
  if (!existsSync(path)) return;
  throw new ChartsealError("ERR_CONFIG_INVALID", `there is a vault at ${path} already`, {
    values: { path },
    hint: "open it, or choose another path",
  });
}
