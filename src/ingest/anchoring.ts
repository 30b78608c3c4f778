// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { Entries, type JournalBatch } from "../records/index.js";
import { Anchorer, type AnchorerParts } from "./anchorer.js";
import type { IngestParts } from "./ingest-run.js";
import { retractWithdrawn, unretractLost } from "./retract.js";
import { supersedeAmended, unmarkLost } from "./supersede.js";

/** Milliseconds between looks at the chain while only waiting for it. */
const POLL_MS = 50;
/** Milliseconds between looks at the chain while the source is silent. */
const BEAT_MS = 500;
/** Milliseconds that the anchoring rests after a chain that failed. */
const REST_MS = 5_000;
/** Amendments marked between two looks at the batches, which wait for them: four blocks. */
const MARKS_A_TURN = 64;
/** How often a node may lose blocks while marks are made, before a person has to look. */
const MOST_LOSSES = 5;

export interface Marked {
  superseded: number;
  retracted: number;
  held: number;
}

export interface AnchoringOptions {
  /** As in {@link IngestOptions}. */
  batchItems?: number | undefined;
  batchWait?: number | undefined;
  signal?: AbortSignal | undefined;
  onAnchored: (batch: JournalBatch) => void;
  /** An item whose row was altered is set aside. */
  onUnsound: NonNullable<AnchorerParts["onUnsound"]>;
  /** Entries that were marked on chain, and those that their source took back but a legal hold keeps. */
  onMarked: (marked: Marked) => void;
  /** Why the chain takes nothing now; undefined once it does again. */
  onFailure: (failure: ChartsealError | undefined) => void;
  /** The failure that an error is, if it passes by itself; any other error ends the anchoring. Default: the chain's. */
  passing?: (error: unknown) => ChartsealError | undefined;
  /** Milliseconds between marks of amended entries beside the intake. Default: only in {@link Anchoring.all}. */
  markEvery?: number;
}

/** The anchoring beside an intake: a chain that is down never stops that. Dispose of it to end it. */
export class Anchoring implements AsyncDisposable {
  readonly #parts: IngestParts;
  readonly #options: AnchoringOptions;
  readonly #anchorer: Anchorer;
  readonly #stop = new AbortController();
  #beat: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #restsUntil = 0;
  /** Batches that were taken note of. */
  #anchored = 0;
  /** What ended the anchoring for good: a full disk, not a chain that is down. */
  #broken: { error: unknown } | undefined;
  /** There may be amended entries to mark, from this moment on. */
  #marksFrom: number | undefined = 0;

  constructor(parts: IngestParts, options: AnchoringOptions) {
    this.#parts = parts;
    this.#options = options;
    const { signal } = options;
    this.#anchorer = new Anchorer({
      ...parts,
      signal: AbortSignal.any([this.#stop.signal, ...(signal === undefined ? [] : [signal])]),
      batchItems: options.batchItems ?? 1_000,
      batchWait: options.batchWait ?? 5_000,
      onAnchored: (batch) => {
        this.#anchored++;
        this.#marksFrom ??= performance.now() + (options.markEvery ?? 0);
        options.onAnchored(batch);
      },
      onUnsound: (unsound) => options.onUnsound(unsound),
    });
  }

  /** Looks after the batches from now on, also while nothing comes in. */
  start(): void {
    this.look();
    this.#beat = setInterval(() => this.look(), BEAT_MS);
  }

  /** Looks after the batches beside the intake: one look at a time. */
  look(): void {
    if (this.#pumping !== undefined || this.#broken !== undefined || performance.now() < this.#restsUntil)
      return;
    this.#pumping = this.#onChain(() => this.#turn())
      .catch((error: unknown) => {
        this.#broken = { error };
      })
      .finally(() => {
        this.#pumping = undefined;
      });
  }

  /** Ends the anchoring beside the intake. @throws what ended it before */
  async rest(): Promise<void> {
    clearInterval(this.#beat);
    await this.#pumping;
    this.throwIfBroken();
  }

  /** Anchors what is left, and marks what was amended; a chain that fails is told to `onFailure`. */
  async all(): Promise<void> {
    await this.#onChain(async () => {
      for (let losses = 0; ; losses++) {
        await this.#anchorAll();
        try {
          await this.#mark();
          return;
        } catch (error) {
          if (losses === MOST_LOSSES || !(await this.#lostBatches(error))) throw error;
        }
      }
    });
  }

  async #anchorAll(): Promise<void> {
    const { signal } = this.#options;
    do {
      signal?.throwIfAborted();
      await this.#anchorer.pump(true);
      if (this.#anchorer.pending) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } while (this.#anchorer.pending);
  }

  /** Whether a mark was refused because the node lost, after they were anchored, the blocks with what it names. */
  async #lostBatches(error: unknown): Promise<boolean> {
    if (!(error instanceof ChartsealError) || error.code !== "ERR_CHAIN_REFUSED") return false;
    const before = this.#anchored;
    this.#anchorer.doubt();
    await this.#anchorer.pump(true);
    return this.#anchorer.pending || this.#anchored > before;
  }

  throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  async #turn(): Promise<void> {
    await this.#anchorer.pump(false);
    const { markEvery } = this.#options;
    if (markEvery === undefined || performance.now() < (this.#marksFrom ?? Infinity)) return;
    // Before the look: what is anchored meanwhile may be an amendment, too.
    this.#marksFrom = undefined;
    try {
      if ((await this.#mark(MARKS_A_TURN)) > 0) this.#marksFrom = 0;
    } catch (error) {
      this.#marksFrom = 0;
      throw error;
    }
  }

  async #mark(most?: number): Promise<number> {
    const { journal, chain, writer, memberId } = this.#parts;
    const { signal, onMarked } = this.#options;
    const parts = { journal, chain, writer, memberId, entries: new Entries(journal, memberId) };
    await unmarkLost(parts);
    await unretractLost(parts);
    const superseded = await supersedeAmended(parts, signal, most);
    onMarked({ ...(await retractWithdrawn(parts, signal)), superseded });
    return superseded;
  }

  async #onChain(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#options.onFailure(undefined);
    } catch (error) {
      const failure = (this.#options.passing ?? ofTheChain)(error);
      if (failure === undefined) throw error;
      this.#options.onFailure(failure);
      this.#restsUntil = performance.now() + REST_MS;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    this.#stop.abort();
    await this.#pumping;
  }
}

/** A chain's failure waits for the next try; a database that another process keeps locked also says ERR_TIMEOUT. */
function ofTheChain(error: unknown): ChartsealError | undefined {
  if (!(error instanceof ChartsealError)) return undefined;
  const { code, values } = error;
  if (code === "ERR_TIMEOUT") return values["path"] === undefined ? error : undefined;
  return ["ERR_RPC_UNAVAILABLE", "ERR_CHAIN_REFUSED", "ERR_CHAIN_MISMATCH"].includes(code)
    ? error
    : undefined;
}
