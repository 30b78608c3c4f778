// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcRequest {
  id: number;
  jsonrpc: "2.0";
  method: string;
  params: unknown[];
}

/**
 * What the node answers instead; "drop" closes the connection, "lose" hands the call on and drops the answer, `alter`
 * changes the true result (it may be awaited), `text` is the whole body, whatever it is.
 */
export type Answer =
  | { result: unknown }
  | { error: { code: number; message: string } }
  | { alter: (result: unknown) => unknown }
  | { text: string; status?: number }
  | "drop"
  | "lose"
  | undefined;

/** "drop" and a text are of the whole HTTP call, which may hold several. */
type Reply =
  | { jsonrpc?: string; id?: number; result?: unknown; error?: unknown }
  | { text: string; status?: number }
  | "drop";

/** Stands between a hospital and its node: a node that is down, behind, lies or loses answers. */
export class RpcProxy implements AsyncDisposable {
  readonly url: string;
  /** Called for each request; undefined hands it on. */
  intercept: (request: RpcRequest) => Answer | Promise<Answer> = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async before(node: string): Promise<RpcProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new RpcProxy(server);
    server.on("request", (request, response) => {
      void (async () => {
        const call = JSON.parse(await bodyOf(request)) as RpcRequest | RpcRequest[];
        const calls = Array.isArray(call) ? call : [call];
        const replies = await Promise.all(calls.map(async (one) => await proxy.#reply(node, one)));
        const whole = replies.find((reply) => reply === "drop" || "text" in reply);
        if (whole === "drop") return request.socket.destroy();
        if (whole !== undefined && "text" in whole)
          return response.writeHead(whole.status ?? 200).end(whole.text);
        return response.end(JSON.stringify(Array.isArray(call) ? replies : replies[0]));
      })();
    });
    return proxy;
  }

  /** What one call gets: an answer, or what becomes of the whole HTTP call. */
  async #reply(node: string, call: RpcRequest): Promise<Reply> {
    const answer = await this.intercept(call);
    if (answer === "drop") return "drop";
    if (answer !== undefined && answer !== "lose" && !("alter" in answer))
      return "text" in answer ? answer : { jsonrpc: "2.0", id: call.id, ...answer };
    const headers = { "content-type": "application/json" };
    const forwarded = await fetch(node, { method: "POST", headers, body: JSON.stringify(call) });
    const reply = (await forwarded.json()) as { result?: unknown };
    if (answer === "lose") return "drop";
    if (answer === undefined || !("result" in reply)) return reply; // an error stays as it is
    return { ...reply, result: await answer.alter(reply.result) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** The request as a node would answer it whose newest block is `block`. */
export function atBlock(request: RpcRequest, block: string): Answer {
  const { method, params } = request;
  if (method === "eth_blockNumber") return { result: block };
  const tag = params.at(-1);
  if (method === "eth_call" || method === "eth_getTransactionCount") {
    if (tag === "latest" || tag === undefined) params[params.length - 1] = block;
    else if (BigInt(tag as string) > BigInt(block))
      return { error: { code: -32_000, message: "header not found" } };
  }
  if (method === "eth_getTransactionReceipt") return { result: null };
  return undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat((await Array.fromAsync(request)) as Buffer[]).toString("utf8");
}
