// SPDX-License-Identifier: Apache-2.0
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { ChartsealError } from "../../errors.js";
import type { BadItem } from "../../records/index.js";
import { deletionItems, reportedErrors } from "./export-lines.js";
import { readManifest, type ExportFile, type ExportManifest } from "./export-manifest.js";
import { isSkipped } from "./folder.js";
import { ndjsonFileItems } from "./ndjson.js";
import { badItem, sourceOf } from "./source.js";
import type { Items, Progress, Source } from "./source.js";

type Kind = "deleted" | "output" | "error";

/** A listed file, where it lies. */
interface Found extends ExportFile {
  readonly kind: Kind;
  /** Below the folder. Undefined: it is not there. */
  readonly path: string | undefined;
  readonly size: number;
}

/**
 * A FHIR bulk `$export` as it was saved: its manifest (http://hl7.org/fhir/uv/bulkdata) beside its NDJSON files, or
 * those in folders `output`, `deleted` and `error`. What was deleted is taken back before what there is now is taken. A
 * file that is missing, has another count, or is not listed is a bad item, and so are the errors of the server.
 */
export function exportSource(folder: string, manifest: string): Source {
  return sourceOf((progress) => exportItems(folder, manifest, progress));
}

async function* exportItems(folder: string, name: string, progress: Progress): Items {
  let root: string;
  let manifest: ExportManifest;
  let files: Found[];
  try {
    root = await realpath(folder);
    manifest = await readManifest(join(root, name));
    files = await locate(root, manifest);
  } catch (error) {
    yield badItem(name, error);
    return;
  }
  progress.totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  if (manifest.goesOn) yield goesOn(name);
  for (const file of files) {
    if (file.path === undefined) yield missing(file);
    else yield* checked(file, linesOf(root, file, file.path, manifest, progress));
  }
  yield* unlisted(root, new Set([name, ...files.flatMap(({ path }) => path ?? [])]));
}

function linesOf(
  root: string,
  { kind }: Found,
  path: string,
  manifest: ExportManifest,
  progress: Progress,
): Items {
  const file = join(root, path);
  if (kind === "output") return ndjsonFileItems(file, path, progress);
  if (kind === "deleted")
    return deletionItems({ file, path, transactionTime: manifest.transactionTime }, progress);
  return reportedErrors(file, path, progress);
}

/** Deletions first: what was deleted and made again since is in the output. */
async function locate(root: string, manifest: ExportManifest): Promise<Found[]> {
  const kinds: readonly Kind[] = ["deleted", "output", "error"];
  const listed = kinds.flatMap((kind) => manifest[kind].map((file) => ({ ...file, kind })));
  return await Promise.all(listed.map(async (file) => ({ ...file, ...(await placeOf(root, file)) })));
}

/** Servers leave the extension out of their URLs; clients put each kind into a folder of its own. */
async function placeOf(
  root: string,
  { name, kind }: ExportFile & { kind: Kind },
): Promise<Pick<Found, "path" | "size">> {
  for (const path of [name, `${name}.ndjson`, `${kind}/${name}`, `${kind}/${name}.ndjson`]) {
    const found = await lstat(join(root, path)).catch(() => undefined);
    // Neither a link nor a folder that is one leads out of the export.
    if (found?.isFile() === true && (await realpath(join(root, path))) === join(root, path))
      return { path, size: found.size };
  }
  return { path: undefined, size: 0 };
}

async function* checked({ name, path = name, count, kind }: Found, items: Items): Items {
  let lines = 0;
  for await (const item of items) {
    lines++;
    yield item;
  }
  if (count === undefined || kind === "error" || lines === count) return;
  yield bad(`${path}#count`, `the manifest says that a file has ${count} resources, and it has ${lines}`, {
    values: { said: count, found: lines },
    hint: "the file may be cut short: what is in it is taken; download it again, and ingest the export once more",
  });
}

/** Files that the manifest does not list: of another export, or of none. */
async function* unlisted(root: string, listed: ReadonlySet<string>): Items {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)).split(sep))
    .filter((segments) => !segments.some(isSkipped))
    .map((segments) => segments.join("/").normalize("NFC"));
  for (const path of paths.filter((name) => !listed.has(name)).sort()) {
    yield bad(path, "a file of the export's folder is not listed in its manifest, and is not taken", {
      hint: "ingest it by its own path if it is wanted",
    });
  }
}

function missing({ name }: Found): BadItem {
  return bad(name, "a file that the export's manifest lists is not in its folder", {
    hint: "download it again, under the last segment of its URL; the rest of the export is taken",
  });
}

function goesOn(manifest: string): BadItem {
  return bad(`${manifest}#link`, "the export goes on in another manifest", {
    hint: "save that manifest and its files in another folder, and ingest it too",
  });
}

function bad(label: string, what: string, details: ConstructorParameters<typeof ChartsealError>[2]): BadItem {
  return { label, error: new ChartsealError("ERR_ITEM_INVALID", what, details) };
}
