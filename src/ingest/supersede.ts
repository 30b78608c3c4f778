// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, isAlteredError, type Entries, type Journal } from "../records/index.js";

/** Transactions under way at a time: a block takes them all, and a failure leaves few in doubt. */
const MOST_IN_FLIGHT = 16;
/** The newest marks that are looked at for lost ones: what was in flight together, over several runs that failed. */
const MARKS_LOOKED_AT = 8 * MOST_IN_FLIGHT;

export interface SupersedeParts {
  journal: Journal;
  entries: Entries;
  chain: Chain;
  writer: Writer;
  memberId: number;
}

/** An entry and the one that amends it, by log index. */
interface Amendment {
  /** The older item's row. */
  id: number;
  older: number;
  newer: number;
}

/**
 * Marks on chain every anchored entry that a later anchored one amends. Safe to repeat.
 * @param most how many at a time; default: all
 * @returns how many were marked
 */
export async function supersedeAmended(
  parts: SupersedeParts,
  signal?: AbortSignal,
  most?: number,
): Promise<number> {
  const amendments = unmarked(parts.journal, most);
  let marked = 0;
  for (let from = 0; from < amendments.length; from += MOST_IN_FLIGHT) {
    signal?.throwIfAborted();
    const group = amendments.slice(from, from + MOST_IN_FLIGHT);
    const results = await Promise.allSettled(group.map((amendment) => mark(parts, amendment)));
    for (const result of results) if (result.status === "fulfilled" && result.value) marked++;
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
  return marked;
}

/**
 * Marks that the node lost with its last blocks are set again by {@link supersedeAmended}. They were sent several at a
 * time, and mined in any order: only a whole window that stands says that all before it stand too.
 */
export async function unmarkLost({
  journal,
  chain,
  memberId,
}: Omit<SupersedeParts, "entries" | "writer">): Promise<void> {
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const rows = journal.database.all(
      `SELECT id, log_index, superseded_by FROM items WHERE superseded_by < ? AND log_index IS NOT NULL
       ORDER BY superseded_by DESC LIMIT ${MARKS_LOOKED_AT}`,
      before,
    );
    const statuses = await chain.ask(() =>
      Promise.all(rows.map((row) => chain.recordsInBulk.statusOf(memberId, Number(row["log_index"])))),
    );
    const lost = rows.filter((_, position) => Number(statuses[position]) === 0);
    if (lost.length === 0) return;
    for (const { id } of lost) setSuperseded(journal, Number(id), undefined);
    before = Number(rows.at(-1)!["superseded_by"]);
  }
}

function unmarked(journal: Journal, most = -1): Amendment[] {
  const rows = journal.database.all(
    `SELECT older.id AS id, older.log_index AS older, newer.log_index AS newer
     FROM items newer JOIN items older ON older.id = newer.amends
     WHERE newer.amends IS NOT NULL AND newer.state = ${ItemState.ANCHORED}
       AND older.state = ${ItemState.ANCHORED} AND older.superseded_by IS NULL
       AND older.retracted = 0 AND newer.retracted = 0 AND older.withdrawn IS NULL AND newer.withdrawn IS NULL
       AND newer.amended_index = older.log_index
     ORDER BY newer.log_index LIMIT ?`,
    most,
  );
  return rows.map((row) => ({
    id: Number(row["id"]),
    older: Number(row["older"]),
    newer: Number(row["newer"]),
  }));
}

async function mark(parts: SupersedeParts, { id, older, newer }: Amendment): Promise<boolean> {
  const { journal, entries, chain, writer, memberId } = parts;
  let marked = false;
  if (Number(await chain.ask(() => chain.records.statusOf(memberId, older))) === 0) {
    try {
      const call = await chain.records.supersede.populateTransaction(entries.at(older), entries.at(newer));
      await writer.execute(call);
      marked = true;
    } catch (error) {
      // Until its row is put back.
      if (isAlteredError(error)) return false;
      // Held or retracted meanwhile: the new entry stands, the old one keeps its status.
      if (!(error instanceof ChartsealError) || error.values["reason"] !== "StatusForbids") throw error;
    }
  }
  setSuperseded(journal, id, newer);
  return marked;
}

/** An altered row stays as it is: it does not keep the others back. */
function setSuperseded(journal: Journal, id: number, supersededBy: number | undefined): void {
  try {
    journal.database.transaction(() => journal.change(journal.item(id)!, { supersededBy }));
  } catch (error) {
    if (!isAlteredError(error)) throw error;
  }
}
