// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { BlobStore, ByteRange, PutOptions, Stored, Verification } from "./blob-store.js";
import { blocksOf } from "./body-blocks.js";
import { CidBuilder, cidOfBytes, parseCid } from "./cid.js";
import { Reader } from "./fan-out.js";
import { mergedLists, type Presence } from "./merged-lists.js";
import { PatientStore, type PatienceOptions } from "./patient-store.js";
import {
  askFailed,
  deleteFailed,
  failuresOf,
  readFailed,
  valuesOf,
  writeFailed,
  type Failure,
  type Outcome,
} from "./replica-errors.js";
import { verificationOf } from "./verified-read.js";

/** Longer than any pause of a healthy store, shorter than a person waits for an answer. */
const PATIENCE_MS = 60_000;
const REST_MS = 30_000;

/** One of several stores that hold the same. */
export interface Replica {
  /** For people: a folder, or a node's address. */
  readonly name: string;
  readonly store: BlobStore;
}

export interface ReplicatedOptions extends Partial<PatienceOptions> {
  /** In how many replicas a body must be durable before it counts as stored: 1 to all. */
  write: number;
}

/**
 * Several stores as one. A body is stored once `write` of them have it; the others are brought up to date by
 * `chartseal store repair`. A read goes on at the next replica, at the same byte, when one has lost a block, holds it
 * damaged or does not answer. A replica that is dead is left out, and asked again when it is back.
 *
 * @throws ERR_USAGE when `write` is not within the count of replicas
 * @example
 * const replicas = ["/mnt/a", "/mnt/b"].map((name) => ({ name, open: () => openEmbeddedStore(name) }));
 * await using store = openReplicatedStore(replicas, { write: 2 });
 */
export function openReplicatedStore(
  replicas: readonly { name: string; open: () => Promise<BlobStore> }[],
  { write, patience = PATIENCE_MS, rest = REST_MS }: ReplicatedOptions,
): ReplicatedStore {
  if (!Number.isSafeInteger(write) || write < 1 || write > replicas.length) {
    throw new ChartsealError("ERR_USAGE", `write is a whole number from 1 to ${replicas.length}`, {
      values: { write },
    });
  }
  const patient = replicas.map(({ name, open }) => {
    return { name, store: new PatientStore(name, open, { patience, rest }) };
  });
  return new ReplicatedStore(patient, write);
}

export class ReplicatedStore implements BlobStore {
  readonly replicas: readonly Replica[];
  /** In how many replicas a body must be durable before it counts as stored. */
  readonly write: number;

  /** Use {@link openReplicatedStore}. */
  constructor(replicas: readonly Replica[], write: number) {
    this.replicas = replicas;
    this.write = write;
  }

  /**
   * @throws ERR_STORE_FULL when, with room, enough replicas would have taken it; else ERR_STORE_FAILED. Both name the
   * replicas that failed; some may hold the body all the same
   */
  async put(body: AsyncIterable<Uint8Array> | Uint8Array, { signal }: PutOptions = {}): Promise<Stored> {
    signal?.throwIfAborted();
    if (body instanceof Uint8Array) {
      const [stored] = await this.putMany([body]);
      return stored!;
    }
    const upload = new Upload(this.replicas, this.write, signal);
    return await upload.run(body);
  }

  async putMany(bodies: Uint8Array[]): Promise<Stored[]> {
    if (bodies.length === 0) return [];
    // A replica that is given up may still read them when the caller uses its buffers again.
    const own = bodies.map((body) => Buffer.from(body));
    const expected = own.map((body) => {
      const { cid, sha256, size } = cidOfBytes(body);
      return { cid, sha256, size };
    });
    const outcomes = await this.#each(async ({ name, store }) => {
      const stored = await store.putMany(own);
      for (const [place, { cid }] of expected.entries()) requireSame(name, cid, stored[place]?.cid);
    });
    this.#requireEnough(outcomes);
    return expected;
  }

  get(cid: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.#read(parseCid(cid).cid, range);
  }

  /** @throws ERR_STORE_FAILED (retryable) when none that answers holds it and one does not answer */
  async has(cid: string): Promise<boolean> {
    parseCid(cid);
    const failures: Failure[] = [];
    for (const { name, store } of this.replicas) {
      try {
        if (await store.has(cid)) return true;
      } catch (error) {
        failures.push({ replica: name, error });
      }
    }
    if (failures.length > 0) throw askFailed(`whether ${cid} is held is not known`, failures);
    return false;
  }

  /** @throws ERR_STORE_FAILED (retryable) naming the replicas that may still hold it; the others do not */
  async delete(cid: string): Promise<void> {
    parseCid(cid);
    const failures = failuresOf(await this.#each(({ store }) => store.delete(cid)));
    if (failures.length > 0) throw deleteFailed(cid, failures);
  }

  /** Whether the body can be read whole, be it from several replicas. Each alone: {@link replicas}. */
  async verify(cid: string): Promise<Verification> {
    return await verificationOf(this.get(cid));
  }

  /**
   * What at least one replica holds.
   * @throws ERR_STORE_FAILED (retryable) after all others' entries, when a replica could not be asked
   */
  async *list(): AsyncGenerator<{ cid: string; size: number }> {
    for await (const { cid, size } of this.presence()) yield { cid, size };
  }

  /** {@link list}, with the replicas that hold each body. */
  presence(): AsyncGenerator<Presence> {
    return mergedLists(this.replicas);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.replicas.map(({ store }) => store[Symbol.asyncDispose]()));
  }

  async *#read(cid: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const end = range?.length === undefined ? undefined : range.offset + range.length;
    let at = range?.offset ?? 0;
    // Which replicas failed since the last byte that was handed out.
    const failed = new Map<string, unknown>();
    for (;;) {
      const replica = this.replicas.find(({ name }) => !failed.has(name));
      if (replica === undefined) {
        throw readFailed(
          cid,
          [...failed].map(([name, error]) => ({ replica: name, error })),
        );
      }
      try {
        for await (const piece of replica.store.get(cid, restOf(range, at))) {
          at += piece.length;
          failed.clear();
          yield piece;
        }
        if (end === undefined || at === end) return;
        throw new ChartsealError("ERR_STORE_FAILED", `${replica.name} ended ${cid} at byte ${at}`);
      } catch (error) {
        failed.set(replica.name, error);
      }
    }
  }

  async #each<T>(work: (replica: Replica) => Promise<T>): Promise<Outcome<T>[]> {
    return await Promise.all(
      this.replicas.map(async (replica): Promise<Outcome<T>> => {
        try {
          return { replica: replica.name, value: await work(replica) };
        } catch (error) {
          return { replica: replica.name, error };
        }
      }),
    );
  }

  #requireEnough(outcomes: readonly Outcome<unknown>[]): void {
    const reached = valuesOf(outcomes).length;
    if (reached < this.write) throw writeFailed(failuresOf(outcomes), reached, this.write);
  }
}

