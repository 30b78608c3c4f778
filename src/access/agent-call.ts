// SPDX-License-Identifier: Apache-2.0
import * as http from "node:http";
import * as https from "node:https";
import { printable } from "../printable.js";
import { ChartsealError } from "../errors.js";

/** Milliseconds without a byte after which an agent counts as gone. It may hold a request for half as long. */
const SILENCE_MS = 30_000;
const MOST_HEADER_BYTES = 16 * 1024;
/** Seconds; a longer Retry-After is taken as this. */
const LONGEST_RETRY_AFTER = 60;
const MOST_ERROR_BYTES = 4 * 1024;
const LONGEST_REASON = 200;

/** PEM texts. */
export interface ClientTls {
  /** Whose certificates count, instead of the system's. */
  ca?: string;
  /** How this member shows who it is. */
  cert?: string;
  key?: string;
}

/** Calls release agents. Follows no redirect, waits for none too long and reads no more than was asked for. */
export class AgentCaller {
  readonly #https: https.Agent;
  readonly #http = new http.Agent({ keepAlive: true });

  constructor(tls: ClientTls = {}) {
    this.#https = new https.Agent({ ...tls, keepAlive: true, minVersion: "TLSv1.3" });
  }

  /**
   * Posts JSON to a path below the agent's address.
   * @param most Bytes of the answer
   * @throws ERR_TIMEOUT (retryable) when it does not answer or cannot now, ERR_RATE_LIMITED with `values.retryAfter`,
   * ERR_EXCHANGE_INVALID when it does not take what was sent, or answers wrongly; the signal's reason
   */
  async post(
    address: string,
    path: string,
    json: string,
    most: number,
    signal?: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<string> {
    signal?.throwIfAborted();
    const url = new URL(path, address.endsWith("/") ? address : `${address}/`);
    try {
      const response = await this.#request(url, json, headers, signal);
      const status = response.statusCode ?? 0;
      const body = await bodyOf(response, status === 200 ? most : MOST_ERROR_BYTES);
      if (status !== 200) throw agentError(address, response, body);
      return decoded(body, address);
    } catch (error) {
      if (error instanceof ChartsealError) throw error;
      signal?.throwIfAborted();
      throw unreachable(address, error);
    }
  }

  #request(
    url: URL,
    json: string,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const body = Buffer.from(json);
    const { request, agent } =
      url.protocol === "https:"
        ? { request: https.request, agent: this.#https }
        : { request: http.request, agent: this.#http };
    return new Promise((resolve, reject) => {
      const call = request(url, {
        method: "POST",
        agent,
        timeout: SILENCE_MS,
        maxHeaderSize: MOST_HEADER_BYTES,
        headers: { ...headers, "content-type": "application/json", "content-length": body.length },
        ...(signal === undefined ? {} : { signal }),
      });
      call.once("response", resolve);
      call.once("error", reject);
      call.once("timeout", () => call.destroy(new Error("silent")));
      call.end(body);
    });
  }
}

async function bodyOf(response: http.IncomingMessage, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    // Leaving the loop destroys the connection.
    if (bytes > most) throw badAnswer("is too long");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function decoded(body: Buffer, address: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw badAnswer(`of ${address} is not UTF-8`);
  }
}

/** What an agent says of itself is a stranger's text: nothing hangs on it but how long to wait. */
function agentError(address: string, response: http.IncomingMessage, body: Buffer): ChartsealError {
  const { statusCode: status = 0, headers } = response;
  const said = Number(headers["retry-after"]);
  const retryAfter = Number.isFinite(said) ? Math.min(Math.max(1, said), LONGEST_RETRY_AFTER) : 1;
  if (status === 429) {
    return new ChartsealError("ERR_RATE_LIMITED", `the release agent at ${address} was asked too often`, {
      values: { address, retryAfter },
      hint: `ask again in ${retryAfter} s`,
      retryable: true,
    });
  }
  if (status >= 500) {
    return new ChartsealError(
      "ERR_TIMEOUT",
      `the release agent at ${address} cannot answer now (${status})`,
      {
        values: { address, status, retryAfter },
        retryable: true,
      },
    );
  }
  const why = reasonIn(body);
  return new ChartsealError(
    "ERR_EXCHANGE_INVALID",
    `the release agent at ${address} does not take the message (${status}${why === "" ? "" : `: ${why}`})`,
    { values: { address, status } },
  );
}

function reasonIn(body: Buffer): string {
  try {
    const { error } = JSON.parse(body.toString()) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? printable(error.message.slice(0, LONGEST_REASON)) : "";
  } catch {
    return "";
  }
}

function badAnswer(why: string): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `the answer ${why}`);
}

function unreachable(address: string, cause: unknown): ChartsealError {
  const { code = "silent" } = cause as NodeJS.ErrnoException;
  return new ChartsealError("ERR_TIMEOUT", `the release agent at ${address} does not answer (${code})`, {
    values: { address, code },
    hint: "ask the custodian whether its release agent runs; `exchange` in chartseal.json names its address",
    retryable: true,
    cause,
  });
}
