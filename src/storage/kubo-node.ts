// SPDX-License-Identifier: Apache-2.0
import type { ChartsealError } from "../errors.js";
import { badAnswer, reasonOf, said, saysMissing, saysUnpinned } from "./kubo-errors.js";
import { KuboRpc, type KuboRpcOptions } from "./kubo-rpc.js";
import type { Upload } from "./kubo-upload.js";
import { UNIXFS_V1_2025 } from "./unixfs-dag.js";

/** Room for the answer about one block or one body. */
const MOST_ANSWER_BYTES = 16 * 1024;
/** Room for the answer about one of many bodies. */
const MOST_ANSWER_BYTES_EACH = 512;
const MOST_SETTINGS_BYTES = 1_048_576;

/** The profile in Kubo's words; all of it, for a node's own `Import` settings may differ. */
const PROFILE = {
  "cid-version": 1,
  hash: "sha2-256",
  "raw-leaves": true,
  chunker: `size-${UNIXFS_V1_2025.chunkSize}`,
  "max-file-links": UNIXFS_V1_2025.maxLinks,
  trickle: false,
  inline: false,
};
/** Nothing is announced: in a private swarm, nodes ask the peers they are connected to. */
const UNANNOUNCED = { offline: true, "fast-provide-root": false, "fast-provide-dag": false };

/** What the store asks of a Kubo node, each an RPC call or a few. Errors as {@link KuboRpc}. */
export class KuboNode implements AsyncDisposable {
  readonly #rpc: KuboRpc;
  readonly #address: string;

  constructor(options: KuboRpcOptions) {
    this.#rpc = new KuboRpc(options);
    this.#address = options.rpc;
  }

  /** Stores a body that streams, and pins it. Answers with the CID that the node found. */
  async add(upload: Upload, signal?: AbortSignal): Promise<string> {
    const query = { ...PROFILE, ...UNANNOUNCED, pin: true, progress: false };
    const [added] = await this.#rpc.lines("add", query, MOST_ANSWER_BYTES, { upload, signal });
    const cid = (added as { Hash?: unknown } | undefined)?.Hash;
    if (typeof cid !== "string") throw badAnswer(this.#call("add"), "answers without a CID");
    return cid;
  }

  /** Stores the blocks of a CAR file and pins its roots. Answers with the roots that are pinned. */
  async import(upload: Upload, roots: number): Promise<Set<string>> {
    const most = MOST_ANSWER_BYTES + roots * MOST_ANSWER_BYTES_EACH;
    const query = { ...UNANNOUNCED, "pin-roots": true };
    const pinned = new Set<string>();
    for (const line of await this.#rpc.lines("dag/import", query, most, { upload })) {
      const { Root } = line as { Root?: { Cid?: { "/"?: unknown }; PinErrorMsg?: unknown } };
      const { Cid, PinErrorMsg } = Root ?? {};
      if (typeof PinErrorMsg === "string" && PinErrorMsg !== "")
        throw said(this.#call("dag/import"), PinErrorMsg);
      if (typeof Cid?.["/"] === "string") pinned.add(Cid["/"]);
    }
    return pinned;
  }

  /**
   * A block's bytes, unchecked; undefined when the node does not have it.
   * @param offline false: asks the node's peers for it too, until the deadline
   */
  async block(cid: string, offline: boolean): Promise<Uint8Array | undefined> {
    return await this.#unlessMissing(() =>
      this.#rpc.bytes("block/get", { arg: cid, offline }, UNIXFS_V1_2025.chunkSize),
    );
  }

  /** A block's length, unchecked; undefined when the node does not have it. */
  async blockSize(cid: string): Promise<number | undefined> {
    const query = { arg: cid, offline: true };
    const lines = await this.#unlessMissing(() => this.#rpc.lines("block/stat", query, MOST_ANSWER_BYTES));
    if (lines === undefined) return undefined;
    const size = (lines[0] as { Size?: unknown } | undefined)?.Size;
    if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
    throw badAnswer(this.#call("block/stat"), "answers without a size");
  }

  /** Whether the node keeps the body of this CID. */
  async isPinned(cid: string): Promise<boolean> {
    let lines: unknown[];
    try {
      const query = { arg: cid, type: "recursive", offline: true };
      lines = await this.#rpc.lines("pin/ls", query, MOST_ANSWER_BYTES);
    } catch (error) {
      if (saysUnpinned(error)) return false;
      throw error;
    }
    const { Keys } = (lines[0] ?? {}) as { Keys?: Record<string, unknown> };
    if (Keys !== undefined && Object.hasOwn(Keys, cid)) return true;
    throw badAnswer(this.#call("pin/ls"), "answers about another body than it was asked for");
  }

  /** The CIDs of all bodies the node keeps, and of whatever else is pinned there. */
  async *pins(): AsyncGenerator<string> {
    const query = { type: "recursive", quiet: true, stream: true, offline: true };
    for await (const line of this.#rpc.stream("pin/ls", query)) {
      const { Cid } = line as { Cid?: unknown };
      if (typeof Cid === "string") yield Cid;
    }
  }

  /** From now on the node need not keep the body. Of one that it does not keep, nothing. */
  async unpin(cid: string): Promise<void> {
    try {
      await this.#rpc.lines("pin/rm", { arg: cid, recursive: true, offline: true }, MOST_ANSWER_BYTES);
    } catch (error) {
      if (!saysUnpinned(error)) throw error;
    }
  }

  /** Removes a block; one that a pinned body holds stays, and of one that is not there, nothing. */
  async removeBlock(cid: string): Promise<void> {
    const query = { arg: cid, force: true, offline: true };
    const lines = await this.#rpc.lines("block/rm", query, MOST_ANSWER_BYTES, { wholeRepository: true });
    const { Error: failure } = (lines[0] ?? {}) as { Error?: unknown };
    // "pinned: recursive", "pinned via bafy..."
    if (typeof failure === "string" && failure !== "" && !/^pinned/i.test(failure))
      throw said(this.#call("block/rm"), failure);
  }

  /** Removes every block that nothing pins. Waits for uploads that run, and they for it. */
  async collectGarbage(): Promise<void> {
    await this.#rpc.lines("repo/gc", { silent: true }, MOST_ANSWER_BYTES, { wholeRepository: true });
  }

  /** The node's version, such as 0.42.0. */
  async version(): Promise<string> {
    const [answer] = await this.#rpc.lines("version", {}, MOST_ANSWER_BYTES);
    const { Version } = (answer ?? {}) as { Version?: unknown };
    if (typeof Version === "string" && /^\d+\.\d+\.\d+/.test(Version)) return Version;
    throw badAnswer(this.#call("version"), "answers without a version");
  }

  /** The node's settings; Kubo leaves its own private key and other secrets out. */
  async settings(): Promise<unknown> {
    const text = await this.#rpc.bytes("config/show", {}, MOST_SETTINGS_BYTES);
    try {
      return JSON.parse(text.toString("utf8"));
    } catch {
      throw badAnswer(this.#call("config/show"), "answers with something that is not JSON");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rpc[Symbol.asyncDispose]();
  }

  async #unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (saysMissing(error)) return undefined;
      throw error;
    }
  }

  #call(command: string): { rpc: string; command: string } {
    return { rpc: this.#address, command };
  }
}

/** Whether the node itself found that a block differs from its name (`Datastore.HashOnRead`). */
export function saysDamaged(error: unknown): error is ChartsealError {
  return /different hash/i.test(reasonOf(error));
}
