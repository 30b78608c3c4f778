// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { ChartsealError } from "../../errors.js";
import { fileSource } from "./bundle.js";
import { kindByName } from "./file-items.js";
import { folderSource } from "./folder.js";
import { ndjsonSource } from "./ndjson.js";
import { errorCode } from "./source.js";
import type { Source, SourceOptions } from "./source.js";

/**
 * The source a path stands for: a folder; NDJSON (`.ndjson`, `.jsonl`); JSON (`.json`, or a file without a
 * telling name whose content is JSON); any other file as one opaque item.
 *
 * @throws ERR_USAGE when there is nothing to read at the path
 */
export async function sourceFor(path: string, options: SourceOptions = {}): Promise<Source> {
  const found = await stat(path).catch((cause: unknown) => {
    const code = errorCode(cause);
    throw new ChartsealError("ERR_USAGE", `the source cannot be read (${code})`, {
      values: { code },
      hint: "give an existing file or folder",
      cause,
    });
  });
  if (found.isDirectory()) return folderSource(path, options);
  if (!found.isFile()) {
    throw new ChartsealError("ERR_USAGE", "the source is neither a file nor a folder", {
      hint: "send a stream through standard input",
    });
  }
  return kindByName(path) === "ndjson" ? ndjsonSource(path) : fileSource(path, options);
}
