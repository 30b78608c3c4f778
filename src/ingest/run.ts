// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { DEFAULT_RULES, Entries, type BadItem, type SourceItem } from "../records/index.js";
import { Anchorer } from "./anchorer.js";
import { Filer } from "./filing.js";
import { emptyResult, type IngestOptions, type IngestParts, type IngestResult } from "./ingest-run.js";
import { takeIn, type IntakeParts } from "./intake.js";
import { LagMeter } from "./lag.js";
import { correctMisfiled } from "./misfiled.js";
import { followEvents } from "./persons.js";
import { refile } from "./refile.js";
import { retractWithdrawn, unretractLost } from "./retract.js";
import { isNonceConflict } from "./settle.js";
import type { Source } from "./sources/index.js";
import { supersedeAmended, unmarkLost } from "./supersede.js";

/** Milliseconds between looks at the chain while only waiting for it. */
const POLL_MS = 50;
/** Milliseconds between looks at the chain while the source is silent. */
const BEAT_MS = 500;
/** Milliseconds that the anchoring rests after a chain that failed. */
const REST_MS = 5_000;
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
  readonly #anchorer: Anchorer;
  readonly #lag: LagMeter;
  readonly #stop = new AbortController();
  #beat: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #restsUntil = 0;
  /** What ended the anchoring for good: a full disk, not a chain that is down. */
  #broken: { error: unknown } | undefined;

  constructor(parts: IngestParts, source: Source, options: IngestOptions) {
    const { rules = DEFAULT_RULES, compartment = "general", signal } = options;
    this.#parts = { ...parts, filer: new Filer({ vault: parts.vault, rules, compartment }) };
    this.#source = source;
    this.#options = options;
    this.#lag = new LagMeter(parts.journal, parts.chain);
    this.result = emptyResult(source.totalBytes);
    this.#anchorer = new Anchorer({
      ...parts,
      signal: AbortSignal.any([this.#stop.signal, ...(signal === undefined ? [] : [signal])]),
      batchItems: options.batchItems ?? 1_000,
      batchWait: options.batchWait ?? 5_000,
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
    });
  }

  /** Files what waited, and begins to anchor. */
  start(dead = false): void {
    this.result.followed += followEvents(this.#parts);
    refile(this.#parts, dead);
    this.#pumpAside();
    // A source that is silent must not hold back what it gave before.
    this.#beat = setInterval(() => this.#pumpAside(), BEAT_MS);
  }

  /** Before {@link start}: a refused item is right, and what it was refused for is not. */
  correct(misfiled: number): void {
    correctMisfiled(this.#parts, misfiled);
  }

  async take(group: readonly (SourceItem | BadItem)[]): Promise<void> {
    this.#throwIfBroken();
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
    this.#pumpAside();
  }

  /** Anchors what is left, and marks what was amended. */
  async finish(): Promise<void> {
    await this.#rest();
    const giveUp = performance.now() + (this.#options.chainWait ?? 15_000);
    for (;;) {
      await this.#onChain(() => this.#anchorAll());
      const { failure } = this.result;
      const mayPass = failure !== undefined && (failure.retryable || isNonceConflict(failure));
      if (!mayPass || performance.now() > giveUp) break;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    await this.#lag.settled();
    this.#report();
  }

  async #anchorAll(): Promise<void> {
    const { signal } = this.#options;
    do {
      signal?.throwIfAborted();
      await this.#anchorer.pump(true);
      if (this.#anchorer.pending) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } while (this.#anchorer.pending);
    const { journal, chain, writer, memberId } = this.#parts;
    const parts = { journal, chain, writer, memberId };
    const marking = { ...parts, entries: new Entries(journal, memberId) };
    await unmarkLost(parts);
    await unretractLost(parts);
    this.result.superseded += await supersedeAmended(marking, signal);
    const { retracted, held } = await retractWithdrawn(marking, signal);
    this.result.retracted += retracted;
    this.result.held = held;
  }

  /** Looks after the batches beside the intake: one look at a time. A chain that is down does not stop the intake. */
  #pumpAside(): void {
    if (this.#pumping !== undefined || this.#broken !== undefined || performance.now() < this.#restsUntil)
      return;
    this.#pumping = this.#onChain(() => this.#anchorer.pump(false))
      .catch((error: unknown) => {
        this.#broken = { error };
      })
      .finally(() => {
        this.#pumping = undefined;
      });
  }

  /** Ends the anchoring beside the intake. */
  async #rest(): Promise<void> {
    clearInterval(this.#beat);
    await this.#pumping;
    this.#throwIfBroken();
  }

  #throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  async #onChain(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      delete this.result.failure;
    } catch (error) {
      if (!(error instanceof ChartsealError) || !ofTheChain(error)) throw error;
      this.result.failure = error;
      this.#restsUntil = performance.now() + REST_MS;
    }
  }

  #report(): void {
    this.result.bytesRead = this.#source.bytesRead;
    this.result.totalBytes = this.#source.totalBytes;
    const lag = this.#lag.figures;
    if (lag !== undefined) this.result.lag = lag;
    this.#options.onProgress?.(this.result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    this.#stop.abort();
    await this.#pumping;
    this.#lag[Symbol.dispose]();
  }
}

/** A chain's failure waits for the next try; a database that another process keeps locked also says ERR_TIMEOUT. */
function ofTheChain({ code, values }: ChartsealError): boolean {
  if (code === "ERR_TIMEOUT") return values["path"] === undefined;
  return ["ERR_RPC_UNAVAILABLE", "ERR_CHAIN_REFUSED", "ERR_CHAIN_MISMATCH"].includes(code);
}
