// SPDX-License-Identifier: Apache-2.0
import { getRequestListener } from "@hono/node-server";
import { httpServer, listenAt, requireTls, stopOn, type ServerTls } from "../server/index.js";
import { agentApp } from "./agent-app.js";
import { AgentDesk, type DeskEvents } from "./agent-desk.js";
import { MessageDesk } from "./message-desk.js";
import { PeerDesk } from "./peer-desk.js";
import { PatientDesk } from "./patient-desk.js";
import { ReadinessProbe } from "./readiness.js";
import { requireReleaser, type AgentParts } from "./release-agent.js";
import { RequestLimits } from "./request-limits.js";

export interface ServeOptions extends DeskEvents {
  host: string;
  /** 0: any that is free. */
  port: number;
  tls?: ServerTls;
  signal: AbortSignal;
  onError?: (error: unknown) => void;
  /** Default: of its own. */
  limits?: RequestLimits;
  /** Hands what patients withdraw on to the member's other agents; false when one did not take it. */
  tellPeers?: (text: string) => Promise<boolean>;
}

/** A release agent that listens. */
export interface AgentServer {
  /** As it can be given to others. */
  address: string;
  /** Resolves when the signal has aborted and the last answer has left, or its time is over. */
  stopped: Promise<void>;
}

/**
 * Answers requests over HTTP until the signal aborts. Without TLS it listens on this machine only: for tests, and behind
 * a proxy that has the certificate.
 * @throws ERR_USAGE for clear text on a network, or an address or certificate that cannot be used
 */
export async function serveAgent(parts: AgentParts, options: ServeOptions): Promise<AgentServer> {
  const { host, port, tls, signal, limits = new RequestLimits(parts.chain) } = options;
  requireTls(host, tls, "the agent");
  const desk = new AgentDesk(parts, limits, options);
  const probe = new ReadinessProbe(parts);
  const messages = new MessageDesk(parts);
  const patients = new PatientDesk(parts, options.tellPeers);
  const peers = new PeerDesk(parts);
  let checked = false;
  const check = async () => {
    if (!checked) await requireReleaser(parts);
    checked = true;
  };
  const app = agentApp({ ...options, desk, messages, patients, peers, probe, check });
  const listener = getRequestListener((request, env) => app.fetch(request, env));
  const server = httpServer((incoming, outgoing) => void listener(incoming, outgoing), tls);
  const at = await listenAt(server, { host, port }, "the agent");
  return { address: `${tls === undefined ? "http" : "https"}://${at}`, stopped: stopOn(server, signal) };
}
