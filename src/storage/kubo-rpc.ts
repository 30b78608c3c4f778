// SPDX-License-Identifier: Apache-2.0
import * as http from "node:http";
import * as https from "node:https";
import { ChartsealError } from "../errors.js";
import { Deadline } from "./deadline.js";
import { badAnswer, isHtml, refusedBy, said, timedOut, truncated, unreachable } from "./kubo-errors.js";
import { sendBody, SourceFailure, type Upload } from "./kubo-upload.js";

/** Most connections to a node at once; more calls wait for one. */
const CONNECTIONS = 16;
const MOST_HEADER_BYTES = 16 * 1024;
const MOST_ERROR_BYTES = 16 * 1024;
/** A line of an answer names one block or one pin. */
const MOST_LINE_BYTES = 16 * 1024;

export type Query = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface KuboRpcOptions {
  /** The node's address, without `/api/v0`. */
  rpc: string;
  token?: string | undefined;
  /** Milliseconds. */
  timeoutMs: number;
}

/** Times as long as others that a call may take in which the node goes through all it has. */
const WHOLE_REPOSITORY = 10;

interface Sending {
  upload?: Upload;
  signal?: AbortSignal | undefined;
  /** Whether the node goes through all it has. Default false. */
  wholeRepository?: boolean;
}

interface CallOptions extends Sending {
  query: Query;
}

/**
 * Calls a Kubo node's RPC. Follows no redirect, waits for nothing too long, reads no more than was asked for, and
 * streams what it sends with back-pressure; docs/decisions/0047 says why kubo-rpc-client does not do this here.
 *
 * Every method throws ERR_TIMEOUT (retryable), ERR_STORE_FULL (retryable), ERR_CONFIG_INVALID when the token does not
 * do, ERR_STORE_FAILED (retryable when the node is down or was cut off), ERR_USAGE after dispose, the signal's reason.
 */
export class KuboRpc implements AsyncDisposable {
  readonly #options: KuboRpcOptions;
  readonly #base: string;
  readonly #agent: http.Agent;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: KuboRpcOptions) {
    this.#options = options;
    this.#base = `${options.rpc.replace(/\/+$/, "")}/api/v0`;
    const settings = { keepAlive: true, maxSockets: CONNECTIONS };
    this.#agent = options.rpc.startsWith("https:") ? new https.Agent(settings) : new http.Agent(settings);
  }

  /** An answer's bytes, at most `most`. */
  async bytes(command: string, query: Query, most: number): Promise<Buffer> {
    return await this.#tracked(this.#bytes(command, { query }, most));
  }

  /** The lines of JSON of a short answer, at most `most` bytes. */
  async lines(command: string, query: Query, most: number, sending: Sending = {}): Promise<unknown[]> {
    const text = (await this.#tracked(this.#bytes(command, { query, ...sending }, most))).toString("utf8");
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => this.#parsed(command, line));
  }

  /** The lines of JSON of an answer of any length, as they come. */
  async *stream(command: string, query: Query): AsyncGenerator {
    using deadline = new Deadline(this.#options.timeoutMs);
    let rest = Buffer.alloc(0);
    for await (const piece of this.#answer(command, { query }, deadline)) {
      deadline.pause();
      rest = Buffer.concat([rest, piece]);
      let end: number;
      while ((end = rest.indexOf(10)) !== -1) {
        const line = rest.subarray(0, end).toString("utf8");
        rest = rest.subarray(end + 1);
        if (line.trim() !== "") yield this.#parsed(command, line);
      }
      if (rest.length > MOST_LINE_BYTES) throw badAnswer(this.#call(command), "answers with too long a line");
      deadline.start();
    }
    if (rest.toString("utf8").trim() !== "") yield this.#parsed(command, rest.toString("utf8"));
  }

  /** Lets the calls that run end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#running]);
    this.#agent.destroy();
  }

  async #tracked<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #bytes(command: string, options: CallOptions, most: number): Promise<Buffer> {
    const factor = options.wholeRepository === true ? WHOLE_REPOSITORY : 1;
    using deadline = new Deadline(this.#options.timeoutMs * factor, options.signal);
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of this.#answer(command, options, deadline)) {
      bytes += piece.length;
      // Leaving the loop closes the connection.
      if (bytes > most) throw badAnswer(this.#call(command), `answers with more than ${most} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** The pieces of a good answer. */
  async *#answer(command: string, options: CallOptions, deadline: Deadline): AsyncGenerator<Buffer> {
    const call = this.#call(command);
    if (this.#closed) throw new ChartsealError("ERR_USAGE", "the store was closed");
    let response: http.IncomingMessage | undefined;
    try {
      response = await this.#send(command, options, deadline);
      const { statusCode = 0, headers } = response;
      const type = headers["content-type"] ?? "";
      if (statusCode !== 200) throw refusedBy(call, statusCode, type, await startOf(response));
      if (isHtml(type)) throw badAnswer(call, "answers with an HTML page");
      yield* response as AsyncIterable<Buffer>;
      if (!response.complete) throw truncated(call);
      // Kubo's way to say that it failed after it had begun to answer.
      const failure = response.trailers["x-stream-error"];
      if (failure !== undefined) throw said(call, failure);
    } catch (error) {
      if (deadline.expired) throw timedOut(call, deadline.ms);
      options.signal?.throwIfAborted();
      if (error instanceof SourceFailure) throw error.cause;
      if (!isNetworkError(error)) throw error;
      throw response === undefined ? unreachable(call, error) : truncated(call, error);
    } finally {
      response?.destroy();
    }
  }

  async #send(command: string, options: CallOptions, deadline: Deadline): Promise<http.IncomingMessage> {
    try {
      return await this.#sendOnce(command, options, deadline);
    } catch (error) {
      // The node closed the idle connection in the moment we took it.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.#sendOnce(command, options, deadline);
    }
  }

  async #sendOnce(command: string, options: CallOptions, deadline: Deadline): Promise<http.IncomingMessage> {
    const { query, upload } = options;
    const url = new URL(`${this.#base}/${command}?${searchOf(query)}`);
    const { token } = this.#options;
    const request = (url.protocol === "https:" ? https : http).request(url, {
      method: "POST",
      // A body has its own connection: nobody can send it twice.
      agent: upload === undefined ? this.#agent : false,
      maxHeaderSize: MOST_HEADER_BYTES,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(upload === undefined ? { "content-length": 0 } : { "content-type": upload.type }),
      },
      signal: deadline.signal,
    });
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.on("error", (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && error.code === "ECONNRESET" && upload === undefined;
        reject(stale ? new StaleConnection() : error);
      });
    });
    answered.catch(() => {}); // reported when awaited
    deadline.start();
    if (upload === undefined) request.end();
    else await sendBody(request, upload, deadline);
    return await answered;
  }

  #parsed(command: string, line: string): unknown {
    try {
      return JSON.parse(line);
    } catch {
      throw badAnswer(this.#call(command), "answers with something that is not JSON");
    }
  }

  #call(command: string): { rpc: string; command: string } {
    return { rpc: this.#options.rpc, command };
  }
}

class StaleConnection extends Error {}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of typeof value === "object" ? value : [value]) search.append(name, String(each));
  }
  return search.toString();
}

/** The beginning of an error's text. */
async function startOf(response: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of response as AsyncIterable<Buffer>) {
    text += piece.toString("utf8");
    if (text.length > MOST_ERROR_BYTES) break;
  }
  return text;
}

/** Of a socket, of TLS or of the HTTP parser. */
function isNetworkError(error: unknown): boolean {
  return error instanceof Error && !(error instanceof ChartsealError) && "code" in error;
}
