// SPDX-License-Identifier: Apache-2.0
import { code as rawCode } from "multiformats/codecs/raw";
import { ChartsealError } from "../errors.js";
import type { BlobStore, ByteRange, PutOptions, Stored, Verification } from "./blob-store.js";
import { blocksOf } from "./body-blocks.js";
import { CidBuilder, cidOfBytes, parseCid, type BuiltCid, type ParsedCid } from "./cid.js";
import { INLINE_MAX } from "./embedded.js";
import { carOf } from "./kubo-car.js";
import { KuboNode, saysDamaged } from "./kubo-node.js";
import { folderAround, readTree, type BodyTree } from "./kubo-tree.js";
import { asForm } from "./kubo-upload.js";
import { blockTampered, bodyMissing, bodyTampered } from "./store-errors.js";
import { storeSchema } from "./store-config.js";
import { readToken } from "./token-file.js";
import { cidOf, DIGEST_BYTES } from "./unixfs-dag.js";
import { verificationOf, verifiedBlocks, verifiedBytes } from "./verified-read.js";

const DEFAULT_TIMEOUT_MS = 60_000;
/** Bodies whose sizes are asked for at once. */
const ASKED_AT_ONCE = 16;

export interface KuboStoreOptions {
  /** Where the node's RPC answers, such as http://127.0.0.1:5001; plain http only to this machine. */
  rpc: string;
  /** File with the bearer token that the node's `API.Authorizations` names; only its owner may read it. */
  tokenFile?: string;
  /**
   * Milliseconds that the node may keep a call waiting; a body that streams may take longer as a whole. Default
   * 60,000.
   */
  timeoutMs?: number;
  /**
   * Whether `get` asks the node's peers for a body that the node does not have, and keeps them waiting as long.
   * What comes so is not pinned: the node's next garbage collection removes it. Default false.
   */
  fromPeers?: boolean;
  /** Only reads. Default false. */
  readOnly?: boolean;
}

/**
 * A store at an IPFS Kubo node. Every body is pinned there; a put is durable once it returns if the node's
 * `Datastore.Spec` says `"sync": true` (network/kubo sets that up, `chartseal doctor` looks). The node is first asked
 * when it is needed. Besides what {@link BlobStore} says, calls throw ERR_CONFIG_INVALID when the token does not do, and
 * ERR_STORE_FAILED, retryable, when the node is down.
 *
 * A `putMany` that fails half way may leave some of the bodies behind, whole and harmless. What a `put` sent that failed
 * or was aborted stays until the node collects garbage: Kubo writes on for a moment after the call has ended.
 * @throws ERR_CONFIG_INVALID when the address or the token file will not do
 *
 * @example
 * await using store = await openKuboStore({ rpc: "http://127.0.0.1:5001", tokenFile: "kubo.token" });
 * const { cid } = await store.put(createReadStream("scan.sealed"));
 */
export async function openKuboStore(options: KuboStoreOptions): Promise<BlobStore> {
  const { rpc, fromPeers = false, readOnly = false } = options;
  return new KuboStore(await openKubo(options), rpc, { fromPeers, readOnly });
}

