// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import type { AgentParts } from "./release-agent.js";
import { lastKnown, refreshLastKnown, rememberFiled } from "./last-known.js";
import { lateRefusal } from "./late-permission.js";
import {
  keptLateReleases,
  lateRelease,
  lateWindowId,
  parseKept,
  permitLate,
  windowOf,
} from "./late-release.js";
import { parseLateRequest, type LateRequest, type Refusal } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, signMessage, signerOf } from "./messages.js";
import { waitOr } from "./wait-or.js";

/** Milliseconds between looks at the Exchange. */
const POLL_MS = 250;
/** Milliseconds between looks at the chain, for what must be known of it while it is down. */
const REFRESH_MS = 60_000;
/** Seconds without a block after which it is tried whether the chain makes any. */
const SILENCE = 120;
/** Milliseconds in which a running chain mines a transaction. */
const MINED_WITHIN_MS = 30_000;
/** Milliseconds between tries to file. */
const FILE_MS = 1_000;

export interface LateAgentParts extends AgentParts {
  /** Of the same RELEASER. */
  writer: Writer;
}

/** What became of a request without the chain, or of filing it. */
export interface LateAnswer {
  windowId: Hex;
  event: "late-released" | "late-refused" | "late-filed" | "late-never-filed";
  error?: ChartsealError;
}

interface Listener {
  onLate?: (answer: LateAnswer) => void;
  onError?: (error: unknown) => void;
}

/**
 * Serves emergencies while the chain is down, and files them when it is back; while it runs, keeps what must be known
 * then. Ends when the signal aborts.
 */
export async function runLateAgent(
  parts: LateAgentParts,
  options: { signal: AbortSignal } & Listener,
): Promise<void> {
  // Side by side: a node that hangs holds up whoever asks it.
  await Promise.all([keepKnownAndFiled(parts, options), answerWhileDown(parts, options)]);
}

async function keepKnownAndFiled(
  { vault, chain, writer }: LateAgentParts,
  { signal, onLate, onError }: { signal: AbortSignal } & Listener,
): Promise<void> {
  let refreshAt = -Infinity;
  while (!signal.aborted) {
    try {
      if (performance.now() >= refreshAt) {
        await refreshLastKnown(vault, chain);
        refreshAt = performance.now() + REFRESH_MS;
      }
      for (const answer of await fileLateReleases({ vault, chain, writer }, onError)) onLate?.(answer);
    } catch (error) {
      // That the chain is down is what the rest is for.
      if (!isDown(error)) onError?.(error);
    }
    await waitOr(FILE_MS, signal);
  }
}

async function answerWhileDown(
  parts: LateAgentParts,
  { signal, onLate, onError }: { signal: AbortSignal } & Listener,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const request of await parts.exchange.receive(parts.memberId, "late-request")) {
        // One that must wait holds up no other.
        await answerLate(parts, request).then(onLate, onError);
      }
    } catch (error) {
      onError?.(error);
    }
    await waitOr(POLL_MS, signal);
  }
}

/**
 * Files what was released while the chain was down. It counts as filed only when the chain shows it: a transaction may
 * be lost, and one to a chain without our contracts succeeds too.
 * @returns what the chain shows now, and what it can show no more: its time is over
 * @throws ERR_RPC_UNAVAILABLE; of one that the contract refuses, `onError` hears, and the others are filed
 */
export async function fileLateReleases(
  { vault, chain, writer }: Pick<LateAgentParts, "vault" | "chain" | "writer">,
  onError?: (error: unknown) => void,
): Promise<LateAnswer[]> {
  const settled: LateAnswer[] = [];
  for (const kept of keptLateReleases(vault)) {
    const { windowId } = kept;
    const shown = await chain.ask(() => chain.emergencies.windowOf(windowId));
    if (shown.late) {
      rememberFiled(vault, chain, windowId, windowOf(kept));
      vault.releases.setFiled(windowId);
      settled.push({ windowId, event: "late-filed" });
      continue;
    }
    try {
      await writer.execute(await chain.ask(() => chain.emergencies.fileLate.populateTransaction(kept)));
    } catch (error) {
      if (isDown(error)) throw error;
      if (isTooLate(error)) settled.push(giveUp(vault, windowId, error));
      else onError?.(error);
    }
  }
  return settled;
}

