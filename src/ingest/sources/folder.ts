// SPDX-License-Identifier: Apache-2.0
import type { Dirent } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { ChartsealError } from "../../errors.js";
import { fileItems } from "./file-items.js";
import { badItem, sourceOf } from "./source.js";
import type { Items, Progress, Source, SourceOptions } from "./source.js";

/** A folder that is being read. */
interface Walk {
  /** Real path of the source folder. */
  readonly root: string;
  readonly split: boolean;
  readonly progress: Progress;
}

/**
 * Every file of a folder and of its sub-folders, sorted by name (code units, not locale), so that two runs see
 * the same order. A file name with a leading dot or ending in `.part` or `.tmp` (a copy under way) is skipped,
 * a folder likewise. What cannot be read is a bad item, and the next file follows.
 *
 * No symbolic link is followed: one that leads to a file inside the folder is skipped, since that file is
 * read in its own place; any other is a bad item.
 */
export function folderSource(dir: string, options: SourceOptions = {}): Source {
  return sourceOf((progress) => folderItems(dir, options.split === true, progress));
}

async function* folderItems(dir: string, split: boolean, progress: Progress): Items {
  let root: string;
  try {
    root = await realpath(dir);
    progress.totalBytes = await sizeOfFolder(root);
  } catch (error) {
    yield badItem(".", error);
    return;
  }
  yield* walk({ root, split, progress }, root, "");
}

async function* walk(context: Walk, folder: string, prefix: string): Items {
  let entries: readonly Dirent[];
  try {
    entries = await listFolder(folder);
  } catch (error) {
    yield badItem(prefix === "" ? "." : prefix.slice(0, -1), error);
    return;
  }
  const seen = new Set<string>();
  for (const entry of entries) {
    const path = prefix + entry.name.normalize("NFC");
    const file = join(folder, entry.name);
    if (seen.has(path)) {
      yield { label: path, error: sameName() };
      continue;
    }
    seen.add(path);
    if (entry.isDirectory()) yield* walk(context, file, `${path}/`);
    else if (entry.isFile()) yield* fileItems(file, path, context.split, context.progress);
    else if (!entry.isSymbolicLink()) yield { label: path, error: notAFile() };
    else if (!(await leadsInside(context.root, file))) yield { label: path, error: linkOut() };
  }
}

/** Entries of a folder that are meant to be read, sorted by code unit. */
async function listFolder(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter(({ name }) => !isSkipped(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hidden, or a copy under way. */
export function isSkipped(name: string): boolean {
  return name.startsWith(".") || /\.(part|tmp)$/i.test(name);
}

/** Bytes of all files that {@link walk} will read; what cannot be asked counts nothing. */
async function sizeOfFolder(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await listFolder(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) total += await sizeOfFolder(path).catch(() => 0);
    else if (entry.isFile()) total += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return total;
}

/** Whether a link's target is read anyway, in its own place: below the folder, and not among what is skipped. */
async function leadsInside(root: string, link: string): Promise<boolean> {
  const target = await realpath(link).catch(() => undefined);
  if (target === undefined || !target.startsWith(root.endsWith(sep) ? root : root + sep)) return false;
  const segments = target
    .slice(root.length)
    .split(sep)
    .filter((segment) => segment !== "");
  return !segments.some(isSkipped);
}

function linkOut(): ChartsealError {
  return new ChartsealError(
    "ERR_ITEM_INVALID",
    "a symbolic link that leads out of the folder is not followed",
    {
      hint: "copy the file into the folder, or ingest it where it is",
    },
  );
}

function notAFile(): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", "neither a file nor a folder (a pipe, socket or device)", {
    hint: "take it out of the folder",
  });
}

function sameName(): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", "two names in this folder are the same in Unicode NFC", {
    hint: "rename one of them; as they are, one would count as an amendment of the other",
  });
}
