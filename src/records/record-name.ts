// SPDX-License-Identifier: Apache-2.0

/** Of a source key, what is kept in a file's name. */
const LONGEST_KEY = 80;

/** A map, since a media type is a stranger's word: of a plain object `__proto__` is a member too. */
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ["application/fhir+json", "json"],
  ["application/json", "json"],
  ["application/fhir+ndjson", "ndjson"],
  ["application/dicom", "dcm"],
  ["application/pdf", "pdf"],
  ["application/xml", "xml"],
  ["application/fhir+xml", "xml"],
  ["application/hl7-v2", "hl7"],
  ["x-application/hl7-v2+er7", "hl7"],
  ["image/jpeg", "jpg"],
  ["image/png", "png"],
  ["image/tiff", "tiff"],
  ["text/csv", "csv"],
  ["text/html", "html"],
  ["text/plain", "txt"],
  ["text/xml", "xml"],
]);

/**
 * The name under which a record is written: `<index>-<source key>.<extension>`. The key comes from another hospital:
 * only letters, digits, `_` and `-` of it are kept, so that no name leaves its folder, is hidden or is an option.
 */
export function recordFileName(index: number, sourceKey: string, mediaType: string): string {
  const dot = /^(.*)\.([A-Za-z0-9]{1,8})$/s.exec(sourceKey);
  const [, stem, ownExtension] = dot ?? [undefined, sourceKey, undefined];
  const known = EXTENSIONS.get(mediaType.split(";")[0]!.trim().toLowerCase());
  const safe = stem
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}_-]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  const key = Array.from(safe).slice(0, LONGEST_KEY).join("");
  const extension = ownExtension?.toLowerCase() ?? known ?? "bin";
  return key === "" ? `${index}.${extension}` : `${index}-${key}.${extension}`;
}
