// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CHAIN_PORT = 8545;
export const CHAIN_URL = `http://127.0.0.1:${CHAIN_PORT}`;
const ANVIL = fileURLToPath(new URL("../../node_modules/.bin/anvil", import.meta.url));
const STARTS_WITHIN_MS = 30_000;

/** Starts the demo's chain from `state`, a file that it is saved to when it ends. */
export async function startChain(state: string): Promise<ChildProcess> {
  // By itself anvil keeps old states in the home folder, and leaves gigabytes there when it is killed.
  const kept = ["--state", state, "--cache-path", `${state}.cache`];
  const options = [...kept, "--base-fee", "0", "--gas-price", "0", "--hardfork", "cancun", "--silent"];
  const chain = spawn(ANVIL, ["--port", String(CHAIN_PORT), ...options], { stdio: ["ignore", "inherit", "inherit"] });
  const giveUp = performance.now() + STARTS_WITHIN_MS;
  while (!(await answers())) {
    if (chain.exitCode !== null) throw new Error(`the chain did not start: is port ${CHAIN_PORT} taken?`);
    if (performance.now() > giveUp) throw new Error("the chain did not answer within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return chain;
}

/** Ends it; its state is then in the file. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGINT");
  await once(child, "exit");
}

/** One JSON-RPC call to the chain's node. @throws when it does not answer */
export async function askNode<T>(method: string, params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const request = { method: "POST", body, headers: { "content-type": "application/json" } };
  return ((await (await fetch(CHAIN_URL, request)).json()) as { result: T }).result;
}

async function answers(): Promise<boolean> {
  return await askNode("eth_chainId", []).then(
    () => true,
    () => false,
  );
}
