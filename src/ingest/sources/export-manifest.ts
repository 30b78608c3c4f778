// SPDX-License-Identifier: Apache-2.0
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ChartsealError } from "../../errors.js";
import { scanJson } from "../../records/index.js";

/** Largest manifest read: some 50,000 files. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
/** Longest file name of common file systems, in bytes. */
const MAX_NAME_BYTES = 255;

/** A file of an export, as its manifest lists it. */
export interface ExportFile {
  /** Its name in the folder: the last segment of its URL. */
  readonly name: string;
  /** Resources in it, where the server says. */
  readonly count: number | undefined;
}

/** Completion manifest of a bulk `$export` (http://hl7.org/fhir/uv/bulkdata). */
export interface ExportManifest {
  /** FHIR instant: the state of the server that the export shows. */
  readonly transactionTime: string;
  readonly output: readonly ExportFile[];
  readonly deleted: readonly ExportFile[];
  readonly error: readonly ExportFile[];
  /** The rest of the export is in another manifest. */
  readonly goesOn: boolean;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
const fileSchema = z.object({
  url: z.string("a URL"),
  count: z.int("a whole number").min(0, "a whole number").nullish(),
});
const filesSchema = z.array(fileSchema, "a list of files");
const manifestSchema = z.object({
  transactionTime: z.string("an instant").regex(INSTANT, "an instant"),
  output: filesSchema,
  deleted: filesSchema.nullish(),
  error: filesSchema.nullish(),
  link: z.array(z.object({ relation: z.string("a relation") }), "a list of links").nullish(),
});

/** The name of the manifest among a folder's files, as tools write it: `manifest.json`; undefined where there is none. */
export async function findManifest(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  const named = entries.filter((entry) => entry.isFile() && /(^|[._-])manifest\.json$/i.test(entry.name));
  for (const { name } of named.sort((a, b) => (a.name < b.name ? -1 : 1)))
    if (await isManifest(join(folder, name))) return name;
  return undefined;
}

/** Whether a JSON file is an export's manifest, also one that {@link parseManifest} then refuses. */
export async function isManifest(file: string): Promise<boolean> {
  const bytes = await readSmall(file).catch(() => undefined);
  // Looked for before the text is read as JSON: most files are resources.
  if (bytes === undefined || !bytes.includes('"transactionTime"') || !bytes.includes('"output"'))
    return false;
  try {
    const value = parsed(bytes) as { transactionTime?: unknown; output?: unknown } | null;
    return typeof value?.transactionTime === "string" && Array.isArray(value.output);
  } catch {
    return false;
  }
}

/** @throws ERR_ITEM_INVALID, ERR_JSON_INVALID, what reading the file throws */
export async function readManifest(file: string): Promise<ExportManifest> {
  const bytes = await readSmall(file);
  if (bytes === undefined) throw invalid(`it has more than ${MAX_MANIFEST_BYTES} bytes`);
  return parseManifest(bytes);
}

/** @throws ERR_ITEM_INVALID when it does not say which file is which, ERR_JSON_INVALID */
export function parseManifest(bytes: Uint8Array): ExportManifest {
  const result = manifestSchema.safeParse(parsed(bytes));
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw invalid(
      `at $${path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")} ${message} is expected`,
    );
  }
  const { transactionTime, output, deleted, error, link } = result.data;
  const manifest = {
    transactionTime,
    ...{ output: files(output), deleted: files(deleted ?? []), error: files(error ?? []) },
    goesOn: (link ?? []).some(({ relation }) => relation === "next"),
  };
  const names = [...manifest.output, ...manifest.deleted, ...manifest.error].map(({ name }) => name);
  if (new Set(names).size < names.length) throw invalid("two of its URLs end in the same file name");
  return manifest;
}

function files(listed: readonly z.infer<typeof fileSchema>[]): ExportFile[] {
  return listed.map(({ url, count }) => ({ name: fileName(url), count: count ?? undefined }));
}

/** Never more than a name: a manifest must not lead to a file outside of its folder. */
function fileName(url: string): string {
  const name = lastSegment(url)?.normalize("NFC");
  const plain =
    name !== undefined &&
    /^[^/\\\p{C}]+$/u.test(name) &&
    !name.startsWith(".") &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES;
  if (!plain) throw invalid("one of its URLs does not end in a plain file name");
  return name;
}

function lastSegment(url: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) return url.replace(/^\.\//, "");
  const { protocol, pathname } = URL.parse(url) ?? {};
  if (pathname === undefined || (protocol !== "https:" && protocol !== "http:")) return undefined;
  try {
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1));
  } catch {
    return undefined;
  }
}

function parsed(bytes: Uint8Array): unknown {
  scanJson(bytes);
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function readSmall(file: string): Promise<Buffer | undefined> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  return size > MAX_MANIFEST_BYTES ? undefined : await handle.readFile();
}

function invalid(what: string): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", `the export's manifest cannot be used: ${what}`, {
    hint: "each file lies beside the manifest under the last segment of its URL; nothing of the export was taken",
  });
}
