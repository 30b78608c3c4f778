// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, type ErrorCode } from "../errors.js";
import { namedBodies, type Journal, type NamedBody } from "../records/index.js";
import type { Database } from "../sqlite.js";
import type { BlobStore } from "../storage/index.js";

/** Bodies that go into the other store in one durable commit. */
const GROUP_BODIES = 200;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Bodies up to this many bytes are gathered for a common commit; larger ones are streamed. */
const GATHERED = 1024 * 1024;

/** What one body is at fault for. ERR_USAGE: what stands in the journal is no CID, because somebody altered it. */
const OF_A_BODY: readonly ErrorCode[] = ["ERR_BODY_MISSING", "ERR_BODY_TAMPERED", "ERR_USAGE"];

export interface BodyCopies {
  /** Bodies that the journal names. */
  named: number;
  /** Those that were not there yet, or not whole. */
  copied: number;
  /** Of these, in bytes. */
  bytes: number;
  /** Those that the first store does not hold, or not whole. */
  missing: { cid: string; logIndex?: number; code: ErrorCode }[];
  /** Those of erased entries, which were taken out of the other store. */
  removed: number;
}

export interface BodyCopyOptions {
  from: BlobStore;
  to: BlobStore;
  /** The journal whose bodies are copied. */
  journal: Database;
  /** Of the same journal, open. */
  rows: Journal["rows"];
  /** Whether the other store holds a body so that it need not be copied. */
  holds: (to: BlobStore, cid: string) => Promise<boolean>;
  onProgress?: (copies: BodyCopies) => void;
  signal?: AbortSignal;
}

/**
 * Copies every body that a journal names from one store to another, those that it holds already left out, so that a
 * call cut short is gone on with and a daily copy costs what a day brought. Each is read against its CID: damage is not
 * copied, it is named. A damaged body of the other store is repaired, if `holds` looks that closely. What was erased is
 * taken out of the other store.
 * @throws ERR_STORE_FULL, ERR_STORE_FAILED, ERR_TIMEOUT, the signal's reason
 */
export async function copyBodies(options: BodyCopyOptions): Promise<BodyCopies> {
  const { journal, rows, to, onProgress, signal } = options;
  const copies: BodyCopies = { named: 0, copied: 0, bytes: 0, missing: [], removed: 0 };
  const group = new Group(to);
  for (const body of namedBodies(journal, rows)) {
    signal?.throwIfAborted();
    if (body.erased) copies.removed += await remove(to, body);
    else {
      copies.named++;
      await copyOne(options, body, group, copies);
    }
    onProgress?.(copies);
  }
  await group.flush();
  return copies;
}

async function copyOne(
  { from, to, holds, signal }: BodyCopyOptions,
  { cid, logIndex }: NamedBody,
  group: Group,
  copies: BodyCopies,
): Promise<void> {
  try {
    if (await holds(to, cid)) return;
    const { gathered, size, rest } = await begin(from.get(cid));
    if (rest === undefined) await group.add(gathered, size);
    else copies.bytes += (await to.put(whole(gathered, rest), signal === undefined ? {} : { signal })).size;
    copies.copied++;
    copies.bytes += rest === undefined ? size : 0;
  } catch (error) {
    if (!(error instanceof ChartsealError) || !OF_A_BODY.includes(error.code)) throw error;
    copies.missing.push({ cid, code: error.code, ...(logIndex === undefined ? {} : { logIndex }) });
  }
}

/** Holds it whole: every byte is read. */
export async function holdsWhole(store: BlobStore, cid: string): Promise<boolean> {
  return (await store.has(cid)) && (await store.verify(cid)).ok;
}

async function remove(store: BlobStore, { cid }: NamedBody): Promise<number> {
  if (!(await store.has(cid))) return 0;
  await store.delete(cid);
  return 1;
}

/** Reads a body until it ends or is too large to be gathered. */
async function begin(
  body: AsyncIterable<Uint8Array>,
): Promise<{ gathered: Uint8Array[]; size: number; rest?: AsyncIterator<Uint8Array> }> {
  const pieces = body[Symbol.asyncIterator]();
  const gathered: Uint8Array[] = [];
  let size = 0;
  while (size <= GATHERED) {
    const next = await pieces.next();
    if (next.done === true) return { gathered, size };
    gathered.push(next.value);
    size += next.value.length;
  }
  return { gathered, size, rest: pieces };
}

async function* whole(
  gathered: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* gathered;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** Small bodies on their way into a store. */
class Group {
  readonly #to: BlobStore;
  #bodies: Uint8Array[] = [];
  #bytes = 0;

  constructor(to: BlobStore) {
    this.#to = to;
  }

  async add(pieces: readonly Uint8Array[], size: number): Promise<void> {
    this.#bodies.push(Buffer.concat(pieces));
    this.#bytes += size;
    if (this.#bodies.length >= GROUP_BODIES || this.#bytes >= GROUP_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const bodies = this.#bodies;
    this.#bodies = [];
    this.#bytes = 0;
    if (bodies.length > 0) await this.#to.putMany(bodies);
  }
}
