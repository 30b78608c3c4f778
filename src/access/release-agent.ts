// SPDX-License-Identifier: Apache-2.0
import { ROLES, SUSPENSIONS } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { answerRequest, type Answer, type AnsweringParts } from "./answer-request.js";
import type { Exchange } from "./exchange.js";
import { inParallel } from "./in-parallel.js";
import type { Message } from "./message.js";
import { PutOff } from "./put-off.js";
import { RequestLimits } from "./request-limits.js";
import { waitOr } from "./wait-or.js";

/** Milliseconds between looks at the Exchange. */
const POLL_MS = 250;
/** Longest pause, in milliseconds, after a trouble. */
const LONGEST_PAUSE_MS = 30_000;
/** Requests that are answered at the same time: a large chart does not keep the others waiting. */
const AT_ONCE = 4;

/** A release agent that looks for requests on an Exchange. */
export interface AgentParts extends AnsweringParts {
  exchange: Exchange;
}

/** A custodian's release agent. */
class ReleaseAgent {
  readonly #parts: AgentParts;
  readonly #limits: RequestLimits;
  readonly #waiting = new PutOff();
  #checked = false;

  constructor(parts: AgentParts, limits = new RequestLimits(parts.chain)) {
    this.#parts = parts;
    this.#limits = limits;
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
    const due = requests.filter(({ id }) => this.#waiting.isDue(id));
    if (due.length > 0) await this.#check();
    const answers = await inParallel(due, AT_ONCE, (request) => this.#tryOne(request, onError));
    return answers.filter((answer) => answer !== undefined);
  }

  async #tryOne(request: Message, onError: (error: unknown) => void): Promise<Answer | undefined> {
    try {
      await this.#limits.takeFromFolder(request);
      const { answer, message } = await answerRequest(this.#parts, request);
      if (message !== undefined) await this.#parts.exchange.send(message);
      await this.#parts.exchange.remove(request);
      this.#waiting.done(request.id);
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
    if (this.#waiting.again(accessId)) return undefined;
    await this.#parts.exchange.remove(request);
    this.#waiting.done(accessId);
    return error instanceof ChartsealError ? { accessId, to, error, dropped: true } : undefined;
  }

  async #check(): Promise<void> {
    if (this.#checked) return;
    await requireReleaser(this.#parts);
    this.#checked = true;
  }
}

/**
 * Before the first key leaves: a node of another chain could show accesses that this consortium never saw.
 * @throws ERR_RPC_UNAVAILABLE, ERR_CHAIN_MISMATCH, ERR_USAGE when the signer is no RELEASER of this member
 */
export async function requireReleaser({ chain, memberId, signer }: AnsweringParts): Promise<void> {
  await chain.check();
  const found = await chain.ask(
    () => chain.members.authorized(signer.address, ROLES.RELEASER, SUSPENSIONS.REMOVED),
    "ERR_USAGE",
  );
  if (Number(found) === memberId) return;
  throw new ChartsealError(
    "ERR_USAGE",
    `the agent's account is staff of member ${found}, not of ${memberId}`,
    {
      values: { found: Number(found), memberId },
      hint: "let it act with a RELEASER key of this member",
    },
  );
}

export interface RunOptions {
  signal: AbortSignal;
  onAnswer?: (answer: Answer) => void;
  onError?: (error: unknown) => void;
  /** Shared with whatever else takes this member's requests. Default: of its own. */
  limits?: RequestLimits;
}

/** Answers every waiting request once. See {@link ReleaseAgent.answer}. */
export async function answerRequests(
  parts: AgentParts,
  options: { onError?: (error: unknown) => void; limits?: RequestLimits } = {},
): Promise<Answer[]> {
  return await new ReleaseAgent(parts, options.limits).answer(options.onError);
}

/** Serves requests until the signal aborts. `onError` hears of what will be tried again. */
export async function runReleaseAgent(parts: AgentParts, options: RunOptions): Promise<void> {
  const { signal, onAnswer, onError, limits } = options;
  const agent = new ReleaseAgent(parts, limits);
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
