// SPDX-License-Identifier: Apache-2.0
import type { StaffSigner } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Exchange, Message } from "./exchange.js";
import { requireSender, signMessage } from "./messages.js";
import { release, type ReleaseParts } from "./release.js";

/** Milliseconds between looks at the Exchange. */
const POLL_MS = 250;
/** Roles.CLINICIAN: who may ask for a release. */
const CLINICIAN = 2;

export interface AgentParts extends ReleaseParts {
  exchange: Exchange;
  /** A RELEASER of this member. */
  signer: StaffSigner;
}

/** What became of one request. */
export interface Answer {
  accessId: Hex;
  /** Member id of who asked. */
  to: number;
  /** Set when it was refused. */
  error?: ChartsealError;
}

/** Answers every waiting request once. A chain or vault that does not answer leaves the request waiting. */
export async function answerRequests(parts: AgentParts): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const request of await parts.exchange.receive(parts.memberId, "request")) {
    const answer = await answerOne(parts, request);
    if (answer !== undefined) answers.push(answer);
  }
  return answers;
}

/** Serves requests until the signal aborts. `onError` hears of what must be tried again. */
export async function runReleaseAgent(
  parts: AgentParts,
  options: { signal: AbortSignal; onAnswer?: (answer: Answer) => void; onError?: (error: unknown) => void },
): Promise<void> {
  const { signal, onAnswer, onError } = options;
  while (!signal.aborted) {
    try {
      for (const answer of await answerRequests(parts)) onAnswer?.(answer);
    } catch (error) {
      onError?.(error);
    }
    await pause(POLL_MS, signal);
  }
}

async function answerOne(parts: AgentParts, request: Message): Promise<Answer | undefined> {
  const { chain, exchange, memberId, signer } = parts;
  const { id: accessId, from: to } = request;
  const answer: Answer = { accessId, to };
  let type: "release" | "refusal" = "release";
  let body: string;
  try {
    await requireSender(chain, request, CLINICIAN);
    body = await release(parts, accessId);
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    if (error.retryable) throw error;
    answer.error = error;
    type = "refusal";
    body = JSON.stringify({ format: 1, accessId, code: error.code, reason: error.message });
  }
  await exchange.send(await signMessage(chain, signer, { type, id: accessId, from: memberId, to, body }));
  await exchange.remove(request);
  return answer;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
