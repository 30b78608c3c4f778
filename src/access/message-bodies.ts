// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import {
  ELEMENT_LENGTH,
  MEMBER_PUBLIC_KEY_LENGTH,
  PROOF_LENGTH,
  type Capsule,
  type Hex,
  type IndexPage,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { hexSchema, readJson, type Message } from "./message.js";

/** uint32 */
const MOST_EPOCH = 0xffff_ffff;
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);

const requestSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  /** Where the custodian's node finds the access, so that it need not search the chain. */
  transactionHash: hexSchema(32),
  /** The reader member's current key, for the same reason; taken only if it has the digest on chain. */
  publicKey: hexSchema(MEMBER_PUBLIC_KEY_LENGTH).optional(),
});
export type RequestBody = z.output<typeof requestSchema>;

const envelopeSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  leafHash: hexSchema(32),
  keyEpoch: z.int().positive().max(MOST_EPOCH),
  enc: base64url,
  ciphertext: base64url,
});

const releaseSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  index: envelopeSchema.optional(),
  capsules: z.array(envelopeSchema),
});

/** What a custodian hands out for one access; JSON. */
export interface Release {
  format: 1;
  accessId: Hex;
  /** For INDEX and CHART: what there is. */
  index?: IndexPage;
  /** For RECORDS and CHART: one capsule an entry. */
  capsules: Capsule[];
}

const refusalSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  code: z.string().max(64),
  reason: z.string().max(2_000),
});
export type Refusal = z.output<typeof refusalSchema>;

const uint48 = z
  .int()
  .nonnegative()
  .max(2 ** 48 - 1);

/** What two clinicians signed while the chain is down, and the key to seal it to. `accessId` is the window's id. */
const lateRequestSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  initiator: hexSchema(20),
  colleague: hexSchema(20),
  patientId: hexSchema(32),
  reasonDigest: hexSchema(32),
  nonce: hexSchema(32),
  deadline: uint48,
  initiatorSignature: hexSchema(65),
  colleagueSignature: hexSchema(65),
  publicKey: hexSchema(MEMBER_PUBLIC_KEY_LENGTH),
});
export type LateRequest = z.output<typeof lateRequestSchema>;

/** An identifier, blinded, that was logged as `lookupId`; `accessId` is that of the one custodian's answer. */
const lookupSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  lookupId: hexSchema(32),
  transactionHash: hexSchema(32),
  blinded: hexSchema(ELEMENT_LENGTH),
});
export type LookupBody = z.output<typeof lookupSchema>;

const lookupAnswerSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  evaluated: hexSchema(ELEMENT_LENGTH),
  proof: hexSchema(PROOF_LENGTH),
  publicKey: hexSchema(ELEMENT_LENGTH),
  table: base64url,
});
export type LookupAnswer = z.output<typeof lookupAnswerSchema>;

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseLookup(message: Message): LookupBody {
  return bodyOf(message, lookupSchema);
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseLookupAnswer(message: Message): LookupAnswer {
  return bodyOf(message, lookupAnswerSchema);
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseLateRequest(message: Message): LateRequest {
  return bodyOf(message, lateRequestSchema);
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseRequest(message: Message): RequestBody {
  return bodyOf(message, requestSchema);
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseRelease(message: Message): Release {
  const { index, ...release } = bodyOf(message, releaseSchema);
  return index === undefined ? release : { ...release, index };
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseRefusal(message: Message): Refusal {
  return bodyOf(message, refusalSchema);
}

/** A body is of the access that its message is of: a sender could else answer one access with another's release. */
function bodyOf<T extends { accessId: Hex }>(message: Message, schema: z.ZodType<T>): T {
  const body = readJson(message.body, schema, `a ${message.type}`);
  if (body.accessId === message.id) return body;
  throw new ChartsealError(
    "ERR_EXCHANGE_INVALID",
    `the ${message.type} for ${message.id} is of another access`,
    {
      values: { accessId: message.id },
    },
  );
}
