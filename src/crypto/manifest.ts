// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import type { Hex } from "./bytes.js";
import { StrictObject } from "./strict-json.js";

/** The sealed-record format this version writes and reads. */
export const SEALED_RECORD_FORMAT = 1;

/** Most bytes of a manifest's JSON, without padding. */
export const MANIFEST_MAX_LENGTH = 65_536;

/** What a sealed record says of the source bytes behind it. It is read only by who holds the content key. */
export interface Manifest {
  /** {@link SEALED_RECORD_FORMAT} */
  format: number;
  /** What the source calls the item, for instance `Observation/42`. */
  sourceKey: string;
  /** A line for people. */
  label: string;
  /** For instance `application/fhir+json`. */
  mediaType: string;
  /** Bytes of the source. */
  size: number;
  /** SHA-256 of the source bytes. */
  sha256: Hex;
  /** When it was recorded, as the source writes it. */
  recordedAt?: string;
  /** When it was received: ISO 8601. */
  receivedAt: string;
  /** For instance `Observation`. */
  resourceType?: string;
  /** Character encoding of the source bytes, for instance `gb18030`. */
  encoding?: string;
  author?: string;
}

const OPTIONAL = ["recordedAt", "resourceType", "encoding", "author"] as const;

/**
 * The manifest as one line of JSON without padding or newline.
 *
 * @throws ChartsealError ERR_ITEM_INVALID when a field is not valid or the JSON exceeds 65,536 bytes
 */
export function manifestLine(manifest: Manifest): string {
  const line = JSON.stringify(read(new StrictObject(manifest, "manifest", "ERR_ITEM_INVALID")));
  const length = Buffer.byteLength(line);
  if (length > MANIFEST_MAX_LENGTH) {
    throw new ChartsealError(
      "ERR_ITEM_INVALID",
      `the manifest has ${length} bytes of JSON, more than ${MANIFEST_MAX_LENGTH}`,
      { values: { length }, hint: "Shorten its label, source key or author." },
    );
  }
  return line;
}

/**
 * Reads the first line of a sealed record: JSON and its padding of spaces.
 *
 * @throws ChartsealError ERR_JSON_INVALID when it is no manifest, ERR_FORMAT_UNSUPPORTED for another format
 */
export function parseManifestLine(line: Uint8Array): Manifest {
  const code: ErrorCode = "ERR_JSON_INVALID";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new ChartsealError(code, "the manifest is not UTF-8");
  }
  return read(StrictObject.parse(text, "manifest", code));
}

function read(fields: StrictObject): Manifest {
  fields.format(SEALED_RECORD_FORMAT);
  const sourceKey = fields.string("sourceKey");
  const label = fields.string("label");
  const mediaType = fields.string("mediaType");
  const size = fields.uint("size", Number.MAX_SAFE_INTEGER);
  const sha256 = fields.hex("sha256", 32);
  const receivedAt = fields.string("receivedAt");
  const optional: Partial<Manifest> = {};
  for (const name of OPTIONAL) {
    const value = fields.optionalString(name);
    if (value !== undefined) optional[name] = value;
  }
  fields.end();
  return { format: SEALED_RECORD_FORMAT, sourceKey, label, mediaType, size, sha256, receivedAt, ...optional };
}
