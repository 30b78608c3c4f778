// SPDX-License-Identifier: Apache-2.0
import { ROLES, SUSPENSIONS } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { answerRequest, type AgentParts, type Answer } from "./answer-request.js";
import { inParallel } from "./in-parallel.js";
import type { Message } from "./message.js";
import { REDEEMABLE_SECONDS } from "./permission.js";
import { waitOr } from "./wait-or.js";

/** Milliseconds between looks at the Exchange. */
const POLL_MS = 250;
/** Longest pause, in milliseconds, before a request that failed is tried again. */
const LONGEST_PAUSE_MS = 30_000;
/** Requests that are answered at the same time: a large chart does not keep the others waiting. */
const AT_ONCE = 4;

/** A request that could not be answered yet. */
interface Waiting {
  /** As performance.now() gives them. */
  since: number;
  nextTry: number;
  pause: number;
}

/** A custodian's release agent. */
class ReleaseAgent {
  readonly #parts: AgentParts;
  readonly #waiting = new Map<Hex, Waiting>();
  #checked = false;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /**
   * Answers every request that is due, once. What could not be answered waits, is told to `onError`, and holds up no
   * other.
   * @throws ERR_STORE_FAILED when the Exchange cannot be read, ERR_RPC_UNAVAILABLE, ERR_CHAIN_MISMATCH when the node is
   * on another chain, ERR_USAGE when the signer is no RELEASER of this member
   */
  async answer(onError: (error: unknown) => void = () => {}): Promise<Answer[]> {
    const { exchange, memberId } = this.#parts;
    const requests = await exchange.receive(memberId, "request");
    const now = performance.now();
    const due = requests.filter(({ id }) => (this.#waiting.get(id)?.nextTry ?? 0) <= now);
    if (due.length > 0) await this.#check();
    const answers = await inParallel(due, AT_ONCE, (request) => this.#tryOne(request, onError));
    this.#forgetOld(now);
    return answers.filter((answer) => answer !== undefined);
  }

  async #tryOne(request: Message, onError: (error: unknown) => void): Promise<Answer | undefined> {
    try {
      const answer = await answerRequest(this.#parts, request);
      this.#waiting.delete(request.id);
      return answer;
    } catch (error) {
      onError(error);
      return await this.#putOff(request, error).catch((another: unknown) => {
        onError(another);
        return undefined;
      });
    }
  }

  /** A request that stays unanswerable is dropped when its access can no longer be redeemed. */
  async #putOff(request: Message, error: unknown): Promise<Answer | undefined> {
    const { id: accessId, from: to } = request;
    const now = performance.now();
    const { since, pause } = this.#waiting.get(accessId) ?? { since: now, pause: POLL_MS };
    if (now - since <= REDEEMABLE_SECONDS * 1_000) {
      this.#waiting.set(accessId, {
        since,
        nextTry: now + pause,
        pause: Math.min(pause * 2, LONGEST_PAUSE_MS),
      });
      return undefined;
    }
    await this.#parts.exchange.remove(request);
    this.#waiting.delete(accessId);
    return error instanceof ChartsealError ? { accessId, to, error, dropped: true } : undefined;
  }

  /** Requests that were taken away meanwhile are remembered no longer than they could be redeemed. */
  #forgetOld(now: number): void {
    for (const [id, { since }] of this.#waiting) {
      if (now - since > 2 * REDEEMABLE_SECONDS * 1_000) this.#waiting.delete(id);
    }
  }

  /** Before the first key leaves: a node of another chain could show accesses that this consortium never saw. */
  async #check(): Promise<void> {
    if (this.#checked) return;
    const { chain, memberId, signer } = this.#parts;
    await chain.check();
    const found = await chain.ask(
      () => chain.members.authorized(signer.address, ROLES.RELEASER, SUSPENSIONS.REMOVED),
      "ERR_USAGE",
    );
    if (Number(found) !== memberId) {
      throw new ChartsealError(
        "ERR_USAGE",
        `the agent's account is staff of member ${found}, not of ${memberId}`,
        {
          values: { found: Number(found), memberId },
          hint: "let it act with a RELEASER key of this member",
        },
      );
    }
    this.#checked = true;
  }
}

/** Answers every waiting request once. See {@link ReleaseAgent.answer}. */
export async function answerRequests(
  parts: AgentParts,
  options: { onError?: (error: unknown) => void } = {},
): Promise<Answer[]> {
  return await new ReleaseAgent(parts).answer(options.onError);
}

/** Serves requests until the signal aborts. `onError` hears of what will be tried again. */
export async function runReleaseAgent(
  parts: AgentParts,
  options: { signal: AbortSignal; onAnswer?: (answer: Answer) => void; onError?: (error: unknown) => void },
): Promise<void> {
  const { signal, onAnswer, onError } = options;
  const agent = new ReleaseAgent(parts);
  for (let pause = POLL_MS; !signal.aborted;) {
    try {
      for (const answer of await agent.answer(onError)) onAnswer?.(answer);
      pause = POLL_MS;
    } catch (error) {
      onError?.(error);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
    await waitOr(pause, signal);
  }
}