/** No later try can succeed: it is kept with the reason, and tried no more. */
function giveUp(vault: Vault, windowId: Hex, error: ChartsealError): LateAnswer {
  const neverFiled = { reason: String(error.values["reason"]), at: Math.floor(Date.now() / 1000) };
  // As it is now: a record in it may have been erased since it was read.
  vault.releases.setFiled(windowId, (json) => JSON.stringify({ ...parseKept(json), neverFiled }));
  return { windowId, event: "late-never-filed", error };
}

function isTooLate(error: unknown): error is ChartsealError {
  return error instanceof ChartsealError && error.values["reason"] === "FiledTooLate";
}

/** Answers one request, and takes it away. @throws whatever must be tried again later */
async function answerLate(parts: LateAgentParts, request: Message): Promise<LateAnswer> {
  const { exchange } = parts;
  const { id: windowId } = request;
  try {
    const body = ownRequest(parts, request);
    permitLate(parts, body);
    if (!(await chainIsDown(parts))) throw lateRefusal("the chain runs: break the glass there");
    const release = await lateRelease(parts, body);
    await reply(parts, request, "late-release", release);
    return { windowId, event: "late-released" };
  } catch (error) {
    if (!(error instanceof ChartsealError) || error.retryable) throw error;
    if (error.code === "ERR_CAPSULE_REFUSED") {
      const refusal: Refusal = { format: 1, accessId: windowId, code: error.code, reason: error.message };
      await reply(parts, request, "refusal", JSON.stringify(refusal));
    } else {
      await exchange.remove(request);
    }
    return { windowId, event: "late-refused", error };
  }
}

/** An answer to anyone else would let him have refusals signed for another's emergency. */
function ownRequest({ vault, chain }: LateAgentParts, request: Message): LateRequest {
  const body = parseLateRequest(request);
  if (signerOf(chain, request) !== body.initiator) throw forged(request, "the initiator did not sign it");
  if (lateWindowId(chain, body) !== request.id) throw forged(request, "its id is not of what the two signed");
  const staff = lastKnown(vault, chain)?.staff.get(body.initiator);
  if (staff?.memberId !== request.from)
    throw forged(request, "its signer is not known as that member's staff");
  return body;
}

/** True when the node does not answer, or does not mine what is given to it. */
async function chainIsDown({ chain, writer }: Pick<LateAgentParts, "chain" | "writer">): Promise<boolean> {
  try {
    const silence = Math.floor(Date.now() / 1000) - (await chain.time());
    if (silence < SILENCE) return false;
    // Some chains make no block while nobody asks for one.
    return !(await minesSoon(chain, writer));
  } catch (error) {
    if (isDown(error)) return true;
    throw error;
  }
}

async function minesSoon(chain: Chain, writer: Writer): Promise<boolean> {
  const mined = writer.execute({ to: writer.address, data: "0x" }).then(
    () => true,
    (error: unknown) => {
      if (isDown(error)) return false;
      throw error;
    },
  );
  const timer = new AbortController();
  const tooLate = waitOr(Math.min(MINED_WITHIN_MS, chain.confirmationTimeoutMs), timer.signal).then(
    () => false,
  );
  try {
    return await Promise.race([mined, tooLate]);
  } finally {
    timer.abort();
  }
}

function isDown(error: unknown): boolean {
  return (
    error instanceof ChartsealError && (error.code === "ERR_RPC_UNAVAILABLE" || error.code === "ERR_TIMEOUT")
  );
}

async function reply(
  { chain, exchange, memberId, signer }: LateAgentParts,
  request: Message,
  type: "late-release" | "refusal",
  body: string,
): Promise<void> {
  const { id, from: to } = request;
  await exchange.send(await signMessage(chain, signer, { type, id, from: memberId, to, body }));
  await exchange.remove(request);
}
