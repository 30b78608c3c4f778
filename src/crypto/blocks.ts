// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

/** A block of a stream. The bytes are valid until the next block is asked for. */
export interface Block {
  readonly bytes: Uint8Array;
  /** True for the final block, which is always shorter than the others and may be empty. */
  readonly last: boolean;
}

/**
 * Cuts a stream of pieces of any length into blocks of exactly `size` bytes. A block that lies within one
 * piece is not copied; what remains of a piece is, for a source may reuse its buffer.
 *
 * @param headSize - bytes of a first block of another length; 0 for none
 * @throws ChartsealError ERR_USAGE when the source yields something other than bytes
 */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
  headSize = 0,
): AsyncGenerator<Block> {
  const held = Buffer.allocUnsafeSlow(Math.max(size, headSize));
  let have = 0;
  let want = headSize === 0 ? size : headSize;
  for await (const piece of source) {
    if (!(piece instanceof Uint8Array)) {
      throw new ChartsealError("ERR_USAGE", "the stream yields something other than bytes");
    }
    let offset = 0;
    while (offset < piece.length) {
      const take = Math.min(want - have, piece.length - offset);
      const part = piece.subarray(offset, offset + take);
      offset += take;
      if (take < want) held.set(part, have);
      have += take;
      if (have === want) {
        yield { bytes: take === want ? part : held.subarray(0, have), last: false };
        have = 0;
        want = size;
      }
    }
  }
  yield { bytes: held.subarray(0, have), last: true };
}

/** Bytes in memory as a stream of one piece. */
export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
