// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import {
  DEFAULT_RULES,
  Entries,
  isBadItem,
  type BadItem,
  type Journal,
  type JournalBatch,
  type PatientRules,
  type SourceItem,
} from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { Anchorer } from "./anchorer.js";
import { grouped } from "./grouped.js";
import { takeIn, type IntakeParts } from "./intake.js";
import { refile } from "./refile.js";
import type { Source } from "./sources/index.js";
import { supersedeAmended } from "./supersede.js";

/** Items a durable commit: enough to share one fsync, few enough to hold in memory. */
const GROUP_ITEMS = 250;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Milliseconds that an item from a slow source waits for company. */
const GROUP_WAIT_MS = 200;
/** Milliseconds between looks at the chain while only waiting for it. */
const POLL_MS = 50;

export interface IngestProgress {
  /** Items read from the source. */
  read: number;
  known: number;
  sealed: number;
  waiting: number;
  dead: number;
  anchored: number;
  bytesRead: number;
  totalBytes: number | undefined;
}

export interface IngestOptions {
  /** Whose record an item is; default: what the items say. */
  rules?: PatientRules;
  /** Compartment that the records are filed in. Default "general". */
  compartment?: string;
  /** Most items of a batch. Default 1,000. */
  batchItems?: number;
  /** Milliseconds after which an incomplete batch is closed. Default 5,000. */
  batchWait?: number;
  onProgress?: (progress: IngestProgress) => void;
  /** Stops between groups: what was taken is safe, and the next run goes on. */
  signal?: AbortSignal;
}

export interface IngestResult extends IngestProgress {
  /** Batches anchored in this run. */
  batches: JournalBatch[];
  /** Items that could not be taken, with the reason of each. */
  refused: { label: string; error: ChartsealError }[];
  /** Older entries marked as superseded. */
  superseded: number;
  /** Why not everything sealed is anchored yet; it is safe, and the next run goes on. */
  failure?: ChartsealError;
}

export interface IngestParts {
  memberId: number;
  vault: Vault;
  store: BlobStore;
  journal: Journal;
  chain: Chain;
  writer: Writer;
}

/**
 * Takes all items of a source and anchors them. Bad items and a chain that is down never throw: they are in the
 * result. Everything taken survives a crash; run again, it goes on where it was.
 * @throws ERR_JOURNAL_LOCKED, ERR_STORE_FULL, ERR_STORE_FAILED, ERR_VAULT_DAMAGED, the signal's reason
 */
export async function ingest(parts: IngestParts, source: Source, options: IngestOptions = {}): Promise<IngestResult> {
  parts.journal.lock();
  const run = new Run(parts, source, options);
  await run.start();
  const weigh = (item: SourceItem | BadItem) => (isBadItem(item) ? 0 : (item.bytes?.length ?? 0));
  const limits = { items: GROUP_ITEMS, weight: GROUP_BYTES, weigh, wait: GROUP_WAIT_MS };
  for await (const group of grouped<SourceItem | BadItem>(source, limits)) {
    options.signal?.throwIfAborted();
    await run.take(group);
  }
  await run.finish();
  return run.result;
}

/** Anchors what earlier runs left, without new items; with `dead`, refused items get another chance. */
export async function retry(
  parts: IngestParts,
  options: IngestOptions & { dead?: boolean } = {},
): Promise<IngestResult> {
  parts.journal.lock();
  const nothing = { totalBytes: 0, bytesRead: 0, async *[Symbol.asyncIterator]() {} } satisfies Source;
  const run = new Run(parts, nothing, options);
  await run.start(options.dead ?? false);
  await run.finish();
  return run.result;
}

class Run {
  readonly result: IngestResult;
  readonly #parts: IngestParts & IntakeParts;
  readonly #source: Source;
  readonly #options: IngestOptions;
  readonly #anchorer: Anchorer;

  constructor(parts: IngestParts, source: Source, options: IngestOptions) {
    this.#parts = {
      ...parts,
      rules: options.rules ?? DEFAULT_RULES,
      compartment: options.compartment ?? "general",
    };
    this.#source = source;
    this.#options = options;
    this.result = {
      ...{ read: 0, known: 0, sealed: 0, waiting: 0, dead: 0, anchored: 0, bytesRead: 0, superseded: 0 },
      totalBytes: source.totalBytes,
      batches: [],
      refused: [],
    };
    this.#anchorer = new Anchorer({
      ...parts,
      batchItems: options.batchItems ?? 1_000,
      batchWait: options.batchWait ?? 5_000,
      onAnchored: (batch) => {
        this.result.batches.push(batch);
        this.result.anchored += batch.count;
        this.#report();
      },
    });
  }

  async start(dead = false): Promise<void> {
    refile(this.#parts, dead);
    await this.#onChain(() => this.#anchorer.reconcile());
  }

  async take(group: readonly (SourceItem | BadItem)[]): Promise<void> {
    const taken = await takeIn(this.#parts, group);
    this.result.read += group.length;
    this.result.known += taken.known;
    this.result.sealed += taken.sealed;
    this.result.waiting += taken.waiting;
    this.result.dead += taken.dead.length;
    this.result.refused.push(...taken.dead);
    this.#report();
    // A chain that is down does not stop the intake: what is sealed is safe.
    if (this.result.failure === undefined) await this.#onChain(() => this.#anchorer.pump(false));
  }

  async finish(): Promise<void> {
    delete this.result.failure;
    await this.#onChain(async () => {
      while (this.#anchorer.pending) {
        this.#options.signal?.throwIfAborted();
        await this.#anchorer.pump(true);
        if (this.#anchorer.pending) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      const { journal, chain, writer, memberId } = this.#parts;
      const entries = new Entries(journal, memberId);
      this.result.superseded = await supersedeAmended(
        { journal, entries, chain, writer, memberId },
        this.#options.signal,
      );
    });
    this.#report();
  }

  async #onChain(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ChartsealError) || !ofTheChain(error)) throw error;
      this.result.failure = error;
    }
  }

  #report(): void {
    this.result.bytesRead = this.#source.bytesRead;
    this.result.totalBytes = this.#source.totalBytes;
    this.#options.onProgress?.(this.result);
  }
}

function ofTheChain(error: ChartsealError): boolean {
  return ["ERR_RPC_UNAVAILABLE", "ERR_TIMEOUT", "ERR_CHAIN_REFUSED", "ERR_CHAIN_MISMATCH"].includes(error.code);
}
