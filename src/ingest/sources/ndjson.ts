// SPDX-License-Identifier: Apache-2.0
import { basename } from "node:path";
import { ChartsealError } from "../../errors.js";
import type { BadItem } from "../../records/index.js";
import { openFile } from "./content.js";
import { jsonItems } from "./json-items.js";
import { MAX_LINE_BYTES, splitLines, type Line } from "./lines.js";
import { badItem, counted, resolved, sizeOf, sourceOf } from "./source.js";
import type { Items, Progress, Source } from "./source.js";

/** Bytes a read asks for: fewer, larger reads than the default of 64 KiB. */
const READ_BYTES = 256 * 1024;

/**
 * FHIR NDJSON, as bulk `$export` writes it (http://hl7.org/fhir/uv/bulkdata): one record per line, without its
 * line end. Reads as it goes, with the memory of one line. A line that is not JSON, or longer than 16 MiB, is
 * a bad item, and the next line follows.
 *
 * @param input a file path, or chunks of bytes (read once)
 * @param options `name` labels the items; for a file its base name unless given
 */
export function ndjsonSource(
  input: string | AsyncIterable<Uint8Array>,
  options: { readonly name?: string | undefined } = {},
): Source {
  if (typeof input !== "string") {
    const name = options.name ?? "stream";
    return sourceOf((progress) => ndjsonItems(input, { path: name, file: undefined }, progress));
  }
  const path = (options.name ?? basename(input)).normalize("NFC");
  return sourceOf(
    (progress) => resolved(input, path, (file) => ndjsonFileItems(file, path, progress)),
    sizeOf(input),
  );
}

/** Items of an NDJSON file; `path` labels them. */
export function ndjsonFileItems(file: string, path: string, progress: Progress): Items {
  return ndjsonItems(readFile(file), { path, file }, progress);
}

/** Lines of a file that are no records of their own. */
export function linesOfFile(file: string, progress: Progress): AsyncGenerator<Line> {
  return splitLines(counted(readFile(file), progress));
}

async function* readFile(file: string): AsyncGenerator<Uint8Array> {
  const handle = await openFile(file);
  yield* handle.createReadStream({ highWaterMark: READ_BYTES });
}

async function* ndjsonItems(
  chunks: AsyncIterable<Uint8Array>,
  place: { readonly path: string; readonly file: string | undefined },
  progress: Progress,
): Items {
  const { path, file } = place;
  try {
    for await (const { number, start, bytes } of splitLines(counted(chunks, progress))) {
      const label = `${path}#line ${number}`;
      if (bytes === undefined) {
        yield tooLong(label, number);
        continue;
      }
      const part = file === undefined ? undefined : { file, start, end: start + bytes.length };
      yield* jsonItems(bytes, { path, label, part, origin: { offset: start, line: number } }, false);
    }
  } catch (error) {
    yield badItem(path, error);
  }
}

function tooLong(label: string, line: number): BadItem {
  const error = new ChartsealError(
    "ERR_ITEM_INVALID",
    `line ${line} is longer than ${MAX_LINE_BYTES} bytes`,
    {
      values: { line, limit: MAX_LINE_BYTES },
      hint: "store the resource as a file of its own, or its attachment outside of it",
    },
  );
  return { label, error };
}
