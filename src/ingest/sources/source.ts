// SPDX-License-Identifier: Apache-2.0
import { statSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { ChartsealError } from "../../errors.js";
import type { BadItem, SourceItem } from "../../records/index.js";

/** Items in a fixed order. Each iteration starts again, except over a stream, which can be read once. */
export interface Source extends AsyncIterable<SourceItem | BadItem> {
  /** Bytes in all, once known: at once for a file, after the first step for a folder, never for a stream. */
  readonly totalBytes: number | undefined;
  /** Bytes of the source that the present iteration has passed; with `totalBytes` this gives the time left. */
  readonly bytesRead: number;
}

export interface SourceOptions {
  /** Bundles become one item per entry, each the exact bytes of its resource. Off: a Bundle is one item. */
  readonly split?: boolean | undefined;
}

/** What an iteration reports while it runs. */
export interface Progress {
  totalBytes: number | undefined;
  bytesRead: number;
}

export type Items = AsyncGenerator<SourceItem | BadItem, void, undefined>;

/** A source from a generator function that reports its progress. */
export function sourceOf(iterate: (progress: Progress) => Items, totalBytes?: number): Source {
  const progress: Progress = { totalBytes, bytesRead: 0 };
  return {
    get totalBytes() {
      return progress.totalBytes;
    },
    get bytesRead() {
      return progress.bytesRead;
    },
    [Symbol.asyncIterator]() {
      progress.bytesRead = 0;
      return iterate(progress);
    },
  };
}

/** A bad item; whatever is not a ChartsealError is a read that failed. */
export function badItem(label: string, error: unknown): BadItem {
  return { label, error: error instanceof ChartsealError ? error : readError(error) };
}

/** The system's error names a path, which may name a patient: only its code is told. */
function readError(cause: unknown): ChartsealError {
  const code = errorCode(cause);
  return new ChartsealError("ERR_ITEM_INVALID", `the item cannot be read (${code})`, {
    values: { code },
    hint: "check that the file exists and that this user may read it",
    retryable: true,
    cause,
  });
}

/** `ENOENT`, `EACCES`, ... of a system error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}

/** Bytes of a file; unknown when it cannot be asked, which the first read will say better. */
export function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

/** Passes chunks on, and counts their bytes as read. */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.bytesRead += chunk.length;
    yield chunk;
  }
}

/** Items of the real file behind a path: a link that the caller names himself may be followed. */
export async function* resolved(file: string, label: string, items: (real: string) => Items): Items {
  let real: string;
  try {
    real = await realpath(file);
  } catch (error) {
    yield badItem(label, error);
    return;
  }
  yield* items(real);
}
