// SPDX-License-Identifier: Apache-2.0
import { ROLES, type Chain, type StaffSigner } from "../chain/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import type { AccessEvent } from "./access-event.js";
import { ask } from "./ask.js";
import type { Exchange } from "./exchange.js";
import { parseRefusal, parseRelease, type Release } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";
import { refusedBy } from "./refused.js";

/** Milliseconds that a custodian's agent has to answer. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface FetchParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  exchange: Exchange;
}

export interface FetchOptions {
  signal?: AbortSignal;
  /** Milliseconds that the custodian's agent has to answer. Default 60 s. */
  timeoutMs?: number;
}

/**
 * Asks the custodian's agent for the release of a logged access and waits for its signed answer. What others put in
 * its place is passed over.
 * @throws ERR_CAPSULE_REFUSED with the custodian's reason; ERR_EXCHANGE_INVALID when his answer is malformed; after
 * the timeout ERR_TIMEOUT, or ERR_EXCHANGE_INVALID when there was an answer but none of his; the signal's reason
 */
export async function fetchRelease(
  parts: FetchParts,
  signer: StaffSigner,
  access: AccessEvent,
  custodian: number,
  options: FetchOptions = {},
): Promise<Release> {
  const { chain, exchange } = parts;
  const request = await signMessage(chain, signer, requestFor(parts, access, custodian));
  const inbox = new AnswerBox(parts, access.accessId, custodian);
  const timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS;
  const { signal } = options;
  const answer = await ask(
    {
      send: (until) => exchange.send(request, until),
      look: () => inbox.look(),
      onProblem: (problem) => (inbox.problem = problem),
    },
    { timeoutMs, signal },
  );
  if (answer !== undefined) return answer;
  throw inbox.problem ?? unanswered(access.accessId, custodian, timeoutMs);
}

function requestFor({ memberId, vault }: FetchParts, access: AccessEvent, custodian: number) {
  const { accessId, transactionHash } = access;
  const epoch = vault.currentEpoch();
  const publicKey = epoch === undefined ? undefined : toHex(vault.memberPublicKey(epoch));
  const body = JSON.stringify({ format: 1, accessId, transactionHash, publicKey });
  return { type: "request" as const, id: accessId, from: memberId, to: custodian, body };
}

/** Where the answer to one access is awaited. */
class AnswerBox {
  /** The last thing found there that was no answer of the custodian's. */
  problem: ChartsealError | undefined;
  readonly #parts: FetchParts;
  readonly #accessId: Hex;
  readonly #custodian: number;

  constructor(parts: FetchParts, accessId: Hex, custodian: number) {
    this.#parts = parts;
    this.#accessId = accessId;
    this.#custodian = custodian;
  }

  /** @throws ERR_CAPSULE_REFUSED when the custodian refused */
  async look(): Promise<Release | undefined> {
    // A release first: a refusal may be left from before the agent was asked again.
    const release = await this.#authentic("release", parseRelease);
    if (release !== undefined) return release;
    const refusal = await this.#authentic("refusal", parseRefusal);
    if (refusal === undefined) return undefined;
    throw refusedBy(this.#custodian, refusal);
  }

  async #authentic<T>(type: "release" | "refusal", parse: (message: Message) => T): Promise<T | undefined> {
    const { chain, exchange, memberId } = this.#parts;
    let message: Message | undefined;
    try {
      message = await exchange.find(memberId, type, this.#accessId);
      if (message === undefined) return undefined;
      if (message.from !== this.#custodian) throw forged(message, `member ${this.#custodian} was asked`);
      await requireSender(chain, message, ROLES.RELEASER);
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      if (error.code !== "ERR_EXCHANGE_INVALID" && error.code !== "ERR_FORMAT_UNSUPPORTED") throw error;
      this.problem = error;
      return undefined;
    }
    // Outside: what the custodian did sign is final, right or wrong.
    return parse(message);
  }
}

function unanswered(accessId: Hex, custodian: number, milliseconds: number): ChartsealError {
  const seconds = milliseconds / 1_000;
  return new ChartsealError(
    "ERR_TIMEOUT",
    `member ${custodian} did not answer access ${accessId} within ${seconds} s`,
    {
      values: { accessId, custodian },
      hint: "ask the custodian whether its release agent runs",
      retryable: true,
    },
  );
}
