// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import {
  isBadItem,
  type BadItem,
  type Journal,
  type JournalBatch,
  type PatientRules,
  type SourceItem,
} from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { MOST_BATCH_ITEMS } from "./batches.js";
import { grouped } from "./grouped.js";
import { Run } from "./run.js";
import type { Source } from "./sources/index.js";

/** Items a durable commit: enough to share three fsyncs of some 10 ms, few enough to hold in memory. */
const GROUP_ITEMS = 500;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Milliseconds that an item from a slow source waits for company. */
const GROUP_WAIT_MS = 200;

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
  /** Most items of a batch: 1 to 10,000. Default 1,000. */
  batchItems?: number;
  /** Milliseconds after which an incomplete batch is closed. Default 5,000. */
  batchWait?: number;
  /** Milliseconds that the end of the run waits for a node that does not answer. Default 15,000. */
  chainWait?: number;
  onProgress?: (progress: IngestProgress) => void;
  /** Stops between groups: what was taken is safe, and the next run goes on. */
  signal?: AbortSignal;
}

export interface IngestResult extends IngestProgress {
  /** Batches anchored in this run. */
  batches: JournalBatch[];
  /** Items that could not be taken, with the reason of each: the first 1,000. The journal lists all. */
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
 * @throws ERR_JOURNAL_LOCKED, ERR_STORE_FULL, ERR_STORE_FAILED, ERR_VAULT_DAMAGED, ERR_TIMEOUT when another process
 * keeps a file locked, ERR_USAGE for an option out of range, the signal's reason
 */
export async function ingest(parts: IngestParts, source: Source, options: IngestOptions = {}): Promise<IngestResult> {
  checkOptions(options);
  using _ = parts.journal.lock();
  await using run = new Run(parts, source, options);
  run.start();
  // All bytes count, also those not held: the larger ones are a commit each.
  const weigh = (item: SourceItem | BadItem) => (isBadItem(item) ? 0 : item.size);
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
  checkOptions(options);
  using _ = parts.journal.lock();
  const nothing = { totalBytes: 0, bytesRead: 0, async *[Symbol.asyncIterator]() {} } satisfies Source;
  await using run = new Run(parts, nothing, options);
  run.start(options.dead ?? false);
  await run.finish();
  return run.result;
}

function checkOptions({ batchItems = 1, batchWait = 0, chainWait = 0 }: IngestOptions): void {
  if (!Number.isSafeInteger(batchItems) || batchItems < 1 || batchItems > MOST_BATCH_ITEMS) {
    throw new ChartsealError("ERR_USAGE", `batchItems is a whole number from 1 to ${MOST_BATCH_ITEMS}`, {
      values: { batchItems },
    });
  }
  if (!(batchWait >= 0) || !(chainWait >= 0)) {
    throw new ChartsealError("ERR_USAGE", "batchWait and chainWait are milliseconds, 0 or more", {
      values: { batchWait, chainWait },
    });
  }
}
