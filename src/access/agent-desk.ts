// SPDX-License-Identifier: Apache-2.0
import { ROLES } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { answerRequest, type Answer, type AnsweringParts } from "./answer-request.js";
import type { Message } from "./message.js";
import { requireSender, signerOf } from "./messages.js";
import { RateLimit, type Rate } from "./rate-limits.js";

/** Milliseconds for which a request is held whose access is not deep enough in the chain yet. */
const HOLD_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;
/** Milliseconds for which an account counts as staff of its member: for the limits only. */
const STAFF_KNOWN_MS = 10 * 60_000;
const MOST_STAFF_KNOWN = 10_000;
/** Unknown accounts that are looked up at the same time. Whoever is known need not wait for them. */
const STRANGERS_AT_ONCE = 32;
/** Requests of one member that are worked on at the same time. */
const MEMBER_AT_ONCE = 16;

export interface DeskLimits {
  account: Rate;
  member: Rate;
}

/** The same request again: a reader whose connection broke. */
const REPEATS: Rate = { burst: 10, perSecond: 1 };
/** Accesses that were asked for lately. */
const MOST_ASKED = 100_000;

/** A clinician opens a chart in some requests of 64 records each; a member has many clinicians. */
const LIMITS: DeskLimits = {
  account: { burst: 60, perSecond: 2 },
  member: { burst: 600, perSecond: 20 },
};

/** What the desk tells of an answer to whoever runs it. */
export interface DeskEvents {
  onAnswer?: (answer: Answer) => void;
}

/** Takes requests one by one, as they come in over a network, and answers each at once. */
export class AgentDesk {
  readonly #parts: AnsweringParts;
  readonly #events: DeskEvents;
  readonly #accounts: RateLimit;
  readonly #members: RateLimit;
  readonly #repeats = new RateLimit(REPEATS);
  readonly #asked = new Set<string>();
  readonly #underWay = new Map<string, Promise<Message | undefined>>();
  readonly #staff = new Map<Hex, { memberId: number; until: number }>();
  readonly #working = new Map<number, number>();
  #strangers = 0;

  constructor(parts: AnsweringParts, events: DeskEvents = {}, limits = LIMITS) {
    this.#parts = parts;
    this.#events = events;
    this.#accounts = new RateLimit(limits.account);
    this.#members = new RateLimit(limits.member);
  }

  /**
   * The signed answer to a request.
   * @param address Of who brought it
   * @returns undefined when it is not from whoever logged the access
   * @throws ERR_EXCHANGE_INVALID when it is not for this agent, or not from staff of its member; ERR_RATE_LIMITED;
   * whatever must be tried again later
   */
  async take(request: Message, address: string, signal: AbortSignal): Promise<Message | undefined> {
    if (request.type !== "request" || request.to !== this.#parts.memberId) {
      throw new ChartsealError("ERR_EXCHANGE_INVALID", "the message is no request to this member", {
        values: { type: request.type, to: request.to },
      });
    }
    const { account, memberId } = await this.#sender(request);
    const asked = `${account} ${request.id}`;
    this.#limit(asked, account, memberId, address);
    const underWay = this.#underWay.get(asked);
    if (underWay !== undefined) return await underWay;
    const answer = this.#oneOf(memberId, () => this.#answer(request, signal));
    this.#underWay.set(asked, answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(asked);
    }
  }

  /**
   * Others may have seen a signed message, in the shared folder: brought again and again by them, it uses up no more
   * than the first time, and keeps nobody else from bringing it.
   */
  #limit(asked: string, account: Hex, memberId: number, address: string): void {
    if (this.#asked.has(asked)) return this.#repeats.take(`${asked} ${address}`);
    this.#accounts.take(account);
    this.#members.take(String(memberId));
    this.#asked.add(asked);
    if (this.#asked.size > MOST_ASKED) this.#asked.delete(this.#asked.values().next().value!);
  }

  async #answer(request: Message, signal: AbortSignal): Promise<Message | undefined> {
    const { answer, message } = await this.#held(request, signal);
    this.#events.onAnswer?.(answer);
    return message;
  }

  /** A request comes right after its access, which takes some blocks. */
  async #held(request: Message, signal: AbortSignal) {
    const giveUp = performance.now() + HOLD_MS;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
      try {
        return await answerRequest(this.#parts, request);
      } catch (error) {
        const early = error instanceof ChartsealError && error.code === "ERR_CAPSULE_REFUSED";
        if (!early || signal.aborted || performance.now() + pause > giveUp) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Who signed, so that nobody can use up what another may ask. */
  async #sender(request: Message): Promise<{ account: Hex; memberId: number }> {
    const { chain } = this.#parts;
    const account = signerOf(chain, request);
    const known = this.#staff.get(account);
    if (known?.memberId === request.from && known.until > performance.now())
      return { account, memberId: known.memberId };
    if (this.#strangers >= STRANGERS_AT_ONCE) throw busy("too many unknown accounts ask at the same time");
    this.#strangers += 1;
    try {
      await requireSender(chain, request, ROLES.CLINICIAN);
    } finally {
      this.#strangers -= 1;
    }
    this.#staff.delete(account);
    this.#staff.set(account, { memberId: request.from, until: performance.now() + STAFF_KNOWN_MS });
    if (this.#staff.size > MOST_STAFF_KNOWN) this.#staff.delete(this.#staff.keys().next().value!);
    return { account, memberId: request.from };
  }

  async #oneOf<T>(memberId: number, work: () => Promise<T>): Promise<T> {
    const already = this.#working.get(memberId) ?? 0;
    if (already >= MEMBER_AT_ONCE) throw busy("this member has too many requests open");
    this.#working.set(memberId, already + 1);
    try {
      return await work();
    } finally {
      this.#working.set(memberId, this.#working.get(memberId)! - 1);
    }
  }
}

function busy(why: string): ChartsealError {
  return new ChartsealError("ERR_RATE_LIMITED", why, { values: { retryAfter: 1 }, retryable: true });
}
