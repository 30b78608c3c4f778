// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Answer, AnsweringParts } from "./answer-request.js";
import { answerOwnRequest, parseOwnRequest } from "./own-request.js";
import { hexSchema, readJson, type Message } from "./message.js";
import { signMessage } from "./messages.js";
import { RateLimit, type Rate } from "./rate-limits.js";
import { isSettled, parseTold, takeWithdrawal, toldKey } from "./withdrawal.js";

/** What one patient may tell or ask. It counts only when the chain says that he signed it. */
const PATIENT: Rate = { burst: 20, perSecond: 1 / 60 };
/** Messages of patients whose signatures are checked at the same time. */
const AT_ONCE = 32;

const acknowledgementSchema = z.strictObject({
  format: z.literal(1),
  patientId: hexSchema(32),
  kind: z.enum(["revocation", "directive"]),
  /** Unix seconds. */
  heardAt: z.int().nonnegative(),
  /** True once it binds every member, `confirmations` blocks deep; until then this one alone, and at once. */
  onChain: z.boolean(),
});

/** What a custodian says when a patient told it something. */
export type Acknowledgement = z.output<typeof acknowledgementSchema>;

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseAcknowledgement({ body }: Message): Acknowledgement {
  return readJson(body, acknowledgementSchema, "an acknowledgement");
}

/** Takes what patients send themselves: what they withdraw, and requests of their own records. */
export class PatientDesk {
  readonly #parts: AnsweringParts;
  readonly #limit: RateLimit;
  readonly #tell: ((text: string) => Promise<boolean>) | undefined;
  #checking = 0;

  /** @param tell Hands a withdrawal on to the member's other agents; false when one did not take it */
  constructor(parts: AnsweringParts, tell?: (text: string) => Promise<boolean>) {
    this.#parts = parts;
    this.#tell = tell;
    this.#limit = new RateLimit(PATIENT);
  }

  /**
   * Keeps a revocation or directive, which counts when this returns.
   * @throws ERR_EXCHANGE_INVALID when the contract would refuse it, ERR_RATE_LIMITED, ERR_RPC_UNAVAILABLE
   */
  async withdraw(text: string): Promise<Message> {
    const { chain, memberId, signer } = this.#parts;
    const told = parseTold(text);
    const { patientId, kind } = told;
    await this.#oneOf(() => takeWithdrawal(this.#parts, told, () => this.#limit.take(patientId)));
    const onChain = await isSettled(chain, told);
    if (!onChain) await this.#tellPeers(text);
    const acknowledgement: Acknowledgement = {
      format: 1,
      patientId,
      kind,
      heardAt: Math.floor(Date.now() / 1_000),
      onChain,
    };
    const id = toldKey(chain, told);
    const body = JSON.stringify(acknowledgement);
    return await signMessage(chain, signer, { type: "acknowledgement", id, from: memberId, to: 0, body });
  }

  /**
   * The release of a patient's own request.
   * @throws ERR_EXCHANGE_INVALID when it is not his, ERR_RATE_LIMITED, what must be tried again
   */
  async own(text: string): Promise<{ answer: Answer; message: Message }> {
    const asked = parseOwnRequest(text);
    return await this.#oneOf(() =>
      answerOwnRequest(this.#parts, asked, (patientId: Hex) => this.#limit.take(patientId)),
    );
  }

  /** It is acknowledged once none of this member's agents can forget it: then each has it, or the chain has. */
  async #tellPeers(text: string): Promise<void> {
    if ((await this.#tell?.(text)) ?? true) return;
    throw new ChartsealError(
      "ERR_TIMEOUT",
      "it counts here, but another agent of this member was not reached yet",
      {
        hint: "send it again: it is acknowledged when the chain or every agent has it",
        retryable: true,
      },
    );
  }

  async #oneOf<T>(work: () => Promise<T>): Promise<T> {
    if (this.#checking >= AT_ONCE) {
      throw new ChartsealError("ERR_RATE_LIMITED", "too many patients ask at the same time", {
        values: { retryAfter: 1 },
        retryable: true,
      });
    }
    this.#checking += 1;
    try {
      return await work();
    } finally {
      this.#checking -= 1;
    }
  }
}
