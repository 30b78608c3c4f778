// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback } from "../config.js";
import { ChartsealError } from "../errors.js";
import type { Collector, Reading } from "./collector.js";

/** A scrape is a few hundred bytes, sent at once. Milliseconds, bytes and counts. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
};
const MOST_CONNECTIONS = 32;
/** Milliseconds for which a connection may be silent; a node that does not answer holds a reading up for less. */
const SILENCE_MS = 60_000;

export interface MonitorOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  signal: AbortSignal;
}

export interface MonitorServer {
  address: string;
  /** Resolves when the signal has aborted and the server is closed. */
  stopped: Promise<void>;
}

/**
 * Serves /metrics, /healthz (the monitor itself lives) and /readyz (the member can work) on this machine, until the signal
 * aborts. Figures of a hospital's work are nobody's on the network: who wants them elsewhere puts a proxy before it.
 * @throws ERR_USAGE for an address of a network, or one that cannot be used
 */
export async function serveMonitor(
  collector: Collector,
  { host, port, signal }: MonitorOptions,
): Promise<MonitorServer> {
  if (!isLoopback(host)) {
    throw new ChartsealError("ERR_USAGE", `the monitor listens on this machine only, not on ${host}`, {
      values: { host },
      hint: "let Prometheus or its agent run here, or put a proxy with TLS and a password before 127.0.0.1",
    });
  }
  const server = createServer(LIMITS, (request, response) => {
    void answer(collector, request.method ?? "", request.url ?? "", response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENCE_MS, (socket) => socket.destroy());
  server.listen(port, host);
  await once(server, "listening").catch((cause: unknown) => {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ChartsealError("ERR_USAGE", `the monitor cannot listen on ${host}:${port} (${code})`, {
      cause,
    });
  });
  const { port: taken } = server.address() as AddressInfo;
  const shown = host.includes(":") ? `[${host}]` : host;
  return { address: `http://${shown}:${taken}`, stopped: stopOn(server, signal) };
}

/** A reading as Prometheus reads it. Its library is loaded when it is needed: other processes must not carry it. */
export async function metricsText(reading: Reading): Promise<{ text: string; contentType: string }> {
  const { exposition } = await import("./exposition.js");
  return await exposition(reading);
}

async function answer(
  collector: Collector,
  method: string,
  url: string,
  response: ServerResponse,
): Promise<void> {
  const path = url.split("?")[0];
  try {
    if (method !== "GET" && method !== "HEAD") return send(response, 405, { error: "GET only" });
    if (path === "/healthz") return send(response, 200, { alive: true });
    if (path === "/readyz") {
      const ready = await collector.ready();
      return send(response, ready.ready ? 200 : 503, ready);
    }
    if (path !== "/metrics") return send(response, 404, { error: "there is nothing at this path" });
    const { text, contentType } = await metricsText(await collector.read());
    response.writeHead(200, { "content-type": contentType, "cache-control": "no-store" }).end(text);
  } catch {
    if (response.headersSent) response.destroy();
    else send(response, 500, { error: "unexpected" });
  }
}

function send(response: ServerResponse, status: number, json: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(json)}\n`);
}

async function stopOn(server: Server, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
