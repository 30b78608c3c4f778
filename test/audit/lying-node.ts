// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

/** A log as JSON-RPC gives it. */
export interface RawLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: string;
  logIndex: string;
}

/** What a node makes of the logs that it should give. */
export type Lie = (logs: RawLog[]) => RawLog[];

export interface LyingNode extends AsyncDisposable {
  readonly url: string;
  /** Blocks that each eth_getLogs spanned. */
  readonly spans: number[];
  /** Set to lie; the truth to begin with. */
  lie: Lie;
  /** Set to answer eth_call at blocks before this one with an error, as a node without old states does. */
  statesFrom: number;
}

/** Besu's limit. */
const MOST_BLOCKS = 5_000;

interface Request {
  id: number;
  method: string;
  params: [{ fromBlock: string; toBlock: string }, string];
}

/** A node that answers like `url` but for its lies. Like Besu, it refuses eth_getLogs over 5,000 blocks. */
export async function startLyingNode(url: string): Promise<LyingNode> {
  const server = createServer((incoming, outgoing) => {
    void answer(incoming).then((body) => {
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(body);
    });
  });
  const node: LyingNode = {
    url: "",
    spans: [],
    lie: (logs) => logs,
    statesFrom: 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  const answer = async (incoming: IncomingMessage): Promise<string> => {
    const text = Buffer.concat(await Array.fromAsync(incoming)).toString();
    const request = JSON.parse(text) as Request;
    const refused = refusal(request, node);
    if (refused !== undefined) {
      return JSON.stringify({ jsonrpc: "2.0", id: request.id, error: { code: -32_000, message: refused } });
    }
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    if (request.method !== "eth_getLogs") return await response.text();
    const reply = (await response.json()) as { result: RawLog[] };
    return JSON.stringify({ ...reply, result: node.lie(reply.result) });
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(node, { url: `http://127.0.0.1:${(server.address() as { port: number }).port}` });
}

function refusal({ method, params }: Request, node: LyingNode): string | undefined {
  if (method === "eth_call" && Number(params[1]) < node.statesFrom) return "World state unavailable";
  if (method !== "eth_getLogs") return undefined;
  const span = Number(params[0].toBlock) - Number(params[0].fromBlock) + 1;
  node.spans.push(span);
  return span > MOST_BLOCKS ? "Requested range exceeds maximum RPC range limit" : undefined;
}
