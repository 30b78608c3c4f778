// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, type KuboRPCClient } from "kubo-rpc-client";
import { base32upper } from "multiformats/bases/base32";
import { CID } from "multiformats/cid";
import { openKuboStore, type KuboStoreOptions } from "../../src/storage/kubo.js";
import type { BlobStore } from "../../src/storage/index.js";

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
/** What the tests look with where a node wants a token: it may do everything. */
const TESTER = "tester";

const script = (name: string) => fileURLToPath(new URL(`../../network/kubo/${name}`, import.meta.url));

let built: string | undefined;

/** The pinned Kubo; `npm run test:kubo` built it. */
function kuboBinary(): string {
  built ??= execFileSync(script("build"), { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  return built;
}

/** A key for a swarm of one's own. */
export function makeSwarmKey(folder: string): string {
  const file = join(folder, "swarm.key");
  execFileSync(script("make-swarm-key"), [file]);
  return file;
}

export interface LocalKuboOptions {
  /** Default: one that no other node has. */
  swarmKey?: string;
  /** Whether its RPC wants a token. */
  token?: boolean;
  /** A command that runs the node, with its own arguments before. */
  wrapper?: readonly string[];
  /** Where its folder is made. Default: the system's temporary folder. */
  folder?: string;
}

/** A real Kubo node, set up and started as network/kubo does it, but on any free ports of 127.0.0.1. */
export class LocalKubo implements AsyncDisposable {
  /** Its repository. */
  readonly repo: string;
  readonly tokenFile: string | undefined;
  rpc = "";
  readonly #folder: string;
  readonly #wrapper: readonly string[];
  #child: ChildProcess | undefined;
  #kill = (): void => {};
  #words = "";

  private constructor(folder: string, { token, wrapper = [] }: LocalKuboOptions) {
    this.#folder = folder;
    this.#wrapper = wrapper;
    this.repo = join(folder, "ipfs");
    this.tokenFile = token === true ? join(folder, "kubo.token") : undefined;
  }

  /** Use `await using`, or call `[Symbol.asyncDispose]` in `after`. */
  static async start(options: LocalKuboOptions = {}): Promise<LocalKubo> {
    const folder = mkdtempSync(join(options.folder ?? tmpdir(), "chartseal-kubo-"));
    const node = new LocalKubo(folder, options);
    const swarmKey = options.swarmKey ?? makeSwarmKey(folder);
    const ports = ["--port", "0", "--rpc", "0"];
    const token = node.tokenFile === undefined ? [] : ["--token-file", node.tokenFile];
    const args = ["--repo", node.repo, "--swarm-key", swarmKey, ...ports, ...token];
    execFileSync(script("init"), args, { env: { ...process.env, IPFS: kuboBinary() }, stdio: "pipe" });
    if (node.tokenFile !== undefined) node.#allow(TESTER);
    await node.up();
    return node;
  }

  /** Starts the node, again too: on another port then. */
  async up(): Promise<void> {
    const api = join(this.repo, "api");
    if (existsSync(api)) unlinkSync(api);
    const [command, ...args] = [...this.#wrapper, script("start"), this.repo];
    const child = spawn(command, args, {
      env: { ...process.env, IPFS: kuboBinary() },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.#words = (this.#words + chunk.toString()).slice(-4_000)));
    this.#child = child;
    this.#kill = () => void child.kill("SIGKILL");
    process.once("exit", this.#kill);
    const giveUp = performance.now() + START_TIMEOUT_MS;
    while (!this.#words.includes("Daemon is ready") || !existsSync(api)) {
      if (child.exitCode !== null || performance.now() > giveUp) throw new Error(`Kubo: ${this.#words}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const [, , address, , port] = readFileSync(api, "utf8").split("/");
    this.rpc = `http://${address}:${port}`;
  }

  /** Ends the node; its repository stays. SIGKILL: as a crash does. */
  async down(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    process.removeListener("exit", this.#kill);
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
    this.#words = "";
  }

  /** Stops answering, as a node does whose disk hangs; `false`: goes on. */
  pause(paused = true): void {
    this.#child?.kill(paused ? "SIGSTOP" : "SIGCONT");
  }

  /** A store at this node. */
  async store(options: Partial<KuboStoreOptions> = {}): Promise<BlobStore> {
    const token = this.tokenFile === undefined ? {} : { tokenFile: this.tokenFile };
    return await openKuboStore({ rpc: this.rpc, ...token, ...options });
  }

  /** Somebody else's client of the node. */
  client(): KuboRPCClient {
    return create({ url: this.rpc, headers: { authorization: `Bearer ${TESTER}` } });
  }

  /** Connects the swarms of two nodes. */
  async connect(other: LocalKubo): Promise<void> {
    const { addresses } = await other.client().id();
    await this.client().swarm.connect(addresses[0]!);
  }

  /** Removes from the disk what is not pinned. */
  async collectGarbage(): Promise<void> {
    for await (const result of this.client().repo.gc()) if ("err" in result && result.err) throw result.err;
  }

  /** The file in which the node keeps a block (flatfs, next-to-last/2). */
  fileOf(cid: string): string {
    const name = base32upper.baseEncode(CID.parse(cid).multihash.bytes);
    return join(this.repo, "blocks", name.slice(-3, -1), `${name}.data`);
  }

  /** Another token, with which every call is allowed. */
  #allow(token: string): void {
    const file = join(this.repo, "config");
    const config = JSON.parse(readFileSync(file, "utf8")) as { API: { Authorizations: object } };
    const tester = { AuthSecret: `bearer:${token}`, AllowedPaths: ["/api/v0"] };
    config.API.Authorizations = { ...config.API.Authorizations, tester };
    writeFileSync(file, JSON.stringify(config));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
