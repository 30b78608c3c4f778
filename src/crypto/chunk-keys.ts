// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { ChartsealError } from "../errors.js";
import { HmacKey, type HmacHash } from "./hmac.js";

/** Bytes of plaintext in every chunk but the last. */
export const CHUNK_LENGTH = 16_384;
/** Bytes of a content key. */
export const CONTENT_KEY_LENGTH = 32;
/** Bytes of the tag that ends every chunk. */
export const TAG_LENGTH = 16;

/** The hash of the key derivation: SHA-512 in Cobblestone-256, SHA-256 in the specification's test vectors. */
export type KdfHash = HmacHash;

const COMMITMENT_LENGTH = 32;
const AEAD_KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const DERIVED_LENGTH = AEAD_KEY_LENGTH + NONCE_LENGTH + COMMITMENT_LENGTH;
const INFO_LABEL = Buffer.from("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0", "latin1");

/** One for all messages: each puts its key there, and clears it. */
const EXPANDING = { sha256: new HmacKey("sha256"), sha512: new HmacKey("sha512") };

/** The keys of one message, and the one place that uses them. */
export class ChunkKeys {
  readonly commitment: Buffer;
  readonly #key: KeyObject;
  readonly #baseNonce: Buffer;
  readonly #nonce: Buffer;

  constructor(kdfHash: KdfHash, contentKey: Uint8Array, salt: Uint8Array, context: Uint8Array) {
    checkKey(contentKey);
    const okm = expand(kdfHash, contentKey, Buffer.concat([INFO_LABEL, salt, context]));
    this.#key = createSecretKey(okm.subarray(0, AEAD_KEY_LENGTH));
    this.#baseNonce = okm.subarray(AEAD_KEY_LENGTH, AEAD_KEY_LENGTH + NONCE_LENGTH);
    this.commitment = okm.subarray(AEAD_KEY_LENGTH + NONCE_LENGTH);
    this.#nonce = Buffer.from(this.#baseNonce);
  }

  /** Writes the chunk's ciphertext and tag into `out`. */
  seal(chunk: number, plaintext: Uint8Array, out: Uint8Array, offset: number): void {
    const options = { authTagLength: TAG_LENGTH };
    const cipher = createCipheriv("aes-256-gcm", this.#key, this.#nonceOf(chunk), options);
    const sealed = cipher.update(plaintext);
    out.set(sealed, offset);
    giveBack(sealed);
    cipher.final();
    out.set(cipher.getAuthTag(), offset + plaintext.length);
  }

  /** Returns the chunk's plaintext, or throws ERR_BODY_TAMPERED. */
  open(chunk: number, sealed: Uint8Array): Uint8Array {
    const length = sealed.length - TAG_LENGTH;
    if (length < 0) throw tampered(chunk, "is cut short");
    // Without authTagLength, Node would accept a tag cut down to 4 bytes.
    const options = { authTagLength: TAG_LENGTH };
    const decipher = createDecipheriv("aes-256-gcm", this.#key, this.#nonceOf(chunk), options);
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      throw tampered(chunk, "does not authenticate: it was altered, moved, cut short or extended");
    }
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  }

  // Base nonce XOR chunk number. A chunk number is a safe integer, so its last eight bytes hold it.
  #nonceOf(chunk: number): Buffer {
    const low = this.#baseNonce.readUInt32BE(8) ^ chunk; // XOR takes the low 32 bits of the number
    const high = this.#baseNonce.readUInt32BE(4) ^ Math.floor(chunk / 2 ** 32);
    this.#nonce.writeUInt32BE(low >>> 0, 8);
    this.#nonce.writeUInt32BE(high >>> 0, 4);
    return this.#nonce;
  }
}

/** Frees what is not used any more. Left to V8, there would be some 40 MiB of it before it looks. */
function giveBack(bytes: Buffer<ArrayBuffer>): void {
  if (bytes.length === bytes.buffer.byteLength) bytes.buffer.transfer(0);
}

/** HKDF-Expand (RFC 5869, 2.3) to the 76 bytes that a message needs: two blocks of SHA-512. */
function expand(kdfHash: KdfHash, prk: Uint8Array, info: Buffer): Buffer {
  // Key material stays out of Node's shared buffer pool.
  const okm = Buffer.allocUnsafeSlow(DERIVED_LENGTH);
  const hmac = EXPANDING[kdfHash];
  hmac.use(prk);
  let previous: Uint8Array = new Uint8Array();
  for (let offset = 0, block = 1; offset < DERIVED_LENGTH; offset += previous.length, block++) {
    const next = hmac.secret(previous, info, Uint8Array.of(block));
    previous.fill(0);
    okm.set(next.subarray(0, DERIVED_LENGTH - offset), offset);
    previous = next;
  }
  previous.fill(0);
  hmac[Symbol.dispose]();
  return okm;
}

// People count chunks from 1.
function tampered(chunk: number, reason: string): ChartsealError {
  return new ChartsealError("ERR_BODY_TAMPERED", `16 KiB chunk ${chunk + 1} of the body ${reason}`, {
    values: { chunk: chunk + 1 },
  });
}

/** @throws ChartsealError ERR_KEY_INVALID unless the key has 32 bytes */
export function checkKey(key: Uint8Array): void {
  if (key.length !== CONTENT_KEY_LENGTH) {
    throw new ChartsealError("ERR_KEY_INVALID", `a content key has 32 bytes, got ${key.length}`);
  }
}
