// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HDNodeWallet, Mnemonic } from "ethers";
import type { Hex } from "../../src/crypto/index.js";

/** Anvil's and Hardhat's public development mnemonic. Its keys are worth nothing; gas costs nothing here. */
const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";
const KEY_COUNT = 20;
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
/** Another process may take the free port before anvil does. */
const PORT_TRIES = 3;

/** A chain of one's own: anvil in its own process, zero fees, a block for each transaction. */
export interface LocalChain extends AsyncDisposable {
  readonly url: string;
  /** 20 private keys, the same for every chain. */
  readonly keys: readonly Hex[];
  /** A raw JSON-RPC call, such as anvil_mine. */
  readonly rpc: <T = unknown>(method: string, params?: readonly unknown[]) => Promise<T>;
  /** Ends its process; the chain is kept. */
  readonly down: () => Promise<void>;
  /** Starts it again at the same address, with the same blocks, or with those of an earlier state. */
  readonly up: (earlier?: ChainState) => Promise<void>;
  /** All its blocks and accounts as they are now. */
  readonly state: () => Promise<ChainState>;
}

/** In anvil's own form. */
export type ChainState = string;

export interface LocalChainOptions {
  /** Default: 31337. */
  chainId?: number;
  /** Unix seconds at which it begins. Default: now. */
  timestamp?: number;
}

/**
 * Starts a chain and waits until it answers. Use `await using`, or call `[Symbol.asyncDispose]` in `after`.
 * @throws Error with anvil's own words when it does not start
 */
export async function startChain(options: LocalChainOptions = {}): Promise<LocalChain> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const { chainId = 31_337, timestamp } = options;
    let anvil = launch(port, chainId, timestamp === undefined ? [] : ["--timestamp", String(timestamp)]);
    const url = `http://127.0.0.1:${port}`;
    const dump = () => call<ChainState>(url, "anvil_dumpState", []);
    let last: ChainState;
    try {
      await answering(url, anvil);
      return {
        url,
        keys: developmentKeys(),
        rpc: (method, params = []) => call(url, method, params),
        down: async () => {
          last = await dump();
          await anvil.stop();
        },
        up: async (earlier = last) => {
          anvil = launch(port, chainId);
          await answering(url, anvil);
          await call(url, "anvil_loadState", [earlier]);
        },
        state: dump,
        [Symbol.asyncDispose]: () => anvil.stop(),
      };
    } catch (error) {
      await anvil.stop();
      const portTaken = /address already in use/i.test(anvil.words());
      if (!portTaken || tries === PORT_TRIES) throw error;
    }
  }
}

interface Anvil {
  child: ChildProcess;
  words: () => string;
  stop: () => Promise<void>;
}

function launch(port: number, chainId: number, more: readonly string[] = []): Anvil {
  const launcher = join(
    createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json"),
    "../bin.mjs",
  );
  const flags = ["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(chainId)];
  const rules = ["--base-fee", "0", "--gas-price", "0", "--hardfork", "cancun", "--silent"];
  // By itself anvil keeps old states in the home folder, and leaves gigabytes there when it is killed.
  const states = mkdtempSync(join(tmpdir(), "chartseal-states-"));
  const child = spawn(process.execPath, [launcher, ...flags, ...rules, ...more, "--cache-path", states], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000);
    });
  }
  const closed = once(child, "close");
  const kill = () => {
    child.kill("SIGTERM"); // the launcher hands it on to anvil; SIGKILL would orphan it
    rmSync(states, { recursive: true, force: true });
  };
  process.once("exit", kill);
  const stop = async () => {
    process.removeListener("exit", kill);
    kill();
    await closed;
    rmSync(states, { recursive: true, force: true });
  };
  return { child, words: () => words.trim(), stop };
}

async function answering(url: string, anvil: Anvil): Promise<void> {
  const giveUp = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUp) {
    const { exitCode, signalCode } = anvil.child;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`anvil ended with ${signalCode ?? exitCode}: ${anvil.words()}`);
    }
    try {
      await call(url, "eth_chainId", []);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  throw new Error(`anvil does not answer at ${url} after ${START_TIMEOUT_MS / 1000} s: ${anvil.words()}`);
}

async function call<T>(url: string, method: string, params: readonly unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body });
  const answer = (await response.json()) as { result: T; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function developmentKeys(): Hex[] {
  const mnemonic = Mnemonic.fromPhrase(DEVELOPMENT_MNEMONIC);
  const root = HDNodeWallet.fromMnemonic(mnemonic, "m/44'/60'/0'/0");
  return Array.from({ length: KEY_COUNT }, (_, index) => root.deriveChild(index).privateKey as Hex);
}
