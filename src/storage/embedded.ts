// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ChartsealError } from "../errors.js";
import { BlobIndex, type NewBlob } from "./blob-index.js";
import type { BlobStore, ByteRange, PutOptions, Stored, Verification } from "./blob-store.js";
import { blocksOf } from "./body-blocks.js";
import { BodyFiles, type TemporaryBody } from "./body-files.js";
import { CidBuilder, cidOfBytes, parseCid, type BuiltCid, type ParsedCid } from "./cid.js";
import { GroupCommit } from "./group-commit.js";
import { bodyMissing, storeError } from "./store-errors.js";
import { UNIXFS_V1_2025 } from "./unixfs-dag.js";
import { verificationOf, verifiedBytes, verifiedFile } from "./verified-read.js";

/**
 * Bodies up to this many bytes live in SQLite, larger ones in files. Measured on ext4 with durable commits: at
 * 64 KiB SQLite takes 3,000 a second and files 1,500; at 256 KiB both some 800; at 1 MiB 200 against 700.
 */
export const INLINE_MAX = 262_144;

export interface EmbeddedStoreOptions {
  /** Only reads; the store must exist. Default false. */
  readOnly?: boolean;
  /** Milliseconds a call waits for another process's lock before ERR_TIMEOUT; default 10,000. */
  lockTimeoutMs?: number;
}

/**
 * Opens the store in `folder`, or makes one there. Several processes may have it open at once. What a crashed
 * process left half done is removed.
 * @throws ERR_FORMAT_UNSUPPORTED when another version of the format is there
 * @throws ERR_CONFIG_INVALID when `readOnly` and there is no store
 * @throws ERR_STORE_FAILED, ERR_STORE_FULL, ERR_TIMEOUT as {@link BlobStore}
 *
 * @example
 * await using store = await openEmbeddedStore("a/bodies");
 * const { cid } = await store.put(createReadStream("scan.sealed"));
 * for await (const bytes of store.get(cid, { offset: 0, length: 1024 })) process(bytes);
 */
export async function openEmbeddedStore(
  folder: string,
  options: EmbeddedStoreOptions = {},
): Promise<EmbeddedStore> {
  const readOnly = options.readOnly ?? false;
  const files = new BodyFiles(join(folder, "bodies"));
  if (!readOnly) {
    makeFolder(folder);
    files.prepare();
  }
  const index = new BlobIndex(join(folder, "store.sqlite"), files, {
    readOnly,
    lockTimeoutMs: options.lockTimeoutMs,
  });
  try {
    if (!readOnly) index.settleAll();
  } catch (error) {
    index.close();
    throw error;
  }
  return new EmbeddedStore(folder, files, index, readOnly);
}

class EmbeddedStore implements BlobStore {
  readonly copiesPieces = true;
  readonly #folder: string;
  readonly #files: BodyFiles;
  readonly #index: BlobIndex;
  readonly #readOnly: boolean;
  readonly #commits: GroupCommit<NewBlob>;

  constructor(folder: string, files: BodyFiles, index: BlobIndex, readOnly: boolean) {
    this.#folder = folder;
    this.#files = files;
    this.#index = index;
    this.#readOnly = readOnly;
    this.#commits = new GroupCommit((blobs) => index.commit(blobs));
  }

  async put(body: AsyncIterable<Uint8Array> | Uint8Array, { signal }: PutOptions = {}): Promise<Stored> {
    this.#checkWritable();
    signal?.throwIfAborted();
    if (body instanceof Uint8Array && body.length <= INLINE_MAX) {
      // The caller may use its buffer again before the commit.
      const [stored] = await this.putMany([Buffer.from(body)]);
      return stored!;
    }
    const { built, content } = await this.#receive(body instanceof Uint8Array ? once(body) : body, signal);
    await this.#commit([{ built, content }]);
    return storedOf(built);
  }

  async putMany(bodies: Uint8Array[]): Promise<Stored[]> {
    this.#checkWritable();
    const received: Received[] = [];
    try {
      for (const body of bodies) {
        if (body.length <= INLINE_MAX) received.push({ built: cidOfBytes(body), content: body });
        else received.push(await this.#receive(once(body)));
      }
    } catch (error) {
      await discardAll(received);
      throw error;
    }
    if (received.length > 0) await this.#commit(received);
    return received.map(({ built }) => storedOf(built));
  }

  get(cid: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.#read(parseCid(cid), range);
  }

  async has(cid: string): Promise<boolean> {
    return this.#index.has(parseCid(cid).cid);
  }

  /** {@link has}, and as many bytes as were put: one that was cut short is not held. Reads none of them. */
  async holdsAll(cid: string): Promise<boolean> {
    return this.#index.holdsAll(parseCid(cid).cid);
  }

  async delete(cid: string): Promise<void> {
    this.#checkWritable();
    this.#index.delete(parseCid(cid).cid);
  }

  async verify(cid: string): Promise<Verification> {
    return await verificationOf(this.get(cid));
  }

  async *list(): AsyncGenerator<{ cid: string; size: number }> {
    yield* this.#index.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#commits.flush();
    this.#index.close();
  }

  /** Takes a stream: into memory while it is small, into a temporary file as soon as it is not. */
  async #receive(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Received> {
    const builder = new CidBuilder();
    let file: TemporaryBody | undefined;
    let small: Uint8Array = new Uint8Array();
    let writing = Promise.resolve();
    try {
      for await (const block of blocksOf(body, signal)) {
        builder.update(block);
        // A block below 1 MiB is the last one.
        if (file === undefined && block.length <= INLINE_MAX) {
          small = Buffer.from(block);
          continue;
        }
        file ??= await this.#files.begin();
        await writing;
        writing = file.append(block);
        writing.catch(() => {}); // reported when awaited
      }
      await writing;
      await file?.seal();
    } catch (error) {
      await writing.catch(() => {});
      await file?.discard();
      throw error;
    }
    return { built: builder.finish(), content: file ?? small };
  }

  async #commit(received: Received[]): Promise<void> {
    try {
      await this.#commits.add(
        received.map(({ built: { cid, size, blocks }, content }) => {
          return { cid, size, blocks: size > UNIXFS_V1_2025.chunkSize ? blocks : null, content };
        }),
      );
    } finally {
      await discardAll(received);
    }
  }

  async *#read(parsed: ParsedCid, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const row = this.#index.find(parsed.cid);
    if (row === undefined) throw bodyMissing(parsed.cid);
    if (row.body !== undefined) {
      const bytes = verifiedBytes(parsed, row.body, range);
      if (bytes.length > 0) yield bytes;
      return;
    }
    const file = await this.#files.open(parsed.cid);
    if (file === undefined) throw bodyMissing(parsed.cid);
    try {
      yield* verifiedFile(parsed, row, file, range);
    } finally {
      await file.close();
    }
  }

  #checkWritable(): void {
    if (!this.#readOnly) return;
    throw new ChartsealError("ERR_USAGE", `the store in ${this.#folder} was opened read-only`, {
      values: { folder: this.#folder },
    });
  }
}

interface Received {
  built: BuiltCid;
  content: Uint8Array | TemporaryBody;
}

function storedOf({ cid, sha256, size }: BuiltCid): Stored {
  return { cid, sha256, size };
}

async function discardAll(received: Received[]): Promise<void> {
  for (const { content } of received) if (!(content instanceof Uint8Array)) await content.discard();
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storeError(error, folder);
  }
}
