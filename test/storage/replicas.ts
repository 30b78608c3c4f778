// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChartsealError } from "../../src/errors.js";
import {
  openEmbeddedStore,
  openReplicatedStore,
  type BlobStore,
  type ByteRange,
  type PutOptions,
  type ReplicatedOptions,
  type ReplicatedStore,
} from "../../src/storage/index.js";

const MIB = 1_048_576;

/** So long that a loaded machine does not pass for a store that hangs. */
const PATIENCE_MS = 60_000;

/** What a replica does wrong. */
export type Fault =
  | { kind: "none" }
  /** It cannot be opened: a real path that leads through a file. */
  | { kind: "dead" }
  /** Its medium fails, is full, or hangs once so many MiB of a put have come, or all of it. */
  | { kind: "put"; how: "fails" | "full" | "hangs"; after: number }
  /** It fails, or hangs, once it gave so many pieces of a read. */
  | { kind: "get"; how: "fails" | "hangs"; after: number };

/** Real embedded stores as replicas, in a folder of their own. */
export class Replicas implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "chartseal-replicas-"));
  readonly #open: BlobStore[] = [];
  /** Ends what hangs, so that nothing outlives its test. */
  readonly #end = new AbortController();

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Opened again and again: a real store, with one fault put before it. */
  async #openOne(name: string, fault: Fault): Promise<BlobStore> {
    if (fault.kind === "dead") {
      writeFileSync(this.path(`${name}-file`), "");
      return await openEmbeddedStore(join(this.path(`${name}-file`), "store"));
    }
    const store = await openEmbeddedStore(this.path(name));
    return fault.kind === "none" ? store : new FaultyStore(store, fault, this.#end.signal);
  }

  /** @param faults one a replica, which are named a, b, c */
  replicated(faults: readonly Fault[], options: ReplicatedOptions): ReplicatedStore {
    const replicas = faults.map((fault, place) => {
      const name = "abcdefgh"[place]!;
      return { name, open: () => this.#openOne(name, fault) };
    });
    const store = openReplicatedStore(replicas, { patience: PATIENCE_MS, ...options });
    this.#open.push(store);
    return store;
  }

  /** One replica by itself, without its fault. */
  async plain(name: string): Promise<BlobStore> {
    const store = await openEmbeddedStore(this.path(name));
    this.#open.push(store);
    return store;
  }

  /** Flips a bit in one block of a body that lies in a file. */
  damage(name: string, cid: string, block: number): void {
    const path = join(this.path(name), "bodies", cid.slice(-3, -1), cid);
    const bytes = readFileSync(path);
    bytes[block * MIB]! ^= 1;
    writeFileSync(path, bytes);
  }

  /** Stores by themselves that hold this body each, made without a put. */
  copies(template: string, ...names: string[]): void {
    for (const name of names) cpSync(template, this.path(name), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    for (const store of this.#open) await store[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A fake, for faults of a medium that cannot be provoked here: it hangs, fails or fills up at a given byte. */
class FaultyStore implements BlobStore {
  readonly #store: BlobStore;
  readonly #fault: Extract<Fault, { how: string }>;
  readonly #end: AbortSignal;

  constructor(store: BlobStore, fault: Extract<Fault, { how: string }>, end: AbortSignal) {
    this.#store = store;
    this.#fault = fault;
    this.#end = end;
  }

  async put(body: AsyncIterable<Uint8Array> | Uint8Array, options?: PutOptions) {
    if (this.#fault.kind !== "put") return await this.#store.put(body, options);
    const fault = this.#fault;
    const fail = () => this.#fail(fault.how);
    const pieces = body instanceof Uint8Array ? [body] : body;
    async function* faulty(): AsyncGenerator<Uint8Array> {
      let size = 0;
      for await (const piece of pieces) {
        if (size >= fault.after * MIB) await fail();
        size += piece.length;
        yield piece;
      }
      await fail();
    }
    return await this.#store.put(faulty(), options);
  }

  async putMany(bodies: Uint8Array[]) {
    if (this.#fault.kind === "put") await this.#fail(this.#fault.how);
    return await this.#store.putMany(bodies);
  }

  async *get(cid: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    let pieces = 0;
    for await (const piece of this.#store.get(cid, range)) {
      if (this.#fault.kind === "get" && pieces++ === this.#fault.after) await this.#fail(this.#fault.how);
      yield piece;
    }
    if (this.#fault.kind === "get" && pieces <= this.#fault.after) await this.#fail(this.#fault.how);
  }

  async has(cid: string): Promise<boolean> {
    return await this.#store.has(cid);
  }

  async delete(cid: string): Promise<void> {
    if (this.#fault.kind === "put") await this.#fail(this.#fault.how);
    await this.#store.delete(cid);
  }

  async verify(cid: string) {
    return await this.#store.verify(cid);
  }

  list() {
    return this.#store.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #fail(how: "fails" | "full" | "hangs"): Promise<void> {
    if (how === "hangs") await new Promise((resolve) => this.#end.addEventListener("abort", resolve));
    const full = how === "full";
    throw new ChartsealError(full ? "ERR_STORE_FULL" : "ERR_STORE_FAILED", `the medium ${how}`, {
      retryable: full,
    });
  }
}