/** The node behind a store. @throws ERR_CONFIG_INVALID as {@link openKuboStore} */
export async function openKubo({
  rpc,
  tokenFile,
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: Pick<KuboStoreOptions, "rpc" | "tokenFile" | "timeoutMs">): Promise<KuboNode> {
  const [issue] = storeSchema.safeParse({ kubo: { rpc } }).error?.issues ?? [];
  if (issue !== undefined) {
    // Without the address: it may hold a password.
    throw new ChartsealError("ERR_CONFIG_INVALID", `the address of the IPFS node: ${issue.message}`, {
      hint: "give https, or http to this machine such as http://127.0.0.1:5001",
    });
  }
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  return new KuboNode({ rpc, token, timeoutMs });
}

class KuboStore implements BlobStore {
  readonly #node: KuboNode;
  readonly #rpc: string;
  readonly #fromPeers: boolean;
  readonly #readOnly: boolean;

  constructor(
    node: KuboNode,
    rpc: string,
    { fromPeers, readOnly }: { fromPeers: boolean; readOnly: boolean },
  ) {
    this.#node = node;
    this.#rpc = rpc;
    this.#fromPeers = fromPeers;
    this.#readOnly = readOnly;
  }

  async put(body: AsyncIterable<Uint8Array> | Uint8Array, { signal }: PutOptions = {}): Promise<Stored> {
    this.#checkWritable();
    signal?.throwIfAborted();
    if (body instanceof Uint8Array) {
      const [stored] = await this.putMany([body]);
      return stored!;
    }
    const builder = new CidBuilder();
    const upload = asForm((gone) => {
      const signals = signal === undefined ? [gone] : [signal, gone];
      return hashed(blocksOf(body, AbortSignal.any(signals)), builder);
    });
    const found = await this.#node.add(upload, signal);
    const built = builder.finish();
    if (found !== built.cid) throw this.#lied(built.cid, found);
    return storedOf(built);
  }

  async putMany(bodies: Uint8Array[]): Promise<Stored[]> {
    this.#checkWritable();
    if (bodies.length === 0) return [];
    // The caller may use its buffers again before the node has them; what was hashed before would not fit.
    const taken = bodies.map((body) => (body.length <= INLINE_MAX ? Buffer.from(body) : body));
    const built = taken.map((body) => cidOfBytes(body));
    const roots = [...new Set(built.map(({ cid }) => cid))];
    const upload = asForm(() => carOf(roots, taken, built));
    const pinned = await this.#node.import(upload, roots.length);
    const lacking = roots.find((cid) => !pinned.has(cid));
    if (lacking !== undefined) throw this.#lied(lacking, "nothing");
    return built.map(storedOf);
  }

  get(cid: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.#read(parseCid(cid), this.#fromPeers, range);
  }

  async has(cid: string): Promise<boolean> {
    parseCid(cid);
    return (await this.#node.isPinned(cid)) && (await this.#node.blockSize(cid)) !== undefined;
  }

  /**
   * Unpins a body and removes its blocks from the node's disk, those apart that another pinned body shares. For a body
   * of several blocks the node collects all its garbage: what else nothing pins goes too.
   */
  async delete(cid: string): Promise<void> {
    this.#checkWritable();
    const { isRaw } = parseCid(cid);
    await this.#node.unpin(cid);
    // A streamed body has a folder that Kubo's `add` left around it: it names the body.
    const size = isRaw ? await this.#node.blockSize(cid) : undefined;
    const folder = size === undefined ? undefined : folderAround(cid, size);
    if (!isRaw || (folder !== undefined && (await this.#node.blockSize(folder)) !== undefined))
      await this.#node.collectGarbage();
    else await this.#node.removeBlock(cid);
  }

  async verify(cid: string): Promise<Verification> {
    return await verificationOf(this.#read(parseCid(cid), false));
  }

  async *list(): AsyncGenerator<{ cid: string; size: number }> {
    const cids: string[] = [];
    for await (const cid of this.#node.pins()) if (isOurs(cid)) cids.push(cid);
    cids.sort();
    for (let i = 0; i < cids.length; i += ASKED_AT_ONCE) {
      const page = cids.slice(i, i + ASKED_AT_ONCE);
      const sizes = await Promise.all(page.map((cid) => this.#sizeOf(parseCid(cid))));
      // What has no size is no body: a folder of the node's own, or a root that is not there.
      for (const [at, size] of sizes.entries()) if (size !== undefined) yield { cid: page[at]!, size };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
  }

  async *#read(parsed: ParsedCid, fromPeers: boolean, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const { cid, isRaw } = parsed;
    if (isRaw) {
      const bytes = await this.#block(parsed, cid, fromPeers);
      const wanted = verifiedBytes(parsed, bytes, range);
      if (wanted.length > 0) yield wanted;
      return;
    }
    const { size, digests } = await readTree(cid, (name) => this.#block(parsed, name, fromPeers));
    const read = async (index: number) =>
      await this.#block(parsed, leafOf(digests, index), fromPeers, { index, size });
    yield* verifiedBlocks({ cid, size, digests, read }, range);
  }

  /** A block of a body, unchecked. @param leaf which one it is, if it is one of several */
  async #block(
    { cid }: ParsedCid,
    name: string,
    fromPeers: boolean,
    leaf?: { index: number; size: number },
  ): Promise<Uint8Array> {
    let block: Uint8Array | undefined;
    try {
      block = (await this.#node.block(name, true)) ?? (await this.#fromThePeers(name, fromPeers));
    } catch (error) {
      if (!saysDamaged(error)) throw error;
      throw leaf === undefined
        ? bodyTampered(cid, `the block ${name} differs from what was stored, in the tree`)
        : blockTampered(cid, leaf.index, leaf.size);
    }
    if (block !== undefined) return block;
    throw bodyMissing(cid, leaf === undefined && name === cid ? undefined : name);
  }

  async #fromThePeers(name: string, fromPeers: boolean): Promise<Uint8Array | undefined> {
    if (!fromPeers) return undefined;
    try {
      return await this.#node.block(name, false);
    } catch (error) {
      // The node itself answered a moment ago: it is the peers who do not have it.
      if (error instanceof ChartsealError && error.code === "ERR_TIMEOUT") return undefined;
      throw error;
    }
  }

  async #sizeOf(parsed: ParsedCid): Promise<number | undefined> {
    if (parsed.isRaw) return await this.#node.blockSize(parsed.cid);
    return (await this.#treeOf(parsed))?.size;
  }

  /** A body's tree at this node; undefined if an inner block is gone or damaged. */
  async #treeOf(parsed: ParsedCid): Promise<BodyTree | undefined> {
    try {
      return await readTree(parsed.cid, (name) => this.#block(parsed, name, false));
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      if (error.code !== "ERR_BODY_MISSING" && error.code !== "ERR_BODY_TAMPERED") throw error;
      return undefined;
    }
  }

  #lied(cid: string, found: string): ChartsealError {
    return new ChartsealError(
      "ERR_STORE_FAILED",
      `the IPFS node at ${this.#rpc} was given ${cid} and says it stored ${found.slice(0, 80)}`,
      {
        values: { rpc: this.#rpc, cid },
        hint: "do not use this node: it stores something else, or does not do what it says",
      },
    );
  }

  #checkWritable(): void {
    if (!this.#readOnly) return;
    throw new ChartsealError("ERR_USAGE", `the store at ${this.#rpc} was opened read-only`, {
      values: { rpc: this.#rpc },
    });
  }
}

async function* hashed(blocks: AsyncIterable<Uint8Array>, builder: CidBuilder): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    builder.update(block);
    yield block;
  }
}

function leafOf(digests: Uint8Array, index: number): string {
  return cidOf(rawCode, digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES)).toString();
}

function storedOf({ cid, sha256, size }: BuiltCid): Stored {
  return { cid, sha256, size };
}

/** Whether a pin may be a body's: the node's own folders have CIDs of another kind. */
function isOurs(text: string): boolean {
  try {
    return parseCid(text).cid === text;
  } catch {
    return false;
  }
}
