// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { namedBodies, type Journal } from "../records/index.js";
import { CidSet, type BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { OwnOrphans } from "./own-orphans.js";
import { requireWholeJournal } from "./whole-journal.js";

/** Rows fetched at a time: no read transaction stays open between pages. */
const PAGE = 1_000;

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
 * @throws ERR_JOURNAL_LOCKED while an ingest runs; ERR_CHAIN_MISMATCH, ERR_STORE_FAILED when the journal does not name
 * all that it should; ERR_VAULT_RESTORED; what the store throws: a replica that does not answer ends it before anything
 * is removed
 */
export async function collectGarbage(parts: GarbageParts, options: GarbageOptions): Promise<Garbage> {
  const { journal, store } = parts;
  const { now = Date.now() / 1_000, age, dryRun = false, onProgress, signal } = options;
  using _ = journal.lock();
  await requireWholeJournal(parts.chain, journal, parts.memberId);
  const { named, erased, recordIds, lastItem } = readJournal(journal);
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

function readJournal(journal: Journal) {
  const named = new CidSet();
  const recordIds = new CidSet();
  const erased = new Set<string>();
  const lastItem = Number(journal.database.get("SELECT max(id) AS last FROM items")!["last"] ?? 0);
  for (const body of namedBodies(journal.database, journal.rows)) {
    if (body.erased) erased.add(body.cid);
    else named.add(body.cid);
  }
  for (const recordId of recordIdsOf(journal)) recordIds.addBytes(recordId);
  return { named, erased, recordIds, lastItem };
}

function* recordIdsOf({ database }: Journal): Generator<Uint8Array> {
  for (let last = 0; ;) {
    const rows = database.all(
      "SELECT id, record_id FROM items WHERE id > ? AND record_id IS NOT NULL ORDER BY id LIMIT ?",
      last,
      PAGE,
    );
    for (const row of rows) yield row["record_id"] as Uint8Array;
    if (rows.length < PAGE) return;
    last = Number(rows.at(-1)!["id"]);
  }
}

function isNamedSince(journal: Journal, cid: string, lastItem: number): boolean {
  return journal.database.get("SELECT 1 FROM items WHERE id > ? AND cid = ?", lastItem, cid) !== undefined;
}
