// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { LeafKind, type Hex } from "../crypto/index.js";
import type { AccessEvent } from "./access-event.js";
import type { Release } from "./message-bodies.js";

/** A leaf of the custodian's log that says what was given for an access: its ref is the access id. */
export interface AccessReceipt {
  kind: typeof LeafKind.ACCESS_RECEIPT;
  patientId: Hex;
  ref: Hex;
  mediaType: string;
  label: string;
  bytes: Uint8Array;
}

/**
 * What the receipt of an access says, as JSON.
 * @param listed Log indices of the entries that the access reached
 * @param release As it is sent, byte for byte
 * @param releasedAt Unix seconds
 */
export function receiptText(
  { accessId, extent }: Pick<AccessEvent, "accessId" | "extent">,
  { index, capsules }: Release,
  listed: readonly number[],
  release: string,
  releasedAt = Math.floor(Date.now() / 1_000),
): string {
  return JSON.stringify({
    format: 1,
    accessId,
    releasedAt,
    extent,
    listed: index === undefined ? [] : listed,
    keys: capsules.map(({ leafHash }) => leafHash),
    release: `0x${hash("sha256", release)}`,
  });
}

export function receiptDocument(
  { accessId, patientId }: Pick<AccessEvent, "accessId" | "patientId">,
  text: string,
): AccessReceipt {
  return {
    kind: LeafKind.ACCESS_RECEIPT,
    patientId,
    ref: accessId,
    mediaType: "application/vnd.chartseal.access-receipt+json",
    label: "access receipt",
    bytes: Buffer.from(text),
  };
}
