// SPDX-License-Identifier: Apache-2.0
import type { Writer } from "../chain/index.js";
import { serveAgent, type ServerTls } from "./agent-server.js";
import type { Answer } from "./answer-request.js";
import { runLateAgent, type LateAnswer } from "./late-agent.js";
import { runLookupAgent } from "./lookup-agent.js";
import { relayWithdrawals } from "./relay.js";
import { runReleaseAgent, type AgentParts } from "./release-agent.js";

export interface ReleaseAgentOptions {
  signal: AbortSignal;
  onAnswer?: (answer: Answer) => void;
  /** Of emergencies while the chain is down. */
  onLate?: (answer: LateAnswer) => void;
  /** Hears of what is tried again. */
  onError?: (error: unknown) => void;
  /** Where to answer over HTTP. Without TLS on this machine only. */
  listen?: { host: string; port: number; tls?: ServerTls };
  /** Hears, once, that requests are answered, and at which address those over HTTP. */
  onReady?: (address: string | undefined) => void;
}

/**
 * Everything that a custodian's agent does, until the signal aborts: releases records for logged accesses, in the shared
 * folder and with `listen` over HTTP; answers emergencies while the chain is down; answers who looks for a patient;
 * relays what patients told it.
 */
export async function runAgents(
  parts: AgentParts & { writer: Writer },
  options: ReleaseAgentOptions,
): Promise<void> {
  const { listen, onReady, ...rest } = options;
  // When one of them ends, the others do.
  const stop = new AbortController();
  const all = { ...rest, signal: AbortSignal.any([options.signal, stop.signal]) };
  const server = listen === undefined ? undefined : await serveAgent(parts, { ...all, ...listen });
  onReady?.(server?.address);
  try {
    const agents = [
      runReleaseAgent(parts, all),
      relayWithdrawals(parts, all),
      runLateAgent(parts, all),
      runLookupAgent(parts, all),
    ];
    await Promise.all(agents.map((agent) => agent.finally(() => stop.abort())));
  } finally {
    stop.abort();
    await server?.stopped;
  }
}
