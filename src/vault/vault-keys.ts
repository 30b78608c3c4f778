// SPDX-License-Identifier: Apache-2.0
import { createHmac, hkdfSync } from "node:crypto";
import { uintBytes } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import { type Cell, openCell, sealCell } from "./sealed-cell.js";

/** Sealed texts are padded with spaces to a multiple of this, so that a length says little. */
const TEXT_BLOCK_BYTES = 128;

/** The keys below the master key, one for each use: HKDF-SHA-256 (RFC 5869), the label as `info`. */
const LABELS = {
  values: "chartseal/vault/v1/values",
  keks: "chartseal/vault/v1/keks",
  lookup: "chartseal/vault/v1/lookup",
  journal: "chartseal/vault/v1/journal",
  dedupe: "chartseal/vault/v1/dedupe",
  rows: "chartseal/vault/v1/rows",
} as const;

export type SubKey = keyof typeof LABELS;

/** The master key of an unlocked vault and what derives from it; zeroed by dispose. */
export class VaultKeys implements Disposable {
  readonly #master: Uint8Array;
  readonly #subKeys = new Map<SubKey, Uint8Array>();
  #closed = false;

  /** Takes over `master` (32 bytes). */
  constructor(master: Uint8Array) {
    this.#master = master;
    for (const [name, label] of Object.entries(LABELS)) {
      this.#subKeys.set(name as SubKey, new Uint8Array(hkdfSync("sha256", master, "", label, 32)));
    }
  }

  /** The live buffer: not to be kept or changed. @throws ERR_VAULT_LOCKED after dispose */
  get master(): Uint8Array {
    this.#assertOpen();
    return this.#master;
  }

  /** The live buffer: not to be kept or changed. @throws ERR_VAULT_LOCKED after dispose */
  subKey(name: SubKey): Uint8Array {
    this.#assertOpen();
    return this.#subKeys.get(name)!;
  }

  seal(cell: Cell, plaintext: Uint8Array): Uint8Array {
    return sealCell(this.subKey("values"), cell, plaintext);
  }

  open(cell: Cell, sealed: unknown): Uint8Array {
    return openCell(this.subKey("values"), cell, sealed);
  }

  /** Seals a JSON value, padded. */
  sealJson(cell: Cell, value: unknown): Uint8Array {
    const text = Buffer.from(JSON.stringify(value));
    const padded = Buffer.alloc(Math.ceil(text.length / TEXT_BLOCK_BYTES) * TEXT_BLOCK_BYTES, " ");
    padded.set(text);
    const sealed = this.seal(cell, padded);
    padded.fill(0);
    text.fill(0);
    return sealed;
  }

  /** The caller knows the shape: what opens was sealed here. */
  openJson(cell: Cell, sealed: unknown): unknown {
    const text = this.open(cell, sealed);
    const value: unknown = JSON.parse(Buffer.from(text).toString());
    text.fill(0);
    return value;
  }

  /**
   * A row key that says nothing without the vault's lookup key: HMAC-SHA-256 over `use` and each part, all UTF-8
   * with a 4-byte length before it, so that ("ab","c") and ("a","bc") differ.
   */
  lookup(use: string, ...parts: string[]): Uint8Array {
    const hmac = createHmac("sha256", this.subKey("lookup"));
    for (const part of [use, ...parts]) {
      const bytes = Buffer.from(part);
      hmac.update(uintBytes(bytes.length, 4)).update(bytes);
    }
    return hmac.digest();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#master.fill(0);
    for (const key of this.#subKeys.values()) key.fill(0);
  }

  #assertOpen(): void {
    if (this.#closed) throw new ChartsealError("ERR_VAULT_LOCKED", "the vault was closed; open it again");
  }
}
