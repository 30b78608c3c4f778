// SPDX-License-Identifier: Apache-2.0
import { ROLES, SUSPENSIONS } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { requireKnown } from "./last-known.js";
import { requireStaff } from "./late-permission.js";
import type { Message, MessageType } from "./message.js";
import { forged, requireSender, signerOf } from "./messages.js";
import { RateLimit, type Rate } from "./rate-limits.js";
import type { AgentParts } from "./release-agent.js";
import { waitOr } from "./wait-or.js";

/** What others may send, who of theirs, and what it is answered with. */
const DUTIES: Readonly<Partial<Record<MessageType, { role: number; answers: readonly MessageType[] }>>> = {
  ticket: { role: ROLES.OPERATOR, answers: [] },
  lookup: { role: ROLES.CLINICIAN, answers: ["lookup-answer"] },
  "late-request": { role: ROLES.CLINICIAN, answers: ["late-release", "refusal"] },
};
/** Milliseconds for which a sender is held until his answer is there. */
const HOLD_MS = 12_000;
const POLL_MS = 100;
/** Milliseconds within which whoever was told to ask again still waits for the same answer. */
const ASKS_AGAIN_MS = 10_000;
/** Messages whose senders are looked up, or that wait for their answers, at the same time. */
const AT_ONCE = 64;
/** Of one account. Emergencies and lookups have quotas of a day besides. */
const ACCOUNT: Rate = { burst: 60, perSecond: 1 };

export type MessageDeskParts = Pick<AgentParts, "memberId" | "chain" | "vault" | "exchange" | "files">;

/**
 * Takes what is no request for a logged access: tickets for this member, lookups, and emergencies while the chain is
 * down. Puts it where whoever deals with it finds it, in this member's own Exchange folder, and gives his answer.
 */
export class MessageDesk {
  readonly #parts: MessageDeskParts;
  readonly #accounts: RateLimit;
  readonly #underWay = new Map<string, Promise<Message | undefined>>();
  /** Who was told to ask again, and until when, by `performance.now()`, that is no new question. */
  readonly #askingAgain = new Map<string, number>();
  #atOnce = 0;

  constructor(parts: MessageDeskParts, account = ACCOUNT) {
    this.#parts = parts;
    this.#accounts = new RateLimit(account);
  }

  /**
   * @returns undefined for a message that is not answered
   * @throws ERR_EXCHANGE_INVALID when it is not for this member or not from staff of its own; ERR_CAPSULE_REFUSED of
   * an emergency of strangers, by what was last known of the chain, and retryable while there is no answer yet;
   * ERR_RATE_LIMITED
   */
  async take(message: Message, signal: AbortSignal): Promise<Message | undefined> {
    const duty = DUTIES[message.type];
    const { memberId, files } = this.#parts;
    if (duty === undefined || message.to !== memberId) {
      throw new ChartsealError("ERR_EXCHANGE_INVALID", "the message is none that this member takes here", {
        values: { type: message.type, to: message.to },
      });
    }
    if (!files) throw later("a standby does not deal with it; ask the member's other agent");
    if (this.#atOnce >= AT_ONCE) throw later("too many messages wait");
    this.#atOnce += 1;
    try {
      const account = await this.#sender(message, duty.role);
      const key = `${account} ${message.type} ${message.id}`;
      return await this.#once(key, account, async () =>
        duty.answers.length === 0
          ? await this.#keep(message)
          : await this.#answer(key, message, duty.answers, signal),
      );
    } finally {
      this.#atOnce -= 1;
    }
  }

  /** Sent again while it waits, a message waits once. */
  async #once(
    key: string,
    account: Hex,
    work: () => Promise<Message | undefined>,
  ): Promise<Message | undefined> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return await underWay;
    this.#accounts.take(account);
    const answer = work();
    this.#underWay.set(key, answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #keep(message: Message): Promise<undefined> {
    await this.#parts.exchange.send(message);
  }

  async #answer(
    key: string,
    message: Message,
    types: readonly MessageType[],
    signal: AbortSignal,
  ): Promise<Message> {
    const { exchange } = this.#parts;
    // What stood in the way when a refusal was made may be gone; what came while he was away is his answer.
    if (types.includes("refusal") && !this.#asksAgain(key))
      await exchange.remove({ to: message.from, type: "refusal", id: message.id });
    const giveUp = performance.now() + HOLD_MS;
    for (let sent = false; !signal.aborted && performance.now() < giveUp; await waitOr(POLL_MS, signal)) {
      for (const type of types) {
        const answer = await exchange.find(message.from, type, message.id);
        if (answer !== undefined) return answer;
      }
      if (!sent) await exchange.send(message);
      sent = true;
    }
    this.#askingAgain.set(key, performance.now() + ASKS_AGAIN_MS);
    throw later("the answer is not there yet");
  }

  #asksAgain(key: string): boolean {
    const now = performance.now();
    for (const [each, until] of this.#askingAgain) if (until < now) this.#askingAgain.delete(each);
    return this.#askingAgain.delete(key);
  }

  /** Before anything is written: no stranger fills the folder. */
  async #sender(message: Message, role: number): Promise<Hex> {
    const { chain, vault } = this.#parts;
    if (message.type !== "late-request") return await requireSender(chain, message, role);
    const account = signerOf(chain, message);
    const now = Math.floor(Date.now() / 1000);
    const activity = SUSPENSIONS.REMOVED;
    const { memberId } = requireStaff(requireKnown(vault, chain), account, role, { now, activity });
    if (memberId !== message.from) throw forged(message, `its signer belongs to member ${memberId}`);
    return account;
  }
}

function later(why: string): ChartsealError {
  return new ChartsealError("ERR_CAPSULE_REFUSED", why, { retryable: true });
}
