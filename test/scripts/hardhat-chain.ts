// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** `hardhat node` in a process of its own: the network "node" of hardhat.config.ts, which takes no fee. */
export async function startHardhat(): Promise<{ url: string } & AsyncDisposable> {
  const port = await freePort();
  const folder = join(createRequire(import.meta.url).resolve("hardhat/package.json"), "..");
  const argv = [join(folder, "dist/src/cli.js"), "node", "--network", "node", "--port", String(port)];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2_000)));
  const closed = once(child, "close");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const stop = async () => {
    process.removeListener("exit", kill);
    kill();
    await closed;
  };
  const url = `http://127.0.0.1:${port}`;
  const giveUp = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > giveUp) {
      await stop();
      throw new Error(`hardhat node does not answer: ${words}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { url, [Symbol.asyncDispose]: stop };
}

async function answers(url: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  return await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body }).then(
    ({ ok }) => ok,
    () => false,
  );
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
