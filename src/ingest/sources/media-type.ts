// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from "node:buffer";
import { posix } from "node:path";

export const DICOM_MEDIA_TYPE = "application/dicom";

/** First bytes of a format, at an offset. */
interface Signature {
  readonly mediaType: string;
  readonly at?: number;
  readonly magic: string;
}

/** Magic bytes as latin1 text. */
const SIGNATURES: readonly Signature[] = [
  { mediaType: DICOM_MEDIA_TYPE, at: 128, magic: "DICM" }, // DICOM PS3.10, 7.1
  { mediaType: "application/pdf", magic: "%PDF-" }, // ISO 32000-1, 7.5.2
  { mediaType: "image/png", magic: "\x89PNG\r\n\x1a\n" }, // RFC 2083, 3.1
  { mediaType: "image/jpeg", magic: "\xff\xd8\xff" }, // ISO/IEC 10918-1, B.1.1.3
  { mediaType: "image/tiff", magic: "II*\0" }, // TIFF 6.0, 2
  { mediaType: "image/tiff", magic: "MM\0*" },
  { mediaType: "application/gzip", magic: "\x1f\x8b\x08" }, // RFC 1952, 2.3.1
  { mediaType: "application/zip", magic: "PK\x03\x04" }, // APPNOTE 4.3.7
];

const EXTENSIONS: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".dcm": DICOM_MEDIA_TYPE,
  ".htm": "text/html",
  ".html": "text/html",
  ".json": "application/json",
  ".md": "text/markdown",
  ".pdf": "application/pdf",
  ".rtf": "application/rtf",
  ".xml": "application/xml",
};

/** How many first bytes {@link mediaTypeOf} looks at. */
export const HEAD_BYTES = 4096;
/** Longest UTF-8 sequence less one: what a cut may leave of a character (RFC 3629, 3). */
const CUT = 3;

export interface MediaType {
  readonly mediaType: string;
  readonly encoding?: string;
}

/**
 * Names the media type of a file that is not read further: by its first bytes, then its extension, then
 * whether it is text. `complete` says that `head` is the whole file; only then is the encoding certain.
 */
export function mediaTypeOf(path: string, head: Uint8Array, complete: boolean): MediaType {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, HEAD_BYTES)).toString(
    "latin1",
  );
  const signature = SIGNATURES.find(({ at = 0, magic }) => text.startsWith(magic, at));
  const extension = EXTENSIONS[posix.extname(path).toLowerCase()];
  const isText = head.length > 0 && looksLikeText(head, complete);
  const mediaType =
    signature?.mediaType ??
    xmlType(text) ??
    extension ??
    (isText ? "text/plain" : "application/octet-stream");
  return { mediaType, ...(complete && isText ? { encoding: "utf-8" } : {}) };
}

function xmlType(text: string): string | undefined {
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  if (!start.startsWith("<?xml") && !/^<[A-Za-z][\w.:-]*[^>]*\sxmlns/.test(start)) return undefined;
  return /\sxmlns\s*=\s*["']http:\/\/hl7\.org\/fhir["']/.test(start)
    ? "application/fhir+xml"
    : "application/xml";
}

/** UTF-8 without NUL. A head that was cut may end inside a character. */
function looksLikeText(head: Uint8Array, complete: boolean): boolean {
  if (head.includes(0)) return false;
  const cuts = complete ? 0 : CUT;
  for (let cut = 0; cut <= cuts; cut += 1) {
    if (isUtf8(head.subarray(0, Math.max(0, head.length - cut)))) return true;
  }
  return false;
}
