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
        const call = JSON.parse(await bodyOf(request)) as RpcRequest;
        const answer = await proxy.intercept(call);
        if (answer === "drop") return request.socket.destroy();
        if (answer === undefined || answer === "lose" || "alter" in answer) {
          const headers = { "content-type": "application/json" };
          const forwarded = await fetch(node, { method: "POST", headers, body: JSON.stringify(call) });
          const text = await forwarded.text();
          if (answer === "lose") return request.socket.destroy();
          return response.end(answer === undefined ? text : await altered(text, answer.alter));
        }
        if ("text" in answer) return response.writeHead(answer.status ?? 200).end(answer.text);
        return response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...answer }));
      })();
    });
    return proxy;
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

/** An error stays as it is. */
async function altered(text: string, alter: (result: unknown) => unknown): Promise<string> {
  const answer = JSON.parse(text) as { result?: unknown };
  return JSON.stringify("result" in answer ? { ...answer, result: await alter(answer.result) } : answer);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat((await Array.fromAsync(request)) as Buffer[]).toString("utf8");
}
