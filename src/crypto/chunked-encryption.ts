// SPDX-License-Identifier: Apache-2.0
// C2SP chunked-encryption v1 with AES-256-GCM: https://c2sp.org/chunked-encryption
//
//   salt (24) || commitment (32) || chunks, each AES-256-GCM of 16 KiB with a 16-byte tag
//
// The last chunk is always shorter than 16 KiB and may be empty, so a stream cut at a chunk's end shows.
import { ChartsealError } from "../errors.js";
import { blocksOf } from "./blocks.js";
import { equalBytes, fillRandom } from "./bytes.js";
import { CHUNK_LENGTH, ChunkKeys, TAG_LENGTH, checkKey } from "./chunk-keys.js";
import type { KdfHash } from "./chunk-keys.js";

export interface EncryptOptions {
  /**
   * 24 bytes that no other message under this content key has. For reproducing published vectors only: left
   * out, they are random.
   */
  salt?: Uint8Array;
  /**
   * True: all pieces of a stream share their memory, so that each is gone once the next is asked for. New memory for
   * each would make V8 look through all that is alive once in some 40 MiB.
   */
  reuse?: boolean;
}

/** Chunks that a stream seals at a time: 1 MiB. One by one, handing them on would cost as much as sealing them. */
const CHUNKS_AT_ONCE = 64;
const SEALED_CHUNK_LENGTH = CHUNK_LENGTH + TAG_LENGTH;
const SALT_LENGTH = 24;
const COMMITMENT_LENGTH = 32;
/** Bytes before the first chunk. */
export const HEADER_LENGTH = SALT_LENGTH + COMMITMENT_LENGTH;

/** Bytes of the ciphertext of a plaintext of `plaintextLength` bytes. */
export function ciphertextLength(plaintextLength: number): number {
  return HEADER_LENGTH + plaintextLength + chunksOf(plaintextLength) * TAG_LENGTH;
}

/** The cipher with one hash for its key derivation. `cobblestone.ts` says what each function does. */
export class ChunkedEncryption {
  readonly #kdfHash: KdfHash;

  constructor(kdfHash: KdfHash) {
    this.#kdfHash = kdfHash;
  }

  async *encrypt(
    key: Uint8Array,
    context: Uint8Array,
    plaintext: AsyncIterable<Uint8Array>,
    options: EncryptOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const salt = checkedSalt(options.salt);
    const keys = new ChunkKeys(this.#kdfHash, key, salt, context);
    yield new Uint8Array(Buffer.concat([salt, keys.commitment]));
    const shared = options.reuse === true ? new Uint8Array(CHUNKS_AT_ONCE * SEALED_CHUNK_LENGTH) : undefined;
    let chunk = 0;
    for await (const { bytes, last } of blocksOf(plaintext, CHUNKS_AT_ONCE * CHUNK_LENGTH)) {
      const chunks = last ? chunksOf(bytes.length) : CHUNKS_AT_ONCE;
      const length = bytes.length + chunks * TAG_LENGTH;
      const sealed = shared === undefined ? new Uint8Array(length) : shared.subarray(0, length);
      sealChunks(keys, chunk, chunks, bytes, sealed);
      chunk += chunks;
      yield sealed;
    }
  }

  async *decrypt(
    key: Uint8Array,
    context: Uint8Array,
    ciphertext: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    checkKey(key);
    let keys: ChunkKeys | undefined;
    let chunk = 0;
    for await (const block of blocksOf(ciphertext, SEALED_CHUNK_LENGTH, HEADER_LENGTH)) {
      if (keys === undefined) {
        keys = this.#openHeader(key, context, block.bytes);
        continue;
      }
      const plaintext = keys.open(chunk++, block.bytes);
      if (plaintext.length > 0) yield plaintext;
    }
  }

  encryptBytes(
    key: Uint8Array,
    context: Uint8Array,
    plaintext: Uint8Array,
    options: EncryptOptions = {},
  ): Uint8Array {
    const salt = checkedSalt(options.salt);
    const keys = new ChunkKeys(this.#kdfHash, key, salt, context);
    const out = new Uint8Array(ciphertextLength(plaintext.length));
    out.set(salt);
    out.set(keys.commitment, SALT_LENGTH);
    sealChunks(keys, 0, chunksOf(plaintext.length), plaintext, out.subarray(HEADER_LENGTH));
    return out;
  }

  decryptBytes(key: Uint8Array, context: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    checkKey(key);
    const keys = this.#openHeader(key, context, ciphertext.subarray(0, HEADER_LENGTH));
    const sealed = ciphertext.subarray(HEADER_LENGTH);
    const fullChunks = Math.floor(sealed.length / SEALED_CHUNK_LENGTH);
    const lastLength = Math.max(0, (sealed.length % SEALED_CHUNK_LENGTH) - TAG_LENGTH);
    const out = new Uint8Array(fullChunks * CHUNK_LENGTH + lastLength);
    for (let chunk = 0; chunk <= fullChunks; chunk++) {
      const start = chunk * SEALED_CHUNK_LENGTH;
      out.set(keys.open(chunk, sealed.subarray(start, start + SEALED_CHUNK_LENGTH)), chunk * CHUNK_LENGTH);
    }
    return out;
  }

  /** Whether a ciphertext that begins so was made under this key and context. */
  begins(key: Uint8Array, context: Uint8Array, header: Uint8Array): boolean {
    if (header.length < HEADER_LENGTH) return false;
    const { commitment } = new ChunkKeys(this.#kdfHash, key, header.subarray(0, SALT_LENGTH), context);
    return equalBytes(commitment, header.subarray(SALT_LENGTH, HEADER_LENGTH));
  }

  #openHeader(key: Uint8Array, context: Uint8Array, header: Uint8Array): ChunkKeys {
    if (header.length < HEADER_LENGTH) {
      const message = "the body is cut short: it ends inside its 56-byte header";
      throw new ChartsealError("ERR_BODY_TAMPERED", message, { values: { length: header.length } });
    }
    const keys = new ChunkKeys(this.#kdfHash, key, header.subarray(0, SALT_LENGTH), context);
    if (!equalBytes(keys.commitment, header.subarray(SALT_LENGTH))) {
      throw new ChartsealError(
        "ERR_BODY_TAMPERED",
        "the header of the body does not match: it was altered, or key, member or record id are not its own",
      );
    }
    return keys;
  }
}

/** Chunks of what ends a message, or is the whole of it. */
function chunksOf(length: number): number {
  return Math.floor(length / CHUNK_LENGTH) + 1;
}

/** Seals `count` chunks of a message, from its chunk `first` on, into `out`. */
function sealChunks(
  keys: ChunkKeys,
  first: number,
  count: number,
  plaintext: Uint8Array,
  out: Uint8Array,
): void {
  for (let chunk = 0; chunk < count; chunk++) {
    const start = chunk * CHUNK_LENGTH;
    keys.seal(
      first + chunk,
      plaintext.subarray(start, start + CHUNK_LENGTH),
      out,
      start + chunk * TAG_LENGTH,
    );
  }
}

function checkedSalt(salt: Uint8Array | undefined): Uint8Array {
  if (salt === undefined) {
    const drawn = new Uint8Array(SALT_LENGTH);
    fillRandom(drawn);
    return drawn;
  }
  if (salt.length === SALT_LENGTH) return salt;
  throw new ChartsealError("ERR_USAGE", `a salt has ${SALT_LENGTH} bytes, got ${salt.length}`);
}
