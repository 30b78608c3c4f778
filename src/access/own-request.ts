// SPDX-License-Identifier: Apache-2.0
import { TypedDataEncoder, keccak256 } from "ethers";
import { z } from "zod";
import type { Chain } from "../chain/index.js";
import { typedData, type TypedData } from "../consent/index.js";
import { MEMBER_PUBLIC_KEY_LENGTH, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { EXTENTS, findAccess, type AccessEvent, type Scope } from "./access-event.js";
import { refusalOf, replyTo, type Answer, type AnsweringParts } from "./answer-request.js";
import { hexSchema, readJson, type Message } from "./message.js";
import { release } from "./release.js";
import { requireReleaser } from "./release-agent.js";
import { signatureSchema } from "./withdrawal.js";

const ownRequestSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  transactionHash: hexSchema(32),
  /** To which the answer is sealed: the request on chain holds its digest. */
  publicKey: hexSchema(MEMBER_PUBLIC_KEY_LENGTH),
  /** As signed: AccessLog's OwnRequest. */
  nonce: z.int().nonnegative(),
  deadline: z.int().nonnegative(),
  signature: signatureSchema,
});

/** A patient's request of his own records, which stands on chain, as he brings it to the custodian. */
export type OwnRequest = z.output<typeof ownRequestSchema>;

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseOwnRequest(text: string): OwnRequest {
  return readJson(text, ownRequestSchema, "an own request");
}

/** A custodian, as a patient reaches him with a request that stands on chain. */
export interface OwnDesk {
  readonly chain: Chain;
  /** Member id. */
  readonly custodian: number;
  /** The custodian's own release or refusal. @throws ERR_EXCHANGE_INVALID, ERR_TIMEOUT, ERR_RATE_LIMITED */
  own(asked: OwnRequest, signal?: AbortSignal): Promise<Message>;
}

/** What a patient signs to request his own records. */
export interface OwnRequestTerms {
  patientId: Hex;
  extent: (typeof EXTENTS)[number];
  scope: Scope;
  /** keccak256 of the key to which the answer is sealed. */
  recipientKey: Hex;
  nonce: number;
  /** Unix seconds. */
  deadline: number;
}

/** The same as the contract's struct has it. */
export interface OwnRequestFields extends Pick<OwnRequestTerms, Plain>, Omit<Scope, "compartments"> {
  /** Of {@link EXTENTS}. */
  extent: number;
  /** Bitmap, decimal. */
  compartments: string;
}
type Plain = "patientId" | "recipientKey" | "nonce" | "deadline";

export function ownRequestFields({ extent, scope, ...plain }: OwnRequestTerms): OwnRequestFields {
  return { ...plain, ...scope, extent: EXTENTS.indexOf(extent), compartments: String(scope.compartments) };
}

export function ownRequestTerms(fields: OwnRequestFields): OwnRequestTerms {
  const { extent, compartments, recordedFrom, recordedTo, upTo, ...plain } = fields;
  const scope = { compartments: BigInt(compartments), recordedFrom, recordedTo, upTo };
  return { ...plain, extent: EXTENTS[extent]!, scope };
}

export function ownRequestData({ deployment }: Chain, terms: OwnRequestTerms): TypedData {
  return typedData(deployment, "accessLog", "OwnRequest", { ...ownRequestFields(terms) });
}

/** The desk of the member that runs it, for the patients who come to it: no release agent is asked. */
export function deskOf(parts: AnsweringParts): OwnDesk {
  const { chain, memberId: custodian } = parts;
  const own = async (asked: OwnRequest) => {
    await requireReleaser(parts);
    return (await answerOwnRequest(parts, asked, () => {})).message;
  };
  return { chain, custodian, own };
}

/**
 * Answers a patient's own request, sealed to the key that he named when he signed it.
 * @param count Called once it is proven whose it is
 * @throws ERR_EXCHANGE_INVALID when it is not what stands on chain, whatever must be tried again later
 */
export async function answerOwnRequest(
  parts: AnsweringParts,
  asked: OwnRequest,
  count: (patientId: Hex) => void,
): Promise<{ answer: Answer; message: Message }> {
  const { accessId } = asked;
  const access = await ownAccess(parts, asked);
  count(access.patientId);
  const place = { id: accessId, from: 0 };
  try {
    const json = await release(parts, access, asked.publicKey);
    return { answer: { accessId, to: 0 }, message: await replyTo(parts, place, "release", json) };
  } catch (error) {
    return await refusalOf(parts, place, access, error);
  }
}

/** The access, if who signs for the patient signed it, and still does. */
async function ownAccess({ chain }: AnsweringParts, asked: OwnRequest): Promise<AccessEvent> {
  const { accessId, transactionHash, publicKey, nonce, deadline, signature } = asked;
  const access = await findAccess(chain, accessId, transactionHash);
  if (access === undefined) {
    throw new ChartsealError(
      "ERR_CAPSULE_REFUSED",
      `access ${accessId} is not in the chain yet: no log, no key`,
      {
        values: { accessId },
        retryable: true,
      },
    );
  }
  const { patientId, extent, scope, basis, basisRef } = access;
  if (basis !== "PATIENT" || extent === "RECORDS" || scope === undefined)
    throw notOwn(accessId, "it is no patient's own");
  if (keccak256(publicKey) !== basisRef) throw notOwn(accessId, "the key is not the one that was signed");
  const terms = { patientId, extent, scope, recipientKey: basisRef, nonce, deadline };
  const { domain, types, message } = ownRequestData(chain, terms);
  const digest = TypedDataEncoder.hash(domain, types, message);
  await chain
    .ask(() => chain.patients.requireLoosening(patientId, digest, signature))
    .catch((error: unknown) => {
      const reason = error instanceof ChartsealError ? error.values["reason"] : undefined;
      throw reason === undefined ? error : notOwn(accessId, `the contract says ${reason}`, error);
    });
  return access;
}

function notOwn(accessId: Hex, why: string, cause?: unknown): ChartsealError {
  return new ChartsealError(
    "ERR_EXCHANGE_INVALID",
    `access ${accessId} is not served as an own request: ${why}`,
    {
      values: { accessId },
      cause,
    },
  );
}
