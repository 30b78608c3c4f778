// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { ChartsealError } from "../../errors.js";
import {
  CDA_HEAD_BYTES,
  CDA_MEDIA_TYPE,
  DICOM_HEAD_BYTES,
  MAX_JSON_BYTES,
  mayBeCda,
  readCda,
  readDicom,
  readFhir,
} from "../../records/index.js";
import type { SourceItem } from "../../records/index.js";
import { HELD_BYTES, fileContent, memoryContent, openFile } from "./content.js";
import type { FilePart } from "./content.js";
import { beginsLikeHl7, hl7FileItems } from "./hl7-items.js";
import { jsonItems } from "./json-items.js";
import { DICOM_MEDIA_TYPE, HEAD_BYTES, mediaTypeOf } from "./media-type.js";
import { ndjsonFileItems } from "./ndjson.js";
import { badItem } from "./source.js";
import type { Items, Progress } from "./source.js";

/** How a file is read: lines of resources, HL7 v2 messages, one JSON text, or bytes that are not looked into. */
export type FileKind = "ndjson" | "hl7" | "json" | "opaque";

const NDJSON_EXTENSIONS = new Set([".ndjson", ".jsonl"]);

/** The kind a file's name promises; undefined when only its content can tell. */
export function kindByName(path: string): FileKind | undefined {
  const extension = posix.extname(path).toLowerCase();
  if (extension === ".json") return "json";
  if (extension === ".hl7") return "hl7";
  return NDJSON_EXTENSIONS.has(extension) ? "ndjson" : undefined;
}

/** A file, read as far as its kind asks for. */
interface FileRead {
  readonly kind: "json" | "opaque";
  readonly size: number;
  readonly head: Uint8Array;
  /** All of it; absent for a large opaque file. */
  readonly bytes?: Uint8Array;
}

/**
 * Items of one file; `path` labels them. What is not JSON is one opaque item of the file's exact bytes. The
 * file is never reached through a symbolic link.
 */
export async function* fileItems(file: string, path: string, split: boolean, progress: Progress): Items {
  const kind = kindByName(path);
  if (kind === "ndjson") return yield* ndjsonFileItems(file, path, progress);
  if (kind === "hl7") return yield* hl7FileItems(file, path, progress);
  let read: FileRead;
  try {
    read = await readItem(file, kind === "json");
  } catch (error) {
    yield badItem(path, error);
    return;
  }
  if (kind === undefined && beginsLikeHl7(read.head)) return yield* hl7FileItems(file, path, progress);
  progress.bytesRead += read.size;
  if (read.kind === "json" && read.bytes !== undefined) {
    yield* jsonItems(read.bytes, { path, label: path, part: { file } }, split);
  } else yield opaqueItem(path, read, { file });
}

/**
 * An item whose body is not looked into. What an image or a clinical document says of itself is read; any other is
 * known by its place, and nobody's until a rule says whose.
 */
export function opaqueItem(
  path: string,
  read: { readonly size: number; readonly head: Uint8Array; readonly bytes?: Uint8Array },
  part: FilePart | undefined,
): SourceItem {
  const { bytes, head, size } = read;
  const content =
    bytes === undefined && part !== undefined ? fileContent(part, size) : memoryContent(bytes ?? head);
  const type = mediaTypeOf(path, bytes ?? head, bytes !== undefined);
  const item = { sourceKey: path, label: path, path, ...type, ...content, subjects: [] };
  if (type.mediaType === DICOM_MEDIA_TYPE) return { ...item, ...said(readDicom(bytes ?? head)) };
  const document = readCda(bytes ?? head);
  return document === undefined ? item : { ...item, mediaType: CDA_MEDIA_TYPE, ...said(document) };
}

async function readItem(file: string, namedJson: boolean): Promise<FileRead> {
  await using handle = await openFile(file);
  const { size } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
  let head = buffer.subarray(0, bytesRead);
  const wanted = size > HELD_BYTES ? metadataBytes(head) : 0;
  if (wanted > 0) {
    const more = await handle.read(new Uint8Array(wanted), 0, wanted, 0);
    head = more.buffer.subarray(0, more.bytesRead);
  }
  const readAll = namedJson || (beginsLikeJson(head) && size <= MAX_JSON_BYTES) || size <= HELD_BYTES;
  if (namedJson && size > MAX_JSON_BYTES) throw tooLarge(size);
  if (!readAll) return { kind: "opaque", size, head };
  const bytes = plain(await handle.readFile());
  if (namedJson || (beginsLikeJson(head) && isJson(bytes)))
    return { kind: "json", size: bytes.length, head, bytes };
  const held = bytes.length <= HELD_BYTES ? { bytes } : {};
  return { kind: "opaque", size: bytes.length, head, ...held };
}

/** First bytes of a large file in which its metadata stands; 0 for one that is not looked into. */
function metadataBytes(head: Uint8Array): number {
  if (mediaTypeOf("", head, false).mediaType === DICOM_MEDIA_TYPE) return DICOM_HEAD_BYTES;
  return mayBeCda(head) ? CDA_HEAD_BYTES : 0;
}

/** What a file says of itself, without what it does not say. */
function said(
  facts: ReturnType<typeof readDicom> | NonNullable<ReturnType<typeof readCda>>,
): Partial<SourceItem> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** The same memory as a Uint8Array, which callers expect, and no Buffer. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether a file without a telling name may be a FHIR resource: the first character is an opening brace. */
export function beginsLikeJson(head: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?[ \t\r\n]*\{/.test(Buffer.from(head).toString("latin1"));
}

/** Whether bytes that do not claim to be JSON are JSON all the same. */
export function isJson(bytes: Uint8Array): boolean {
  try {
    readFhir(bytes);
    return true;
  } catch {
    return false;
  }
}

function tooLarge(size: number): ChartsealError {
  return new ChartsealError(
    "ERR_ITEM_INVALID",
    `JSON of ${size} bytes is larger than ${MAX_JSON_BYTES} bytes`,
    {
      values: { size, limit: MAX_JSON_BYTES },
      hint: "export it as NDJSON, one resource per line, or as several Bundles",
    },
  );
}
