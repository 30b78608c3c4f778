// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { isLoopback } from "../config.js";
import { ChartsealError } from "../errors.js";
import { agentApp } from "./agent-app.js";
import { AgentDesk, type DeskEvents, type DeskLimits } from "./agent-desk.js";
import type { AnsweringParts } from "./answer-request.js";
import { PeerDesk } from "./peer-desk.js";
import { PatientDesk } from "./patient-desk.js";
import { ReadinessProbe } from "./readiness.js";
import { requireReleaser } from "./release-agent.js";

/** A client has this long, in milliseconds, to send the headers of a request, and then the whole of it. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
/** Milliseconds without a byte in either direction after which a connection is cut. A held request is shorter. */
const SILENCE_MS = 30_000;
const KEEP_ALIVE_MS = 5_000;
const MOST_HEADER_BYTES = 8 * 1024;
const MOST_HEADERS = 50;
const MOST_CONNECTIONS = 512;
/** Milliseconds that answers under way have when the agent is to stop. */
const STOP_MS = 10_000;

/** PEM texts. */
export interface ServerTls {
  cert: string;
  key: string;
  /** Only clients with a certificate of this authority are let in. */
  clientCa?: string;
}

export interface ServeOptions extends DeskEvents {
  host: string;
  /** 0: any that is free. */
  port: number;
  tls?: ServerTls;
  signal: AbortSignal;
  onError?: (error: unknown) => void;
  limits?: DeskLimits;
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
export async function serveAgent(parts: AnsweringParts, options: ServeOptions): Promise<AgentServer> {
  const { host, port, tls, signal, limits } = options;
  if (tls === undefined && !isLoopback(host)) {
    throw new ChartsealError(
      "ERR_USAGE",
      `without TLS the agent listens on this machine only, not on ${host}`,
      {
        values: { host },
        hint: "give it a certificate, or let it listen on 127.0.0.1 behind a proxy that has one",
      },
    );
  }
  const desk = new AgentDesk(parts, options, limits);
  const probe = new ReadinessProbe(parts);
  const patients = new PatientDesk(parts, options.tellPeers);
  const peers = new PeerDesk(parts);
  let checked = false;
  const check = async () => {
    if (!checked) await requireReleaser(parts);
    checked = true;
  };
  const app = agentApp({ ...options, desk, patients, peers, probe, check });
  const listener = getRequestListener((request, env) => app.fetch(request, env));
  const server = serverFor((incoming, outgoing) => void listener(incoming, outgoing), tls);
  server.listen(port, host);
  await once(server, "listening").catch((cause: unknown) => {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw unusable(`the agent cannot listen on ${host}:${port} (${code})`, cause);
  });
  const { port: taken } = server.address() as AddressInfo;
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    address: `${tls === undefined ? "http" : "https"}://${shown}:${taken}`,
    stopped: stopOn(server, signal),
  };
}

function serverFor(listener: http.RequestListener, tls: ServerTls | undefined): http.Server | https.Server {
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MOST_HEADER_BYTES,
  };
  const server =
    tls === undefined ? http.createServer(limits, listener) : secureServer(limits, tls, listener);
  server.maxHeadersCount = MOST_HEADERS;
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENCE_MS, (socket) => socket.destroy());
  return server;
}

function secureServer(
  limits: http.ServerOptions,
  { cert, key, clientCa }: ServerTls,
  listener: http.RequestListener,
): https.Server {
  const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  try {
    const options = { ...limits, cert, key, ...clients, minVersion: "TLSv1.3", handshakeTimeout: HEADERS_MS };
    return https.createServer(options as https.ServerOptions, listener);
  } catch (cause) {
    throw unusable("the certificate or its key cannot be used", cause);
  }
}

async function stopOn(server: http.Server | https.Server, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  const closed = once(server, "close");
  server.close(); // idle connections, too
  const late = setTimeout(() => server.closeAllConnections(), STOP_MS);
  await closed;
  clearTimeout(late);
}

function unusable(what: string, cause: unknown): ChartsealError {
  return new ChartsealError("ERR_USAGE", what, { cause });
}
