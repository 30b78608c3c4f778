// SPDX-License-Identifier: Apache-2.0
import { createCipheriv } from "node:crypto";

/** The byte stream that test/vectors/kubo-cids.json defines, its first `size` bytes, in pieces. */
export async function* keystream(size: number, pieceSize = 1_048_576): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv("aes-256-ctr", Buffer.alloc(32), Buffer.alloc(16));
  const zeros = Buffer.alloc(pieceSize);
  for (let left = size; left > 0; left -= pieceSize) {
    yield cipher.update(zeros.subarray(0, Math.min(left, pieceSize)));
  }
}

/** The same bytes at once. */
export async function keystreamBytes(size: number): Promise<Uint8Array> {
  return bytesOf(keystream(size));
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(stream));
}
