// SPDX-License-Identifier: Apache-2.0
import { ROLES, type Chain, type StaffSigner } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { fileRefusal, refusalText } from "./access-receipt.js";
import { findAccess, type AccessEvent } from "./access-event.js";
import { parseRequest, type Refusal, type RequestBody } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, requireSender, signMessage, signerOf } from "./messages.js";
import { release, type ReleaseParts } from "./release.js";

/** What the reader is told. Any other error is this member's own trouble, and none of his business. */
const REFUSALS: readonly string[] = ["ERR_CAPSULE_REFUSED", "ERR_KEY_ERASED", "ERR_KEY_INVALID"];

/** What a release agent works with, however requests reach it. */
export interface AnsweringParts extends ReleaseParts {
  /** A RELEASER of this member. */
  signer: StaffSigner;
}

/** What became of one request. */
export interface Answer {
  accessId: Hex;
  /** Member id of who asked. */
  to: number;
  /** Set when nothing was released. */
  error?: ChartsealError;
  /** True when the request was thrown away without a word: it is not from whoever logged the access. */
  dropped?: boolean;
}

/** What became of a request, and the message that says so to who asked. */
export interface Reply {
  answer: Answer;
  /** Undefined when the request was thrown away without a word. */
  message?: Message;
}

/**
 * Answers one request. Killed anywhere, the next run does the same again.
 * @throws whatever must be tried again later
 */
export async function answerRequest(parts: AnsweringParts, request: Message): Promise<Reply> {
  const { id: accessId, from: to } = request;
  let asked: Asked;
  try {
    asked = await whatIsAsked(parts, request);
  } catch (error) {
    if (!isFinal(error, ["ERR_EXCHANGE_INVALID", "ERR_CAPSULE_REFUSED", "ERR_FORMAT_UNSUPPORTED"]))
      throw error;
    // An answer would let anyone have refusals signed for other members' accesses.
    return { answer: { accessId, to, error, dropped: true } };
  }
  try {
    const json = await release(parts, asked.access, asked.body.publicKey);
    return { answer: { accessId, to }, message: await replyTo(parts, request, "release", json) };
  } catch (error) {
    return await refusalOf(parts, request, asked.access, error);
  }
}

/**
 * The refusal of an access, once its receipt is safe.
 * @throws the error itself when it must be tried again later
 */
export async function refusalOf(
  parts: AnsweringParts,
  place: Pick<Message, "id" | "from">,
  access: AccessEvent,
  error: unknown,
): Promise<Required<Reply>> {
  if (!isFinal(error)) throw error;
  const { accessId } = access;
  const refusal: Refusal = { format: 1, accessId, code: error.code, reason: error.message };
  await fileRefusal(parts, access, refusalText(access, refusal));
  const message = await replyTo(parts, place, "refusal", JSON.stringify(refusal));
  return { answer: { accessId, to: place.from, error }, message };
}

interface Asked {
  access: AccessEvent;
  body: RequestBody;
}

/** The access that a request is for, provided that it is signed by the very account that logged it. */
async function whatIsAsked({ chain }: AnsweringParts, request: Message): Promise<Asked> {
  const account = signerOf(chain, request);
  const body = parseRequest(request);
  const access = await findAccess(chain, request.id, body.transactionHash);
  if (access === undefined) {
    await requireSender(chain, request, ROLES.CLINICIAN);
    throw new ChartsealError(
      "ERR_CAPSULE_REFUSED",
      `access ${request.id} is not ${depth(chain)} yet: no log, no key`,
      {
        values: { accessId: request.id, transaction: body.transactionHash },
        retryable: true,
      },
    );
  }
  if (access.reader !== account) throw forged(request, "its signer did not log this access");
  if (access.memberId !== request.from) throw forged(request, `the access is member ${access.memberId}'s`);
  return { access, body };
}

function depth({ confirmations }: Chain): string {
  return confirmations === 1 ? "mined" : `${confirmations} blocks deep`;
}

export async function replyTo(
  { chain, memberId, signer }: AnsweringParts,
  { id, from: to }: Pick<Message, "id" | "from">,
  type: "release" | "refusal",
  body: string,
): Promise<Message> {
  return await signMessage(chain, signer, { type, id, from: memberId, to, body });
}

/** Whether asking again would change nothing. */
export function isFinal(error: unknown, codes: readonly string[] = REFUSALS): error is ChartsealError {
  return error instanceof ChartsealError && !error.retryable && codes.includes(error.code);
}
