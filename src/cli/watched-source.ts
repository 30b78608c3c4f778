// SPDX-License-Identifier: Apache-2.0
import type { Source } from "../ingest/index.js";

/** Items that may be read ahead of those whose outcome is known. */
const REMEMBERED = 2_000;

/** A source that stops at once when asked to, also while it waits for input, and that numbers its items. */
export interface WatchedSource extends Source {
  /** The number, from 1, of a newly read item with this label: the label itself may hold a name. */
  readonly numberOf: (label: string) => number | undefined;
}

export function watched(source: Source, signal: AbortSignal): WatchedSource {
  const numbers = new Map<string, number>();
  return {
    get totalBytes() {
      return source.totalBytes;
    },
    get bytesRead() {
      return source.bytesRead;
    },
    numberOf: (label) => numbers.get(label),
    async *[Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const { promise: stopped, reject } = Promise.withResolvers<never>();
      stopped.catch(() => {}); // also when nobody waits for it any more
      const stop = () => reject(signal.reason as Error);
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      try {
        for (let number = 1; ; number++) {
          const next = await Promise.race([iterator.next(), stopped]);
          if (next.done === true) return;
          numbers.set(next.value.label, number);
          if (numbers.size > REMEMBERED) numbers.delete(numbers.keys().next().value!);
          yield next.value;
        }
      } finally {
        signal.removeEventListener("abort", stop);
        // Not awaited after a stop: the read under way may never end.
        const closed = iterator.return?.(undefined);
        if (!signal.aborted) await closed;
      }
    },
  };
}
