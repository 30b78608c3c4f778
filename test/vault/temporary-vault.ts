// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Hex, toHex } from "../../src/crypto/bytes.js";
import { ChartsealError, type ErrorCode } from "../../src/errors.js";
import { passphrase, Vault } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";

export const PASSPHRASE = "correct horse battery staple";
/** The lowest scrypt cost a vault accepts. */
export const TEST_COST = 2 ** 14;

/** A folder that is removed after use. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "chartseal-vault-"));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** A quickly made vault in a folder of its own. */
export class TemporaryVault implements Disposable {
  readonly folder: TemporaryFolder;
  vault: Vault;

  private constructor(folder: TemporaryFolder, vault: Vault) {
    this.folder = folder;
    this.vault = vault;
  }

  static async make(): Promise<TemporaryVault> {
    const folder = new TemporaryFolder();
    await createVaultFile(folder.file("vault.db"), passphrase(PASSPHRASE), TEST_COST);
    return new TemporaryVault(folder, await Vault.open(folder.file("vault.db"), passphrase(PASSPHRASE)));
  }

  get path(): string {
    return this.folder.file("vault.db");
  }

  /** Changes the file behind the vault's back, as who can write it may. */
  tamper<T>(change: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(this.path);
    try {
      return change(database);
    } finally {
      database.close();
    }
  }

  /** Exchanges a column's values between the two rows of `table` that `key` names. */
  swap(table: string, key: string, column: string, rows: [Uint8Array | number, Uint8Array | number]): void {
    this.tamper((database) => {
      const read = database.prepare(`SELECT ${column} AS value FROM ${table} WHERE ${key} = ?`);
      const [first, second] = rows.map((row) => read.get(row)!["value"]!);
      const write = database.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`);
      write.run(second!, rows[0]);
      write.run(first!, rows[1]);
    });
  }

  /** All bytes a thief of the disk has. */
  bytes(): Buffer {
    const files = ["", "-wal", "-shm"].map((suffix) => this.path + suffix).filter((file) => existsSync(file));
    return Buffer.concat(files.map((file) => readFileSync(file)));
  }

  [Symbol.dispose](): void {
    this.vault[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }
}

export function randomId(): Hex {
  return toHex(randomBytes(32));
}

/** The ChartsealError with this code that `work` throws. */
export function refusal(code: ErrorCode, work: () => unknown): ChartsealError {
  try {
    work();
  } catch (error) {
    return withCode(code, error);
  }
  return expect.fail(`expected ${code}, but nothing was thrown`);
}

/** The ChartsealError with this code that `work` rejects with. */
export async function rejection(code: ErrorCode, work: Promise<unknown>): Promise<ChartsealError> {
  try {
    await work;
  } catch (error) {
    return withCode(code, error);
  }
  return expect.fail(`expected ${code}, but nothing was thrown`);
}

function withCode(code: ErrorCode, error: unknown): ChartsealError {
  if (!(error instanceof ChartsealError)) throw error;
  expect(error.code, error.message).to.equal(code);
  return error;
}
