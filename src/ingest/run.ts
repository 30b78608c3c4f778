// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_RULES, type BadItem, type SourceItem } from "../records/index.js";
import { Anchoring } from "./anchoring.js";
import { Filer } from "./filing.js";
import { emptyResult, type IngestOptions, type IngestParts, type IngestResult } from "./ingest-run.js";
import { takeIn, type IntakeParts } from "./intake.js";
import { LagMeter } from "./lag.js";
import { correctMisfiled } from "./misfiled.js";
import { followEvents } from "./persons.js";
import { refile } from "./refile.js";
import { isNonceConflict } from "./settle.js";
import type { Source } from "./sources/index.js";

/** Milliseconds between tries of the end of a run, when only the chain is missing. */
const RETRY_MS = 500;
/** Refused items listed in the result: a wrong file of a million lines must not fill the memory. */
const MOST_REFUSED = 1_000;

/** One run of an ingest: the intake, and the anchoring beside it. Dispose of it to end both. */
export class Run implements AsyncDisposable {
  readonly result: IngestResult;
  readonly #parts: IngestParts & IntakeParts;
  readonly #source: Source;
  readonly #options: IngestOptions;
  readonly #anchoring: Anchoring;
  readonly #lag: LagMeter;

  constructor(parts: IngestParts, source: Source, options: IngestOptions) {
    const { rules = DEFAULT_RULES, compartment = "general", signal } = options;
    this.#parts = { ...parts, filer: new Filer({ vault: parts.vault, rules, compartment }) };
    this.#source = source;
    this.#options = options;
    this.#lag = new LagMeter(parts.journal, parts.chain);
    this.result = emptyResult(source.totalBytes);
    this.#anchoring = new Anchoring(parts, {
      batchItems: options.batchItems,
      batchWait: options.batchWait,
      signal,
      onAnchored: (batch) => {
        this.result.batches.push(batch);
        this.result.anchored += batch.count;
        this.#lag.add(batch);
        this.#report();
      },
      onUnsound: ({ item, error }) => {
        this.result.dead++;
        // Its own label, sealed as it is, may be another's by now.
        if (this.result.refused.length < MOST_REFUSED)
          this.result.refused.push({ label: `item ${item.id} of the journal`, error });
      },
      onMarked: ({ superseded, retracted, held }) => {
        this.result.superseded += superseded;
        this.result.retracted += retracted;
        this.result.held = held;
      },
      onFailure: (failure) => {
        if (failure === undefined) delete this.result.failure;
        else this.result.failure = failure;
      },
    });
  }

  /** Files what waited, and begins to anchor. */
  start(dead = false): void {
    this.result.followed += followEvents(this.#parts);
    refile(this.#parts, dead);
    // A source that is silent must not hold back what it gave before.
    this.#anchoring.start();
  }

  /** Before {@link start}: a refused item is right, and what it was refused for is not. */
  correct(misfiled: number): void {
    correctMisfiled(this.#parts, misfiled);
  }

  async take(group: readonly (SourceItem | BadItem)[]): Promise<void> {
    this.#anchoring.throwIfBroken();
    const { known, sealed, waiting, dead, followed, events } = await takeIn(this.#parts, group);
    const { result } = this;
    result.read += group.length;
    result.known += known;
    result.sealed += sealed;
    result.waiting += waiting;
    result.dead += dead.length;
    result.followed += followed;
    result.events += events;
    result.refused.push(...dead.slice(0, MOST_REFUSED - result.refused.length));
    this.#report();
    this.#anchoring.look();
  }

  /** Anchors what is left, and marks what was amended. */
  async finish(): Promise<void> {
    await this.#anchoring.rest();
    const giveUp = performance.now() + (this.#options.chainWait ?? 15_000);
    for (;;) {
      await this.#anchoring.all();
      const { failure } = this.result;
      const mayPass = failure !== undefined && (failure.retryable || isNonceConflict(failure));
      if (!mayPass || performance.now() > giveUp) break;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    await this.#lag.settled();
    this.#report();
  }

  #report(): void {
    this.result.bytesRead = this.#source.bytesRead;
    this.result.totalBytes = this.#source.totalBytes;
    const lag = this.#lag.figures;
    if (lag !== undefined) this.result.lag = lag;
    this.#options.onProgress?.(this.result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#anchoring[Symbol.asyncDispose]();
    this.#lag[Symbol.dispose]();
  }
}
