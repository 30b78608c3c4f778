// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { BlobStore, ByteRange, PutOptions, Stored, Verification } from "./blob-store.js";
import { verificationOf } from "./verified-read.js";

/** Bytes a second that any medium takes: below, a long call is a stalled one. */
const LEAST_RATE = 4 * 1024 * 1024;

export interface PatienceOptions {
  /** Milliseconds that the store may keep a caller waiting at any one step. */
  patience: number;
  /** Milliseconds after that in which it is not asked again. */
  rest: number;
}

/**
 * A store that may be dead, hang, or come back: it is opened when it is first needed, and again after an opening that
 * failed; a call that does not get on ends with ERR_TIMEOUT, and those that follow at once with the same for a while.
 */
export class PatientStore implements BlobStore {
  readonly #name: string;
  readonly #open: () => Promise<BlobStore>;
  readonly #options: PatienceOptions;
  #opened: Promise<BlobStore> | undefined;
  #restsUntil = 0;

  constructor(name: string, open: () => Promise<BlobStore>, options: PatienceOptions) {
    this.#name = name;
    this.#open = open;
    this.#options = options;
  }

  async put(body: AsyncIterable<Uint8Array> | Uint8Array, { signal }: PutOptions = {}): Promise<Stored> {
    if (body instanceof Uint8Array)
      return await this.#ask((store) => store.put(body, signal && { signal }), body.length);
    const store = await this.#ask((opened) => Promise.resolve(opened));
    const stop = new AbortController();
    const all = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const watch = new Watch((error) => {
      this.#leaveAlone();
      stop.abort(error);
    }, this.#name);
    const { patience } = this.#options;
    watch.start(patience);
    try {
      return await watch.orStalled(store.put(watched(body, watch, patience), { signal: all }));
    } finally {
      watch.end();
    }
  }

  async putMany(bodies: Uint8Array[]): Promise<Stored[]> {
    const size = bodies.reduce((sum, body) => sum + body.length, 0);
    return await this.#ask((store) => store.putMany(bodies), size);
  }

  async *get(cid: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const store = await this.#ask((opened) => Promise.resolve(opened));
    const pieces = store.get(cid, range)[Symbol.asyncIterator]();
    let open = true;
    try {
      for (;;) {
        const next = await this.#inTime(pieces.next());
        if (next.done === true) {
          open = false;
          return;
        }
        yield next.value;
      }
    } finally {
      // Not awaited: a store that hangs would keep the reader here.
      if (open) pieces.return?.().then(undefined, () => {});
    }
  }

  async has(cid: string): Promise<boolean> {
    return await this.#ask((store) => store.has(cid));
  }

  async delete(cid: string): Promise<void> {
    await this.#ask((store) => store.delete(cid));
  }

  /** By reading, piece by piece, so that a large body has the time it needs and a store that hangs has not. */
  async verify(cid: string): Promise<Verification> {
    return await verificationOf(this.get(cid));
  }

  async *list(): AsyncGenerator<{ cid: string; size: number }> {
    const store = await this.#ask((opened) => Promise.resolve(opened));
    const entries = store.list()[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#inTime(entries.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#opened === undefined) return;
    const closed = this.#opened.then((store) => store[Symbol.asyncDispose]());
    // One that hangs is left to the end of the process.
    await this.#inTime(closed).catch(() => {});
  }

  async #ask<T>(work: (store: BlobStore) => Promise<T>, bytes = 0): Promise<T> {
    if (performance.now() < this.#restsUntil) throw stalled(this.#name, "did not answer lately");
    const store = await this.#inTime(this.#openOnce());
    return await this.#inTime(work(store), bytes);
  }

  /** One opening at a time; one that failed is tried again. */
  #openOnce(): Promise<BlobStore> {
    if (this.#opened === undefined) {
      const opening = this.#open();
      opening.catch(() => (this.#opened = undefined));
      this.#opened = opening;
    }
    return this.#opened;
  }

  async #inTime<T>(work: Promise<T>, bytes = 0): Promise<T> {
    const watch = new Watch(() => this.#leaveAlone(), this.#name);
    watch.start(this.#options.patience + (bytes * 1_000) / LEAST_RATE);
    try {
      return await watch.orStalled(work);
    } finally {
      watch.end();
    }
  }

  #leaveAlone(): void {
    this.#restsUntil = performance.now() + this.#options.rest;
  }
}

/** A clock over somebody else's work, which it gives up but cannot end. */
class Watch {
  readonly #onStall: (error: ChartsealError) => void;
  readonly #name: string;
  readonly #stall = Promise.withResolvers<never>();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(onStall: (error: ChartsealError) => void, name: string) {
    this.#onStall = onStall;
    this.#name = name;
    this.#stall.promise.catch(() => {}); // reported where it is awaited
  }

  start(milliseconds: number): void {
    this.stop();
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      const error = stalled(this.#name, `did not get on for ${Math.round(milliseconds)} ms`);
      this.#onStall(error);
      this.#stall.reject(error);
    }, milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** A body may still be let go of after its put was given up. */
  end(): void {
    this.#ended = true;
    this.stop();
  }

  async orStalled<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {}); // it may fail after it was given up
    return await Promise.race([work, this.#stall.promise]);
  }
}

/** Passes a body on; the clock runs while the store has a piece in hand, not while the source is awaited. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  watch: Watch,
  patience: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  watch.stop();
  try {
    for await (const piece of body) {
      size += piece.length;
      watch.start(patience);
      yield piece;
      watch.stop();
    }
  } finally {
    // The end takes its time too: what was buffered becomes durable, or is removed.
    watch.start(patience + (size * 1_000) / LEAST_RATE);
  }
}

function stalled(store: string, what: string): ChartsealError {
  return new ChartsealError("ERR_TIMEOUT", `the store ${store} ${what}`, {
    values: { store },
    retryable: true,
  });
}
