// SPDX-License-Identifier: Apache-2.0
import { FetchRequest, JsonRpcProvider, Network, isHexString, makeError, type GetUrlResponse } from "ethers";

/** Milliseconds until a call to the node counts as unanswered. */
const CALL_TIMEOUT_MS = 30_000;

/** Questions in one HTTP call of a bulk provider: nodes take from 100 (some gateways) to 1,024 (Besu). */
const BULK_QUESTIONS = 50;

/**
 * A provider for `url` that asks nobody else and gives up after `timeoutMs`. With `bulk` it puts questions of the same
 * moment into one HTTP call, which takes a third of the time; then one bad answer fails them all.
 */
export function openProvider(
  url: string,
  chainId: number,
  timeoutMs = CALL_TIMEOUT_MS,
  bulk = false,
): JsonRpcProvider {
  const { address, authorization } = withoutCredentials(url);
  const request = new FetchRequest(address);
  if (authorization !== undefined) request.setHeader("authorization", authorization);
  request.setThrottleParams({ maxAttempts: 1 });
  request.getUrlFunc = (call) => post(call, timeoutMs);
  return new NodeProvider(request, undefined, {
    staticNetwork: Network.from(chainId),
    batchMaxCount: bulk ? BULK_QUESTIONS : 1,
    batchStallTime: 1,
    // Without it ethers answers repeated calls from memory for 250 ms: stale after our own transaction.
    cacheTimeout: -1,
  });
}

class NodeProvider extends JsonRpcProvider {
  override async send(method: string, params: unknown[] | Record<string, unknown>): Promise<unknown> {
    const answer: unknown = await super.send(method, params as unknown[]);
    // ethers would blame the caller's arguments.
    if (method === "eth_call" && !isHexString(answer)) {
      throw makeError("the node's answer to eth_call is no hex", "BAD_DATA", { value: answer });
    }
    return answer;
  }
}

/**
 * One HTTP call with a deadline over the whole of it. The transport that ethers brings counts only silence, so that
 * a node which drips bytes would hold us for ever, and it follows redirects to any host.
 */
async function post(call: FetchRequest, timeoutMs: number): Promise<GetUrlResponse> {
  const response = await fetch(call.url, {
    method: call.method,
    headers: call.headers,
    body: call.body === null ? null : new Uint8Array(call.body),
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  return {
    statusCode: response.status,
    statusMessage: response.statusText,
    headers: Object.fromEntries(response.headers),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** fetch takes no URL with a name and password in it. */
function withoutCredentials(url: string): { address: string; authorization?: string } {
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === "" && password === "") return { address: url };
  parsed.username = "";
  parsed.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address: parsed.href, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}
