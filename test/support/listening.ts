// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serveAgent, type ServeOptions } from "../../src/access/agent-server.js";
import type { AgentParts } from "../../src/access/release-agent.js";
import { Access } from "../../src/access/access.js";
import { HttpExchange } from "../../src/access/http-exchange.js";
import type { ClientTls } from "../../src/access/agent-call.js";
import type { Chartseal } from "../../src/chartseal.js";

/** Keys and certificates for tests only: they are public and worth nothing. */
export function pem(name: string): string {
  return readFileSync(new URL(`tls/${name}`, import.meta.url), "utf8");
}

export interface Listening extends AsyncDisposable {
  address: string;
  stop: () => void;
  stopped: Promise<void>;
}

/** A release agent that listens on a port of its own until it is disposed of. */
export async function listening(parts: AgentParts, options: Partial<ServeOptions> = {}): Promise<Listening> {
  const controller = new AbortController();
  const { signal } = controller;
  const server = await serveAgent(parts, { host: "127.0.0.1", port: 0, signal, ...options });
  return {
    ...server,
    stop: () => controller.abort(),
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await server.stopped;
    },
  };
}

/** How a hospital reads through these agents of `custodian`'s. */
export function readerOver(
  hospital: Chartseal,
  custodian: number,
  addresses: readonly string[],
  tls?: ClientTls,
): Access {
  const { memberId, chain, vault, store } = hospital;
  const exchange = exchangeOver(hospital, custodian, addresses, tls);
  const reader = () => ({ writer: hospital.writer("clinician"), signer: hospital.signer("clinician") });
  return new Access({ memberId, chain, vault, store, exchange, reader });
}

export function exchangeOver(
  { exchange }: Chartseal,
  custodian: number,
  addresses: readonly string[],
  tls?: ClientTls,
): HttpExchange {
  const agents = new Map([[custodian, addresses]]);
  return new HttpExchange({ agents, otherwise: exchange, ...(tls === undefined ? {} : { tls }) });
}

export interface Posted {
  status: number;
  headers: Headers;
  text: string;
  error: { code?: string; message?: string; retryable?: boolean };
}

/** What any HTTP client can send. */
export async function post(
  address: string,
  body: string | Uint8Array | ReadableStream,
  path = "/v1/requests",
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<Posted> {
  const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
  const response = await fetch(`${address}${path}`, init);
  const text = await response.text();
  const { error = {} } = JSON.parse(text) as { error?: Posted["error"] };
  return { status: response.status, headers: response.headers, text, error };
}

/** Any HTTP server. */
export async function serving(listener: (...args: Parameters<RequestListener>) => unknown) {
  const server: Server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
