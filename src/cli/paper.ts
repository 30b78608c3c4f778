// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { statementDigest } from "../access/index.js";
import type { OnPaper } from "../acts/index.js";
import type { Acting } from "../acting.js";
import type { Chartseal } from "../chartseal.js";
import { LeafKind, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { readBytes } from "./private-file.js";

/** Beginnings of the files that a scanner writes. */
const MEDIA_TYPES: readonly [begin: string, mediaType: string][] = [
  ["%PDF-", "application/pdf"],
  ["\u0089PNG", "image/png"],
  ["\u00ff\u00d8\u00ff", "image/jpeg"],
  ["II*\u0000", "image/tiff"],
  ["MM\u0000*", "image/tiff"],
];

/** A scan, read before anything is asked of vault and chain. @throws ERR_USAGE for a file that is empty or not there */
export async function readScan(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path);
  if (bytes.length > 0) return bytes;
  throw new ChartsealError("ERR_USAGE", `${path} is empty`, { values: { path } });
}

/** Anchors the scan of a form or an order, with the key that acts as the first of two persons. */
export function onPaper(
  chartseal: Chartseal,
  patientId: Hex,
  { bytes, kind, role }: { bytes: Uint8Array; kind: "CONSENT_DOCUMENT" | "LEGAL_ORDER"; role: keyof Acting },
): OnPaper {
  const mediaType = mediaTypeOf(bytes);
  const label = kind === "LEGAL_ORDER" ? "Legal order" : "Consent form";
  return {
    first: chartseal.signer(role).address,
    anchor: (ref) =>
      chartseal.anchorDocument({ kind: LeafKind[kind], patientId, ref, mediaType, label, bytes }),
  };
}

/**
 * Files what justifies a change of who signs for a patient, in this member's log.
 * @returns its ref, which stands on chain: SHA-256 of 32 random bytes, which the vault keeps, and the document. Without
 * them the same certificate at two hospitals would join their pseudonyms, and could be guessed
 */
export async function fileReason(chartseal: Chartseal, patientId: Hex, bytes: Uint8Array): Promise<Hex> {
  const salt = randomBytes(32);
  const ref = statementDigest(toHex(salt), bytes);
  chartseal.vault.setSecret(`salt/${ref}`, salt);
  const [kind, mediaType] = [LeafKind.CONSENT_DOCUMENT, mediaTypeOf(bytes)];
  await chartseal.fileDocument({ kind, patientId, ref, mediaType, label: "Reason for a change", bytes });
  return ref;
}

function mediaTypeOf(bytes: Uint8Array): string {
  const begin = Buffer.from(bytes.subarray(0, 8)).toString("latin1");
  return MEDIA_TYPES.find(([text]) => begin.startsWith(text))?.[1] ?? "application/octet-stream";
}
