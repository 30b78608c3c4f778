// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { beginsLikeJson, isJson, kindByName, opaqueItem } from "./file-items.js";
import { beginsLikeHl7, hl7Items } from "./hl7-items.js";
import { jsonItems } from "./json-items.js";
import { ndjsonSource } from "./ndjson.js";
import { badItem, sourceOf } from "./source.js";
import type { Items, Progress, Source, SourceOptions } from "./source.js";

/** Largest single item taken from a stream: it is held in memory, since it cannot be read twice. */
export const MAX_STREAM_BYTES = 64 * 1024 * 1024;

export interface StreamOptions extends SourceOptions {
  /** Labels the items, and is the source key of an item that has no other. Its extension may tell the kind. */
  readonly name: string;
  /** One record per line, or all of the stream as one file. */
  readonly format: "ndjson" | "file";
}

/**
 * Standard input, or any other stream. Can be iterated once. `"ndjson"` reads as it goes; `"file"` holds up to
 * 64 MiB and refuses more with ERR_ITEM_INVALID.
 */
export function stdinSource(stream: AsyncIterable<Uint8Array>, options: StreamOptions): Source {
  const name = options.name.normalize("NFC");
  if (options.format === "ndjson") return ndjsonSource(stream, { name });
  return sourceOf((progress) => streamItems(stream, name, options.split === true, progress));
}

async function* streamItems(
  stream: AsyncIterable<Uint8Array>,
  path: string,
  split: boolean,
  progress: Progress,
): Items {
  let bytes: Uint8Array;
  try {
    bytes = await gather(stream, progress);
  } catch (error) {
    yield badItem(path, error);
    return;
  }
  if (kindByName(path) === "hl7" || (kindByName(path) === undefined && beginsLikeHl7(bytes))) {
    return yield* hl7Items(once(bytes), { path }, { totalBytes: undefined, bytesRead: 0 });
  }
  const json = kindByName(path) === "json" || (beginsLikeJson(bytes) && isJson(bytes));
  if (json) yield* jsonItems(bytes, { path, label: path }, split);
  else yield opaqueItem(path, { size: bytes.length, head: bytes, bytes }, undefined);
}

async function gather(stream: AsyncIterable<Uint8Array>, progress: Progress): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) {
    progress.bytesRead += part.length;
    if (progress.bytesRead > MAX_STREAM_BYTES) throw tooLarge();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function tooLarge(): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", `the stream is longer than ${MAX_STREAM_BYTES} bytes`, {
    values: { limit: MAX_STREAM_BYTES },
    hint: "write it to a file and ingest that, or send NDJSON",
  });
}
