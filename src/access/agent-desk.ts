// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { answerRequest, type Answer, type AnsweringParts } from "./answer-request.js";
import type { Message } from "./message.js";
import { busy, type RequestLimits } from "./request-limits.js";

/** Milliseconds for which a request is held whose access is not deep enough in the chain yet. */
const HOLD_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;
/** Requests of one member that are worked on at the same time. */
const MEMBER_AT_ONCE = 16;

/** What the desk tells of an answer to whoever runs it. */
export interface DeskEvents {
  onAnswer?: (answer: Answer) => void;
}

/** Takes requests one by one, as they come in over a network, and answers each at once. */
export class AgentDesk {
  readonly #parts: AnsweringParts;
  readonly #events: DeskEvents;
  readonly #limits: RequestLimits;
  readonly #underWay = new Map<string, Promise<Message | undefined>>();
  readonly #working = new Map<number, number>();

  constructor(parts: AnsweringParts, limits: RequestLimits, events: DeskEvents = {}) {
    this.#parts = parts;
    this.#limits = limits;
    this.#events = events;
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
    const { account, memberId } = await this.#limits.take(request, address);
    const asked = `${account} ${request.id}`;
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
