// SPDX-License-Identifier: Apache-2.0
import { setTimeout } from "node:timers/promises";
import type { Chain } from "../chain/index.js";
import { timesAt, type Journal, type JournalBatch } from "../records/index.js";

/** Items of a batch whose times are looked at: evenly spread, the first among them. */
const ITEMS_OF_A_BATCH = 32;
/** Values that the median is taken of: their order stays cheap however long a run is. */
const KEPT = 2_048;
/** Milliseconds that the end of a run waits for the times of its last blocks. */
const SETTLE_MS = 2_000;
/** FHIR and HL7 v2 times that name at least the minute; a mere day says nothing of seconds. */
const MOMENT = /T\d{2}:\d{2}/;

/** Seconds, over the items that were looked at. */
export interface LagFigures {
  median: number;
  most: number;
}

/** How long items took to stand on chain, by the time of their block. */
export interface Lag {
  /** From the moment that an item was read. */
  received: LagFigures;
  /** From the time that its source gives it; left out when no source gave a time of day. */
  recorded?: LagFigures;
}

/** Measures the lag of each anchored batch, beside the work: a node that does not answer only leaves a batch out. */
export class LagMeter implements Disposable {
  readonly #journal: Journal;
  readonly #chain: Chain;
  readonly #received = new Sample();
  readonly #recorded = new Sample();
  readonly #asking = new Set<Promise<void>>();
  #lastBlock: { number: number; time: Promise<number | undefined> } | undefined;
  #closed = false;

  constructor(journal: Journal, chain: Chain) {
    this.#journal = journal;
    this.#chain = chain;
  }

  add(batch: JournalBatch): void {
    if (batch.blockNumber === undefined) return;
    const measured = this.#measure(batch, this.#timeOf(batch.blockNumber)).finally(() =>
      this.#asking.delete(measured),
    );
    this.#asking.add(measured);
  }

  /** What was measured so far; undefined for nothing. */
  get figures(): Lag | undefined {
    const [received, recorded] = [this.#received.figures, this.#recorded.figures];
    if (received === undefined) return undefined;
    return recorded === undefined ? { received } : { received, recorded };
  }

  /** Waits, but not for long, until every batch that was added is measured. */
  async settled(): Promise<void> {
    const enough = new AbortController();
    const wait = setTimeout(SETTLE_MS, undefined, { signal: enough.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#asking), wait]);
    enough.abort();
  }

  async #measure({ firstIndex, count }: JournalBatch, asked: Promise<number | undefined>): Promise<void> {
    const time = await asked;
    if (time === undefined || this.#closed) return;
    const looked = Math.min(ITEMS_OF_A_BATCH, count);
    for (let place = 0; place < looked; place++) {
      const times = timesAt(this.#journal, firstIndex + Math.floor((place * count) / looked));
      if (times === undefined) continue;
      this.#received.add(Math.max(0, time - times.receivedAt));
      const recorded = momentOf(times.recordedAt);
      if (recorded !== undefined) this.#recorded.add(Math.max(0, time - recorded));
    }
  }

  /** Batches of one block ask once. */
  #timeOf(block: number): Promise<number | undefined> {
    if (this.#lastBlock?.number !== block) {
      const time = this.#chain
        .ask(() => this.#chain.provider.getBlock(block))
        .then(
          (found) => found?.timestamp,
          () => undefined,
        );
      this.#lastBlock = { number: block, time };
    }
    return this.#lastBlock.time;
  }

  /** From here on the journal is not read any more. */
  [Symbol.dispose](): void {
    this.#closed = true;
  }
}

/** Of very many values a few that stand for all: each is as likely to be kept as any other (Vitter's algorithm R). */
class Sample {
  readonly #kept: number[] = [];
  #seen = 0;
  #most = 0;
  #figures: LagFigures | undefined;

  add(value: number): void {
    this.#seen++;
    this.#most = Math.max(this.#most, value);
    const place = this.#kept.length < KEPT ? this.#kept.length : Math.floor(Math.random() * this.#seen);
    if (place < KEPT) this.#kept[place] = value;
    this.#figures = undefined;
  }

  get figures(): LagFigures | undefined {
    if (this.#seen === 0) return undefined;
    const sorted = () => this.#kept.toSorted((a, b) => a - b);
    this.#figures ??= {
      median: Math.round(sorted()[Math.floor(this.#kept.length / 2)]!),
      most: Math.round(this.#most),
    };
    return this.#figures;
  }
}

/** Unix seconds of a time with a zone; without one the machine's own is meant, as everywhere for HL7 v2. */
function momentOf(text: string | undefined): number | undefined {
  if (text === undefined || !MOMENT.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1_000;
}
