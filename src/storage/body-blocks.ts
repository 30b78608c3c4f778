// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { UNIXFS_V1_2025 } from "./unixfs-dag.js";

/** First size of a buffer, bytes: most sealed records fit, and 1,000 concurrent puts stay small. */
const FIRST_BUFFER = 16_384;

/**
 * Cuts a stream into 1 MiB blocks, the last one shorter; an empty stream gives one empty block. Two buffers take
 * turns: a block stays valid while the next one is filled, and no longer.
 */
export async function* blocksOf(
  body: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const blockSize = UNIXFS_V1_2025.chunkSize;
  let filling: Uint8Array = Buffer.allocUnsafeSlow(FIRST_BUFFER);
  let other: Uint8Array | undefined;
  let filled = 0;
  for await (const bytes of signal === undefined ? body : abortable(body, signal)) {
    let rest = asBytes(bytes);
    while (rest.length > 0) {
      if (filled === blockSize) {
        yield filling;
        [filling, other] = [other ?? Buffer.allocUnsafeSlow(blockSize), filling];
        filled = 0;
      }
      const part = rest.subarray(0, blockSize - filled);
      filling = withRoom(filling, filled, filled + part.length);
      filling.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
    }
  }
  yield filling.subarray(0, filled);
}

function asBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new ChartsealError("ERR_USAGE", `a body gave a piece of type ${typeof value}; give Uint8Array`);
}

function withRoom(buffer: Uint8Array, filled: number, needed: number): Uint8Array {
  if (needed <= buffer.length) return buffer;
  const size = Math.min(UNIXFS_V1_2025.chunkSize, Math.max(needed, buffer.length * 4));
  const larger = Buffer.allocUnsafeSlow(size);
  larger.set(buffer.subarray(0, filled));
  return larger;
}

/**
 * Passes a stream on until `signal` aborts, even while the source keeps us waiting.
 * @throws the signal's reason
 */
async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let interrupt: (reason: unknown) => void = () => {};
  const onAbort = (): void => interrupt(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      // Not Promise.race: its reactions would pile up on one long-lived promise.
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        interrupt = reject;
        iterator.next().then(resolve, reject);
      });
      ended = step.done === true;
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // A source that hangs would keep us waiting here too.
    if (!ended) iterator.return?.().then(undefined, () => {});
  }
}
