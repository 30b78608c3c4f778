// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Server } from "node:net";
import { ChartsealError } from "../errors.js";
import { tlsOptions, withCertificate, type ServerTls } from "./tls.js";

/** A client has this long, in milliseconds, to send the headers of a request, and then the whole of it. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
/** Milliseconds without a byte in either direction after which a connection is cut. A held request is shorter. */
const SILENCE_MS = 30_000;
const KEEP_ALIVE_MS = 5_000;
const MOST_HEADER_BYTES = 8 * 1024;
const MOST_HEADERS = 50;
const MOST_CONNECTIONS = 512;
/** Milliseconds that answers under way have when the server is to stop. */
const STOP_MS = 10_000;

/** An HTTP server with limits that a hostile client meets first. `requestMs`: for the whole of a request. */
export function httpServer(
  listener: http.RequestListener,
  tls: ServerTls | undefined,
  requestMs = REQUEST_MS,
): http.Server | https.Server {
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MOST_HEADER_BYTES,
  };
  const server =
    tls === undefined
      ? http.createServer(limits, listener)
      : withCertificate(() => https.createServer({ ...limits, ...tlsOptions(tls) }, listener));
  server.maxHeadersCount = MOST_HEADERS;
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENCE_MS, (socket) => socket.destroy());
  return server;
}

/**
 * Takes a port; 0 is any that is free.
 * @param what as a sentence begins: `the agent`
 * @returns host and port as they stand in an address
 * @throws ERR_USAGE when the address cannot be used
 */
export async function listenAt(
  server: Server,
  { host, port }: { host: string; port: number },
  what: string,
): Promise<string> {
  server.listen(port, host);
  await once(server, "listening").catch((cause: unknown) => {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ChartsealError("ERR_USAGE", `${what} cannot listen on ${host}:${port} (${code})`, { cause });
  });
  const { port: taken } = server.address() as AddressInfo;
  return `${host.includes(":") ? `[${host}]` : host}:${taken}`;
}

/** Resolves when the signal has aborted and the last answer has left, or its time is over. */
export async function stopOn(server: http.Server | https.Server, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  const closed = once(server, "close");
  server.close(); // idle connections, too
  const late = setTimeout(() => server.closeAllConnections(), STOP_MS);
  await closed;
  clearTimeout(late);
}
