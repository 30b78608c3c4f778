// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ChartsealError } from "../../errors.js";
import { fileSource } from "./bundle.js";
import { exportSource } from "./export.js";
import { findManifest, isManifest } from "./export-manifest.js";
import { kindByName } from "./file-items.js";
import { folderSource } from "./folder.js";
import { ndjsonSource } from "./ndjson.js";
import { errorCode } from "./source.js";
import type { Source, SourceOptions } from "./source.js";

/**
 * The source a path stands for: a bulk `$export` (its folder or its manifest); a folder; NDJSON (`.ndjson`, `.jsonl`); JSON (`.json`, or a file without a
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
  if (found.isDirectory()) {
    const manifest = await findManifest(path).catch(() => undefined);
    return manifest === undefined ? folderSource(path, options) : exportSource(path, manifest);
  }
  if (!found.isFile()) {
    throw new ChartsealError("ERR_USAGE", "the source is neither a file nor a folder", {
      hint: "send a stream through standard input",
    });
  }
  if (kindByName(path) === "json" && (await isManifest(path)))
    return exportSource(dirname(path), basename(path));
  return kindByName(path) === "ndjson" ? ndjsonSource(path) : fileSource(path, options);
}
