// SPDX-License-Identifier: Apache-2.0
import type { TlsOptions } from "node:tls";
import { ChartsealError } from "../errors.js";
import { isLoopback } from "../loopback.js";

/** A client has this long, in milliseconds, to agree on keys. */
const HANDSHAKE_MS = 5_000;
/** Of TLS 1.2 only what has forward secrecy and authenticated encryption (RFC 9325, 4.2). */
const TLS_1_2_CIPHERS = [
  ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ...["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ...["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
];
const TLS_1_3_CIPHERS = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];

/** PEM texts. */
export interface ServerTls {
  cert: string;
  key: string;
  /** Only clients with a certificate of this authority are let in. */
  clientCa?: string;
}

/** What Node's servers are told. TLS 1.2 is for clients that cannot do better. */
export function tlsOptions(
  { cert, key, clientCa }: ServerTls,
  minVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
): TlsOptions {
  const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const ciphers = [...TLS_1_3_CIPHERS, ...TLS_1_2_CIPHERS].join(":");
  return { cert, key, ...clients, minVersion, ciphers, handshakeTimeout: HANDSHAKE_MS };
}

/** Makes a server; what its library says of a bad certificate is the caller's fault. @throws ERR_USAGE */
export function withCertificate<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new ChartsealError("ERR_USAGE", "the certificate or its key cannot be used", { cause });
  }
}

/**
 * No clear text on a network.
 * @param what as a sentence begins: `the agent`
 * @throws ERR_USAGE
 */
export function requireTls(host: string, tls: ServerTls | undefined, what: string): void {
  if (tls !== undefined || isLoopback(host)) return;
  throw new ChartsealError("ERR_USAGE", `without TLS ${what} listens on this machine only, not on ${host}`, {
    values: { host },
    hint: "give it a certificate, or let it listen on 127.0.0.1 behind a proxy that has one",
  });
}
