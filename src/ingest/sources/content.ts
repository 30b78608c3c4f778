// SPDX-License-Identifier: Apache-2.0
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { ChartsealError } from "../../errors.js";
import type { SourceItem } from "../../records/index.js";
import { errorCode } from "./source.js";

/** Items up to this many bytes are held in memory; larger ones are read again from their file. */
export const HELD_BYTES = 1024 * 1024;

/** Bytes a read of a large item asks for: at Node's default of 64 KiB, reading would cost as much as hashing. */
const READ_BYTES = 512 * 1024;

export type Content = Pick<SourceItem, "size" | "bytes" | "open">;

/** Where bytes lie on disk: `[start, end)` of a file, to its end when `end` is absent. */
export interface FilePart {
  readonly file: string;
  readonly start?: number;
  readonly end?: number;
}

/** Content that is in memory already, and stays there. */
export function memoryContent(bytes: Uint8Array): Content {
  return {
    size: bytes.length,
    ...(bytes.length <= HELD_BYTES ? { bytes } : {}),
    async *open() {
      yield bytes;
    },
  };
}

/** Content of a file, without reading it. */
export function fileContent(part: FilePart, size: number): Content {
  return { size, open: () => readPart(part) };
}

/** Content that was read in full: a large one is read from disk again, rather than held. */
export function readContent(bytes: Uint8Array, part: FilePart | undefined): Content {
  return bytes.length > HELD_BYTES && part !== undefined
    ? fileContent(part, bytes.length)
    : memoryContent(bytes);
}

/** As {@link readContent}, cut out of a larger buffer, which a small slice must not keep alive. */
export function sliceContent(slice: Uint8Array, part: FilePart | undefined): Content {
  return readContent(slice.length > HELD_BYTES && part !== undefined ? slice : copyOf(slice), part);
}

/** A plain Uint8Array with memory of its own. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Opens a file for reading, but not through a symbolic link, which may lead anywhere. */
export async function openFile(file: string): Promise<FileHandle> {
  return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
}

async function* readPart({ file, start = 0, end = Infinity }: FilePart): AsyncGenerator<Uint8Array> {
  try {
    await using handle = await openFile(file);
    // Two buffers take turns: one is read into while the other is used. New ones for every piece would make V8 look
    // through all that is alive once in some 40 MiB.
    const buffers = [Buffer.allocUnsafeSlow(READ_BYTES), Buffer.allocUnsafeSlow(READ_BYTES)] as const;
    const read = async (turn: number, at: number) =>
      await handle.read(buffers[turn % 2]!, 0, Math.min(READ_BYTES, end - at), at);
    let coming = read(0, start);
    for (let turn = 0, at = start; ; turn++) {
      const { buffer, bytesRead } = await coming;
      if (bytesRead === 0) return;
      at += bytesRead;
      coming = read(turn + 1, at);
      coming.catch(() => {}); // reported when awaited; a reader that stops early does not care
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    const code = errorCode(cause);
    throw new ChartsealError("ERR_SOURCE_CHANGED", `the file can no longer be read (${code})`, {
      values: { code },
      hint: "leave the source in place until its items are anchored",
      cause,
    });
  }
}
