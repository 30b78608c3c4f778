// SPDX-License-Identifier: Apache-2.0
import { getRequestListener } from "@hono/node-server";
import { ChartsealError } from "../errors.js";
import { httpServer, listenAt, requireTls, stopOn, type ServerTls } from "../server/index.js";
import { fhirApp, type FhirAppParts } from "./fhir-app.js";

/** Milliseconds for the whole of a request. */
const REQUEST_MS = 60_000;
/** Longest body taken, in bytes. */
const MOST_BYTES = 16 * 1024 * 1024;
/** What RFC 6750 lets a bearer token be; 32 characters are more than anybody guesses. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{32,}=*$/;

export interface FhirOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** TLS 1.3. Without it on this machine only. */
  tls?: ServerTls;
  /** Bearer token that every sender shows: 32 characters or more. */
  token: string;
  /** Longest body, in bytes. Default 16 MiB. */
  mostBytes?: number;
}

/** @throws ERR_USAGE for clear text on a network, a weak token, an address or certificate that cannot be used */
export async function serveFhir(
  parts: Omit<FhirAppParts, "token" | "mostBytes">,
  { host, port, tls, token, mostBytes = MOST_BYTES }: FhirOptions,
): Promise<{ address: string; stopped: Promise<void> }> {
  requireTls(host, tls, "the listener");
  if (!TOKEN.test(token)) {
    throw new ChartsealError(
      "ERR_USAGE",
      "the bearer token is too short, or has characters that none may have",
      {
        hint: "32 characters or more of A-Z, a-z, 0-9 and -._~+/: `openssl rand -hex 32` makes one",
      },
    );
  }
  const app = fhirApp({ ...parts, token, mostBytes });
  const listener = getRequestListener((request, env) => app.fetch(request, env));
  const server = httpServer((incoming, outgoing) => void listener(incoming, outgoing), tls, REQUEST_MS);
  const at = await listenAt(server, { host, port }, "the listener");
  return {
    address: `${tls === undefined ? "http" : "https"}://${at}`,
    stopped: stopOn(server, parts.signal),
  };
}
