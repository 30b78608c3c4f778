// SPDX-License-Identifier: Apache-2.0
import { randomBytes, scrypt } from "node:crypto";
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import { type Cell, openCell, sealCell } from "./sealed-cell.js";

/** OWASP Password Storage Cheat Sheet, scrypt: N=2^17, r=8, p=1 (128 MiB). */
export const SCRYPT_COST = 2 ** 17;
const SCRYPT_BLOCK_SIZE = 8;
const SCRYPT_PARALLELIZATION = 1;
/** A header asking for less was tampered with: OWASP's lowest memory setting is N=2^13 with p=10; tests use this. */
const LOWEST_COST = 2 ** 14;
/** A header asking for more (1 GiB) would only exhaust memory. */
const HIGHEST_COST = 2 ** 20;
const SALT_BYTES = 32;

/** How the master key is wrapped under the passphrase. */
interface Header {
  cost: number;
  salt: Uint8Array;
  wrappedMaster: Uint8Array;
}

/**
 * Wraps `master` under a passphrase (normalised bytes) and writes the header row, replacing one that is there.
 * `cost` other than {@link SCRYPT_COST} is for tests.
 */
export async function writeHeader(
  database: Database,
  passphrase: Uint8Array,
  master: Uint8Array,
  cost: number = SCRYPT_COST,
): Promise<void> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(passphrase, salt, cost);
  const wrappedMaster = sealCell(key, masterCell(cost, salt), master);
  key.fill(0);
  database.run(
    `INSERT INTO header VALUES (1, 'scrypt', ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       kdf = excluded.kdf, cost = excluded.cost, block_size = excluded.block_size,
       parallelization = excluded.parallelization, salt = excluded.salt, wrapped_master = excluded.wrapped_master`,
    cost,
    SCRYPT_BLOCK_SIZE,
    SCRYPT_PARALLELIZATION,
    salt,
    wrappedMaster,
  );
}

/**
 * Reads the header row.
 * @throws ERR_VAULT_DAMAGED when it is missing or asks for what chartseal never writes
 */
export function readHeader(database: Database): Header {
  const row = database.get("SELECT * FROM header WHERE id = 1");
  const { kdf, cost, block_size, parallelization, salt, wrapped_master: wrappedMaster } = row ?? {};
  const known =
    kdf === "scrypt" &&
    typeof cost === "number" &&
    Number.isInteger(Math.log2(cost)) &&
    cost >= LOWEST_COST &&
    cost <= HIGHEST_COST &&
    block_size === SCRYPT_BLOCK_SIZE &&
    parallelization === SCRYPT_PARALLELIZATION;
  if (!known || !(salt instanceof Uint8Array) || !(wrappedMaster instanceof Uint8Array)) {
    throw new ChartsealError("ERR_VAULT_DAMAGED", `the header of the vault ${database.path} is damaged`, {
      values: { path: database.path },
      hint: "restore the vault from its backup",
    });
  }
  return { cost, salt, wrappedMaster };
}

/**
 * The master key, with a passphrase (normalised bytes).
 * @throws ERR_VAULT_LOCKED for a wrong passphrase; a changed header is not told apart from one
 */
export async function openHeader(header: Header, passphrase: Uint8Array): Promise<Uint8Array> {
  const key = await derive(passphrase, header.salt, header.cost);
  try {
    return openCell(key, masterCell(header.cost, header.salt), header.wrappedMaster);
  } catch {
    throw new ChartsealError("ERR_VAULT_LOCKED", "the passphrase does not open the vault");
  } finally {
    key.fill(0);
  }
}

function masterCell(cost: number, salt: Uint8Array): Cell {
  const parameters = `scrypt|${cost}|${SCRYPT_BLOCK_SIZE}|${SCRYPT_PARALLELIZATION}|`;
  return { table: "header", column: "wrapped_master", row: Buffer.concat([Buffer.from(parameters), salt]) };
}

function derive(passphrase: Uint8Array, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  const options = {
    N: cost,
    r: SCRYPT_BLOCK_SIZE,
    p: SCRYPT_PARALLELIZATION,
    // RFC 7914: 128 * N * r bytes, and a little more for OpenSSL's own blocks.
    maxmem: 128 * SCRYPT_BLOCK_SIZE * (cost + 1024),
  };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
