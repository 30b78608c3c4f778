// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { z } from "zod";
import { LeafKind, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { EXTENTS, type AccessEvent } from "./access-event.js";
import { hexSchema, readJson } from "./message.js";
import type { Refusal, Release } from "./message-bodies.js";

/** A leaf of the custodian's log that says how an access was answered: its ref is the access id. */
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

const refusalSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  extent: z.enum([...EXTENTS, "RECORDS"]),
  refused: z.strictObject({ code: z.string(), reason: z.string() }),
});

/** What the receipt of a refusal says, as JSON. Without the time: the same answer once more is the same receipt. */
export function refusalText(
  { accessId, extent }: Pick<AccessEvent, "accessId" | "extent">,
  { code, reason }: Pick<Refusal, "code" | "reason">,
): string {
  const said: z.output<typeof refusalSchema> = { format: 1, accessId, extent, refused: { code, reason } };
  return JSON.stringify(said);
}

/** Whether a receipt says that nothing was given. */
export function isRefusal(text: string): boolean {
  return "refused" in (JSON.parse(text) as object);
}

/** The access that a receipt of a refusal is of. @throws ERR_EXCHANGE_INVALID when it is none, ERR_FORMAT_UNSUPPORTED */
export function refusedAccess(text: string): Hex {
  return readJson(text, refusalSchema, "the receipt of a refusal").accessId;
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

/**
 * Files the receipt of a refusal. Of a patient whom another member keeps there is none: entries about him count in that
 * member's log alone.
 */
export async function fileRefusal(
  { fileReceipt }: { fileReceipt: (receipt: AccessReceipt) => Promise<unknown> },
  access: Pick<AccessEvent, "accessId" | "patientId">,
  text: string,
): Promise<void> {
  try {
    await fileReceipt(receiptDocument(access, text));
  } catch (error) {
    if (!(error instanceof ChartsealError && error.code === "ERR_PATIENT_UNKNOWN")) throw error;
  }
}
