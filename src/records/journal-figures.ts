// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Database } from "../sqlite.js";
import { EventState, ItemState } from "./journal-schema.js";
import { openJournalFile } from "./named-bodies.js";

/** Milliseconds that a reading waits for a process that keeps the journal locked. */
const BUSY_TIMEOUT_MS = 1_000;

/** Dead items of one reason. */
export interface DeadLetters {
  /** Error code. */
  reason: string;
  count: number;
  /** Of these, items whose body was stored: they can be given another chance as they are. */
  stored: number;
}

/** The batch that was anchored last. */
export interface LastBatch {
  blockNumber: number;
  /** Unix seconds: when the first of its items came. */
  receivedAt: number;
}

/** What a journal tells without any key of the vault: counts, times of receipt, codes, and what is on chain anyway. */
export interface JournalFigures {
  /** Items by the state's name in lower case. */
  items: Record<string, number>;
  /** Unix seconds: when the oldest item came that is not anchored yet and waits for nobody. */
  oldestUnanchored?: number;
  /** Unix seconds: when the oldest item came that waits for its patient. */
  oldestWaiting?: number;
  deadLetters: DeadLetters[];
  /** Last index that the journal knows to be anchored; 0 for none. */
  logHead: number;
  lastBatch?: LastBatch;
  /** Items of which something follows that a person has to decide, or whose persons are not known yet. */
  openEvents: number;
  /** Signed transactions of batches that are not anchored yet. */
  signed: Hex[];
  openBatches: number;
}

/**
 * Reads a journal's figures, in a time that does not grow with what is anchored. Needs no passphrase, writes nothing.
 * @throws ERR_CONFIG_INVALID when there is none, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED, ERR_TIMEOUT
 */
export function readJournalFigures(path: string): JournalFigures {
  using database = openJournalFile(path, BUSY_TIMEOUT_MS);
  return figuresOf(database);
}

/** The figures of an open journal. */
export function figuresOf(database: Database): JournalFigures {
  const oldestUnanchored = oldestIn(database, ItemState.SEALED, ItemState.BATCHED, ItemState.SUBMITTED);
  const oldestWaiting = oldestIn(database, ItemState.WAITING);
  const { logHead, lastBatch } = anchoredIn(database);
  return {
    items: itemsIn(database),
    ...(oldestUnanchored === undefined ? {} : { oldestUnanchored }),
    ...(oldestWaiting === undefined ? {} : { oldestWaiting }),
    deadLetters: deadIn(database),
    logHead,
    openEvents: Number(
      database.get(`SELECT count(*) AS n FROM items WHERE event = ${EventState.OPEN}`)!["n"],
    ),
    ...(lastBatch === undefined ? {} : { lastBatch }),
    ...openIn(database),
  };
}

function itemsIn(database: Database): Record<string, number> {
  // What was erased before it had its place waits for nothing.
  const rows = database.all(
    `SELECT state, count(*) AS n FROM items WHERE ${NOT_ANCHORED} AND erased = 0 GROUP BY state`,
  );
  // Items of a batch are counted by it: it is the batch that is sent, and there may be millions that are anchored.
  const batches = database.all("SELECT state, sum(count) AS n FROM batches GROUP BY state");
  const counts = new Map(rows.map((row) => [Number(row["state"]), Number(row["n"])]));
  for (const state of BATCH_STATES) counts.delete(state);
  for (const row of batches) counts.set(Number(row["state"]), Number(row["n"]));
  return Object.fromEntries(
    Object.entries(ItemState).map(([name, state]) => [name.toLowerCase(), counts.get(state) ?? 0]),
  );
}

/** Items get their ids in the order in which they come. */
function oldestIn(database: Database, ...states: ItemState[]): number | undefined {
  const times = states.flatMap((state) => {
    const row = database.get(
      `SELECT received_at FROM items WHERE state = ${state} AND ${NOT_ANCHORED} ORDER BY id LIMIT 1`,
    );
    return row === undefined ? [] : [Number(row["received_at"])];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

function deadIn(database: Database): DeadLetters[] {
  const rows = database.all(
    `SELECT reason, count(*) AS n, count(cid) AS stored FROM items
     WHERE state = ${ItemState.DEAD} AND ${NOT_ANCHORED} AND erased = 0 GROUP BY reason ORDER BY n DESC, reason`,
  );
  return rows.map((row) => ({
    reason: String(row["reason"]),
    count: Number(row["n"]),
    stored: Number(row["stored"]),
  }));
}

function anchoredIn(database: Database): { logHead: number; lastBatch?: LastBatch } {
  const batch = database.get(
    `SELECT id, first_index, count, block_number FROM batches WHERE state = ${ItemState.ANCHORED}
     ORDER BY first_index DESC LIMIT 1`,
  );
  if (batch === undefined) return { logHead: 0 };
  const logHead = Number(batch["first_index"]) + Number(batch["count"]) - 1;
  const first = database.get(
    "SELECT min(received_at) AS at FROM items WHERE batch_id = ?",
    Number(batch["id"]),
  );
  return {
    logHead,
    lastBatch: { blockNumber: Number(batch["block_number"]), receivedAt: Number(first!["at"]) },
  };
}

function openIn(database: Database): { openBatches: number; signed: Hex[] } {
  const open = database.all(`SELECT raw_transaction FROM batches WHERE ${NOT_ANCHORED}`);
  const signed = open.flatMap(({ raw_transaction: raw }) => (typeof raw === "string" ? [raw as Hex] : []));
  return { openBatches: open.length, signed };
}

const BATCH_STATES = [ItemState.BATCHED, ItemState.SUBMITTED, ItemState.ANCHORED];

/** The condition of the partial indexes, as in journal.ts. */
const NOT_ANCHORED = `state <> ${ItemState.ANCHORED}`;
