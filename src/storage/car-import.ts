// SPDX-License-Identifier: Apache-2.0
import { code as rawCode } from "multiformats/codecs/raw";
import type { CID } from "multiformats/cid";
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "./blob-store.js";
import { CarFile } from "./car-read.js";
import type { CarBlock } from "./car-write.js";
import { CidBuilder } from "./cid.js";
import { childrenOf } from "./unixfs-dag.js";

/** Small bodies of one commit, as those of an ingest. */
const GROUP_BODIES = 100;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Nodes above a leaf: 1,024 links each make 1 PiB. */
const MOST_DEPTH = 3;

export interface CarImportOptions {
  /** True for a body that is not to be stored. */
  leaveOut?: (cid: string) => boolean;
  /** Hears of each body that is stored. */
  onBody?: (body: { cid: string; size: number }) => void;
  signal?: AbortSignal;
}

export interface CarImport {
  /** Bodies stored, and their bytes. */
  bodies: number;
  bytes: number;
  leftOut: number;
  /** Roots of the header whose body is not in the file. */
  missing: number;
}

/**
 * Stores every body of a CAR file whose bodies are its roots, each with its blocks in the order of its tree, as
 * `exportCar` and `ipfs dag export` write it. Each block is compared with its CID, each body with its root, before it
 * is stored. Repeated, it changes nothing; what came before an error is stored.
 * @throws ERR_ITEM_INVALID, ERR_FORMAT_UNSUPPORTED, ERR_BODY_TAMPERED with `stored` among the values: the bodies that
 * are safe
 * @throws what source and store throw, the signal's reason
 */
export async function importCar(
  store: BlobStore,
  source: AsyncIterable<Uint8Array>,
  options: CarImportOptions = {},
): Promise<CarImport> {
  const result: CarImport = { bodies: 0, bytes: 0, leftOut: 0, missing: 0 };
  try {
    const run = new ImportRun(await CarFile.open(source), store, options, result);
    await run.all();
  } catch (error) {
    throw withCount(error, result.bodies);
  }
  return result;
}

class ImportRun {
  readonly #file: CarFile;
  readonly #store: BlobStore;
  readonly #options: CarImportOptions;
  readonly #result: CarImport;
  #group: { cid: string; bytes: Uint8Array }[] = [];
  #groupBytes = 0;

  constructor(file: CarFile, store: BlobStore, options: CarImportOptions, result: CarImport) {
    this.#file = file;
    this.#store = store;
    this.#options = options;
    this.#result = result;
  }

  async all(): Promise<void> {
    let found = 0;
    try {
      for (let block = await this.#file.next(); block !== undefined; block = await this.#file.next()) {
        this.#options.signal?.throwIfAborted();
        const cid = block.cid.toString();
        if (!this.#file.roots.has(cid)) throw this.#file.invalid(`${cid} belongs to no root`);
        await this.#take(block, cid);
        found++;
      }
    } finally {
      await this.#flush();
    }
    this.#result.missing = Math.max(0, this.#file.roots.size - found);
  }

  async #take(block: CarBlock, cid: string): Promise<void> {
    const leftOut = this.#options.leaveOut?.(cid) === true;
    if (leftOut) this.#result.leftOut++;
    if (block.cid.code === rawCode) {
      if (leftOut) return;
      this.#group.push({ cid, bytes: block.bytes });
      this.#groupBytes += block.bytes.length;
      if (this.#group.length >= GROUP_BODIES || this.#groupBytes >= GROUP_BYTES) await this.#flush();
      return;
    }
    const leaves = this.#leavesOf(block);
    if (leftOut) for await (const _ of leaves);
    else {
      const { signal } = this.#options;
      const { size } = await this.#store.put(leaves, signal === undefined ? {} : { signal });
      this.#count(cid, size);
    }
  }

  /** The bytes of a body of several blocks. Its end comes only once all of them make its root. */
  async *#leavesOf(root: CarBlock): AsyncGenerator<Uint8Array> {
    const builder = new CidBuilder();
    const toCome = this.#below(root, 0);
    for (let next = toCome.pop(); next !== undefined; next = toCome.pop()) {
      const block = await this.#file.next();
      if (block === undefined) throw this.#file.invalid("the file is cut short");
      const [found, wanted] = [block.cid.toString(), next.cid.toString()];
      if (found !== wanted) throw this.#file.invalid(`${found} stands where ${wanted} should`);
      if (block.cid.code !== rawCode) toCome.push(...this.#below(block, next.depth));
      else {
        builder.update(block.bytes);
        yield block.bytes;
      }
    }
    if (builder.finish().cid === root.cid.toString()) return;
    throw this.#file.invalid(`${root.cid.toString()} is not cut as the profile unixfs-v1-2025 says`);
  }

  /** What follows a node, the first one last. */
  #below({ cid, bytes }: CarBlock, depth: number): { cid: CID; depth: number }[] {
    if (depth === MOST_DEPTH) throw this.#file.invalid(`the tree above ${cid.toString()} is too deep`);
    let children: CID[];
    try {
      children = childrenOf(bytes);
    } catch {
      throw this.#file.invalid(`${cid.toString()} is no node of a tree`);
    }
    return children.toReversed().map((child) => ({ cid: child, depth: depth + 1 }));
  }

  async #flush(): Promise<void> {
    const group = this.#group;
    this.#group = [];
    this.#groupBytes = 0;
    if (group.length === 0) return;
    await this.#store.putMany(group.map(({ bytes }) => bytes));
    for (const { cid, bytes } of group) this.#count(cid, bytes.length);
  }

  #count(cid: string, size: number): void {
    this.#result.bodies++;
    this.#result.bytes += size;
    this.#options.onBody?.({ cid, size });
  }
}

function withCount(error: unknown, stored: number): unknown {
  if (!(error instanceof ChartsealError)) return error;
  const { code, message, values, hint, retryable, cause } = error;
  return new ChartsealError(code, message, {
    values: { ...values, stored },
    ...(hint === undefined ? {} : { hint }),
    retryable,
    cause,
  });
}
