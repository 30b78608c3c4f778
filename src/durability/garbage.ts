// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import type { Journal } from "../records/index.js";
import { CidSet, type BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { namedBodies } from "./named-bodies.js";
import { OwnOrphans } from "./own-orphans.js";

export interface GarbageParts {
  memberId: number;
  vault: Vault;
  journal: Journal;
  store: BlobStore;
  chain: Chain;
}

export interface GarbageOptions {
  /** Seconds that a body must have been an orphan in the eyes of earlier runs. */
  age: number;
  /** When earlier runs first saw which orphan: CID to Unix seconds. */
  seen: ReadonlyMap<string, number>;
  /** Only says what would be removed. */
  dryRun?: boolean;
  /** Unix seconds. */
  now?: number;
  onProgress?: (progress: { checked: number }) => void;
  signal?: AbortSignal;
}

export interface Garbage {
  /** Bodies of erased entries, removed at once. */
  erased: number;
  /** What crashed ingests left, removed. */
  orphans: number;
  /** Of both. */
  bytes: number;
  /** Orphans that are not old enough. */
  young: number;
  /** Bodies that neither this member's journal nor its vault know: other members', or older than a restored copy. */
  unknown: number;
  /** For the next run. */
  seen: Map<string, number>;
}

/**
 * Removes bodies that nothing names and that are this member's own: an orphan that a run saw at least `age` before, and
 * at once what was erased. Other members' bodies in a shared store are never touched.
 *
 * A body is stored before the journal names it. Against removing one that is on its way, three things stand: no ingest
 * runs meanwhile, for this holds the journal's lock; what is filed without the lock has the age to end; and the journal
 * is asked again before each removal.
 * @throws ERR_JOURNAL_LOCKED while an ingest runs, ERR_CHAIN_MISMATCH when the chain knows entries that the journal does
 * not, ERR_VAULT_RESTORED, what the store throws; a replica that does not answer ends it before anything is removed
 */
export async function collectGarbage(parts: GarbageParts, options: GarbageOptions): Promise<Garbage> {
  const { journal, store } = parts;
  const { now = Date.now() / 1_000, age, dryRun = false, onProgress, signal } = options;
  using _ = journal.lock();
  await requireWholeJournal(parts);
  const { named, erased, recordIds, lastItem } = readJournal(parts);
  using own = new OwnOrphans(parts, recordIds);
  const result: Garbage = { erased: 0, orphans: 0, bytes: 0, young: 0, unknown: 0, seen: new Map() };
  const due: { cid: string; size: number }[] = [];
  let checked = 0;
  for await (const body of store.list()) {
    signal?.throwIfAborted();
    onProgress?.({ checked: ++checked });
    const { cid } = body;
    if (named.has(cid)) continue;
    if (erased.has(cid)) due.push(body);
    else if (!(await own.has(body))) result.unknown++;
    else {
      const first = Math.min(options.seen.get(cid) ?? now, now);
      result.seen.set(cid, first);
      if (now - first >= age) due.push(body);
      else result.young++;
    }
  }
  for (const { cid, size } of due) {
    signal?.throwIfAborted();
    if (isNamedSince(journal, cid, lastItem)) continue;
    if (!dryRun) await store.delete(cid);
    result.bytes += size;
    if (erased.has(cid)) result.erased++;
    else result.orphans++;
    if (!dryRun) result.seen.delete(cid);
  }
  return result;
}

function readJournal({ journal, vault }: GarbageParts) {
  const named = new CidSet();
  const recordIds = new CidSet();
  const erased = new Set<string>();
  let lastItem = 0;
  for (const body of namedBodies(journal, vault)) {
    lastItem = body.itemId;
    recordIds.addBytes(body.recordId);
    if (body.erased) erased.add(body.cid);
    else named.add(body.cid);
  }
  for (const { manifestCid } of journal.batches()) named.add(manifestCid);
  return { named, erased, recordIds, lastItem };
}

function isNamedSince(journal: Journal, cid: string, lastItem: number): boolean {
  return journal.database.get("SELECT 1 FROM items WHERE id > ? AND cid = ?", lastItem, cid) !== undefined;
}

/** An older copy of the journal does not name what came after it. */
async function requireWholeJournal({ chain, journal, memberId }: GarbageParts): Promise<void> {
  const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
  const last = journal.batches().at(-1);
  const own = last === undefined ? 0 : last.firstIndex + last.count - 1;
  if (head <= own) return;
  throw new ChartsealError("ERR_CHAIN_MISMATCH", `the chain has ${head} entries, the journal ${own}`, {
    values: { head, own },
    hint: "the journal is an older copy: what it does not name may be needed. Restore the newest",
  });
}
