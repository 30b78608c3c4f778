// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { Replica } from "../storage/index.js";

/** Small bodies share a durable commit, as those of an ingest. */
const GROUP_BODIES = 100;
const GROUP_BYTES = 8 * 1024 * 1024;
const SMALL_BYTES = 1_048_576;
/** Copies that fail one after the other, after which a replica is left alone. */
const MOST_FAILURES = 5;

/** A replica that is brought up to date. Its own failures are counted, not thrown. */
export class RepairTarget {
  repaired = 0;
  bytes = 0;
  failed = 0;
  readonly #replica: Replica;
  #group: { cid: string; bytes: Uint8Array }[] = [];
  #groupBytes = 0;
  #failuresInARow = 0;

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  get name(): string {
    return this.#replica.name;
  }

  async isWhole(cid: string): Promise<boolean> {
    try {
      return (await this.#replica.store.verify(cid)).ok;
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      return false;
    }
  }

  /** Copies a body to it, now or with the next {@link flush}. @throws what `source` throws */
  async take(cid: string, size: number, source: () => AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#failuresInARow >= MOST_FAILURES) {
      this.failed++;
      return;
    }
    if (size <= SMALL_BYTES) {
      const bytes = Buffer.concat(await Array.fromAsync(source()));
      this.#group.push({ cid, bytes });
      this.#groupBytes += bytes.length;
      if (this.#group.length >= GROUP_BODIES || this.#groupBytes >= GROUP_BYTES) await this.flush();
      return;
    }
    let failure: { error: unknown } | undefined;
    const watched = failingAs(source(), (error) => (failure = { error }));
    try {
      this.#count(cid, await this.#replica.store.put(watched));
    } catch (error) {
      if (failure !== undefined) throw failure.error;
      this.#fail(error, 1);
    }
  }

  async flush(): Promise<void> {
    const group = this.#group;
    this.#group = [];
    this.#groupBytes = 0;
    if (group.length === 0) return;
    try {
      const stored = await this.#replica.store.putMany(group.map(({ bytes }) => bytes));
      for (const [place, { cid }] of group.entries()) this.#count(cid, stored[place]!);
    } catch (error) {
      this.#fail(error, group.length);
    }
  }

  #count(cid: string, stored: { cid: string; size: number }): void {
    if (stored.cid !== cid) {
      this.failed++;
      return;
    }
    this.#failuresInARow = 0;
    this.repaired++;
    this.bytes += stored.size;
  }

  #fail(error: unknown, bodies: number): void {
    if (!(error instanceof ChartsealError)) throw error;
    this.failed += bodies;
    this.#failuresInARow++;
  }
}

/** Tells a source that fails from a store that does. */
async function* failingAs(
  source: AsyncIterable<Uint8Array>,
  onFailure: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    onFailure(error);
    throw error;
  }
}