/** One body on its way to all replicas, at the pace of the slowest that is left. */
class Upload {
  readonly #write: number;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #going: { name: string; reader: Reader; stored: Promise<Stored> }[];
  readonly #failures: Failure[] = [];

  constructor(replicas: readonly Replica[], write: number, signal: AbortSignal | undefined) {
    this.#write = write;
    this.#signal = signal;
    this.#going = replicas.map(({ name, store }) => {
      const reader = new Reader();
      const stored = store.put(reader, { signal: this.#stop.signal });
      const early = new ChartsealError("ERR_STORE_FAILED", `${name} did not take all of the body`);
      stored.then(
        () => reader.gaveUp(early),
        (error: unknown) => reader.gaveUp(error),
      );
      return { name, reader, stored };
    });
  }

  async run(body: AsyncIterable<Uint8Array>): Promise<Stored> {
    const builder = new CidBuilder();
    try {
      for await (const block of blocksOf(body, this.#signal)) {
        builder.update(block);
        // A block stays valid while the next one is filled: the replicas write this one meanwhile.
        await this.#allReady();
        for (const { reader } of this.#going) reader.send(block);
      }
      await this.#allReady();
    } catch (error) {
      await this.#abandon(error);
      throw error;
    }
    const { cid, sha256, size } = builder.finish();
    await this.#finish(cid);
    return { cid, sha256, size };
  }

  /** Waits until every replica is done with what it has, and leaves out those that failed. */
  async #allReady(): Promise<void> {
    const states = await Promise.allSettled(this.#going.map(({ reader }) => reader.ready()));
    const failed = states.flatMap((state, place) =>
      state.status === "rejected" ? [{ going: this.#going[place]!, error: state.reason as unknown }] : [],
    );
    for (const { going, error } of failed) {
      this.#failures.push({ replica: going.name, error });
      this.#going.splice(this.#going.indexOf(going), 1);
    }
    const left = this.#going.length;
    if (left < this.#write) throw writeFailed(this.#failures, left, this.#write);
  }

  async #finish(cid: string): Promise<void> {
    const outcomes = await Promise.all(
      this.#going.map(async ({ name, reader, stored }): Promise<Outcome<void>> => {
        try {
          reader.end();
          requireSame(name, cid, (await stored).cid);
          return { replica: name, value: undefined };
        } catch (error) {
          return { replica: name, error };
        }
      }),
    );
    const reached = valuesOf(outcomes).length;
    const failures = [...this.#failures, ...failuresOf(outcomes)];
    if (reached < this.#write) throw writeFailed(failures, reached, this.#write);
  }

  /** Every replica removes what it has of the body, before the caller hears why. */
  async #abandon(error: unknown): Promise<void> {
    for (const { reader } of this.#going) reader.fail(error);
    this.#stop.abort(error);
    await Promise.allSettled(this.#going.map(({ stored }) => stored));
  }
}

function restOf(range: ByteRange | undefined, at: number): ByteRange | undefined {
  if (range === undefined) return at === 0 ? undefined : { offset: at };
  if (range.length === undefined) return { offset: at };
  return { offset: at, length: range.offset + range.length - at };
}

function requireSame(name: string, cid: string, answered: string | undefined): void {
  if (answered === cid) return;
  throw new ChartsealError("ERR_STORE_FAILED", `${name} stored ${cid} under another CID`, {
    values: { store: name, cid },
  });
}
