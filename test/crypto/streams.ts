// SPDX-License-Identifier: Apache-2.0

/** Bytes as a stream of pieces of these lengths, over and over; the rest of the bytes in one piece if none. */
export async function* pieces(
  bytes: Uint8Array,
  lengths: readonly number[] = [],
): AsyncGenerator<Uint8Array> {
  if (lengths.length === 0) {
    yield bytes;
    return;
  }
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const length = lengths[i % lengths.length]!;
    // A source may reuse its buffer, so the pieces of a test are overwritten once they were taken.
    const piece = bytes.slice(offset, offset + length);
    yield piece;
    piece.fill(0xaa);
    offset += length;
  }
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Uint8Array.from(Buffer.concat(parts));
}
