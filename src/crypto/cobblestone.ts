// SPDX-License-Identifier: Apache-2.0
// Cobblestone-256: C2SP chunked-encryption v1 with AES-256-GCM and HKDF-SHA-512, the cipher of sealed records.
// Python's `cryptography.cobblestone.Cobblestone256Decryptor` opens what this writes.
import { ChunkedEncryption } from "./chunked-encryption.js";
import type { EncryptOptions } from "./chunked-encryption.js";

const COBBLESTONE_256 = new ChunkedEncryption("sha512");

/**
 * Encrypts a stream of any length in constant memory.
 *
 * @param key - 32-byte content key
 * @param context - bytes that decryption must name again; they are not stored
 * @throws ChartsealError ERR_KEY_INVALID for a key of another length, ERR_USAGE for such a salt
 */
export function encrypt(
  key: Uint8Array,
  context: Uint8Array,
  plaintext: AsyncIterable<Uint8Array>,
  options?: EncryptOptions,
): AsyncGenerator<Uint8Array> {
  return COBBLESTONE_256.encrypt(key, context, plaintext, options);
}

/**
 * Decrypts a stream of any length in constant memory. A chunk's plaintext is yielded only once the chunk is
 * authenticated; that nothing is missing after it is known only when the iteration ends without an error.
 *
 * @throws ChartsealError ERR_BODY_TAMPERED naming the first chunk that is altered, moved, missing or added;
 * also for another key or context. ERR_KEY_INVALID for a key of another length.
 */
export function decrypt(
  key: Uint8Array,
  context: Uint8Array,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  return COBBLESTONE_256.decrypt(key, context, ciphertext);
}

/** {@link encrypt} at once, for a plaintext in memory. */
export function encryptBytes(
  key: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
  options?: EncryptOptions,
): Uint8Array {
  return COBBLESTONE_256.encryptBytes(key, context, plaintext, options);
}

/**
 * {@link decrypt} at once, for a ciphertext in memory: all of it is authenticated before anything is returned.
 */
export function decryptBytes(key: Uint8Array, context: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return COBBLESTONE_256.decryptBytes(key, context, ciphertext);
}

/** Whether a ciphertext whose first {@link HEADER_LENGTH} bytes these are was made under this key and context. */
export function begins(key: Uint8Array, context: Uint8Array, header: Uint8Array): boolean {
  return COBBLESTONE_256.begins(key, context, header);
}
