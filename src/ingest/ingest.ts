// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { isBadItem, type BadItem, type SourceItem } from "../records/index.js";
import { MOST_BATCH_ITEMS } from "./batches.js";
import { GROUP_BYTES, GROUP_ITEMS, grouped } from "./grouped.js";
import type { IngestOptions, IngestParts, IngestResult } from "./ingest-run.js";
import { Run } from "./run.js";
import type { Source } from "./sources/index.js";

/** Milliseconds that an item from a slow source waits for company. */
const GROUP_WAIT_MS = 200;

/**
 * Takes all items of a source and anchors them. Bad items and a chain that is down never throw: they are in the
 * result. Everything taken survives a crash; run again, it goes on where it was.
 * @throws ERR_JOURNAL_LOCKED, ERR_STORE_FULL, ERR_STORE_FAILED, ERR_VAULT_DAMAGED, ERR_TIMEOUT when another process
 * keeps a file locked, ERR_USAGE for an option out of range, the signal's reason
 */
export async function ingest(
  parts: IngestParts,
  source: Source,
  options: IngestOptions = {},
): Promise<IngestResult> {
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

const NOTHING: Source = { totalBytes: 0, bytesRead: 0, async *[Symbol.asyncIterator]() {} };

/**
 * Anchors what earlier runs left, without new items; with `dead`, refused items get another chance. `misfiled` names an
 * item that was refused for another patient than before: it is right, and what was filed before is taken back.
 * @throws ERR_USAGE when `misfiled` is no such item; else as {@link ingest}
 */
export async function retry(
  parts: IngestParts,
  options: IngestOptions & { dead?: boolean; misfiled?: number } = {},
): Promise<IngestResult> {
  checkOptions(options);
  using _ = parts.journal.lock();
  await using run = new Run(parts, NOTHING, options);
  if (options.misfiled !== undefined) run.correct(options.misfiled);
  run.start(options.dead ?? false);
  await run.finish();
  return run.result;
}

/** @throws ERR_USAGE */
export function checkOptions({ batchItems = 1, batchWait = 0, chainWait = 0 }: IngestOptions): void {
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
