// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, WITHDRAWN, type Chain, type Writer } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, isAlteredError, type Entries, type Journal } from "../records/index.js";

/** Transactions under way at a time, as for supersessions. */
const MOST_IN_FLIGHT = 16;
/** The newest marks that are looked at for lost ones, as for supersessions. */
const MARKS_LOOKED_AT = 8 * MOST_IN_FLIGHT;

export interface RetractParts {
  journal: Journal;
  entries: Entries;
  chain: Chain;
  writer: Writer;
  memberId: number;
}

/** What became of an entry that is to be retracted. */
type Outcome = "retracted" | "known" | "held" | "altered";

/**
 * Marks on chain every anchored entry that its source took back. Safe to repeat. What is under legal hold stays as it
 * is, and is tried again at the next run.
 */
export async function retractWithdrawn(
  parts: RetractParts,
  signal?: AbortSignal,
): Promise<{ retracted: number; held: number }> {
  const { journal } = parts;
  const found = { retracted: 0, held: 0 };
  for (let last = 0; ;) {
    signal?.throwIfAborted();
    const group = unmarked(journal, last);
    if (group.length === 0) return found;
    last = group.at(-1)!;
    const results = await Promise.allSettled(group.map((index) => retractOne(parts, index)));
    for (const result of results) {
      if (result.status === "rejected") continue;
      if (result.value === "retracted") found.retracted++;
      if (result.value === "held") found.held++;
    }
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

/** How many items their source took back that are not marked on chain yet. */
export function countUnretracted(journal: Journal): number {
  const sql = "SELECT count(*) AS n FROM items WHERE withdrawn IS NOT NULL AND retracted = 0";
  return Number(journal.database.get(sql)!["n"]);
}

/** Marks that the node lost with its last blocks are set again by {@link retractWithdrawn}. */
export async function unretractLost({
  journal,
  chain,
  memberId,
}: Omit<RetractParts, "entries" | "writer">): Promise<void> {
  for (;;) {
    const rows = journal.database.all(
      `SELECT log_index FROM items WHERE withdrawn IS NOT NULL AND retracted = 1 AND log_index IS NOT NULL
       ORDER BY withdrawn DESC, log_index DESC LIMIT ${MARKS_LOOKED_AT}`,
    );
    const indices = rows.map((row) => Number(row["log_index"]));
    const statuses = await chain.ask(() =>
      Promise.all(indices.map((index) => chain.recordsInBulk.statusOf(memberId, index))),
    );
    let lost = 0;
    for (const [position, index] of indices.entries()) {
      const stands = (Number(statuses[position]) & WITHDRAWN) !== 0;
      if (!stands && setRetracted(journal, index, false)) lost++;
    }
    // Those that were marked together were mined in any order, and may be lost one by one.
    if (lost === 0) return;
  }
}

/** Indices of anchored entries to be retracted, past an index. */
function unmarked(journal: Journal, past: number): number[] {
  // The unary + keeps SQLite from walking the whole log.
  const rows = journal.database.all(
    `SELECT log_index FROM items WHERE withdrawn IS NOT NULL AND retracted = 0 AND state = ${ItemState.ANCHORED}
       AND +log_index > ? ORDER BY +log_index LIMIT ${MOST_IN_FLIGHT}`,
    past,
  );
  return rows.map((row) => Number(row["log_index"]));
}

async function retractOne(
  { journal, entries, chain, writer, memberId }: RetractParts,
  index: number,
): Promise<Outcome> {
  const status = async () => Number(await chain.ask(() => chain.records.statusOf(memberId, index)));
  const before = await status();
  if ((before & ENTRY_STATUS.HELD) !== 0) return "held";
  if ((before & WITHDRAWN) === 0) {
    try {
      await writer.execute(await chain.records.retract.populateTransaction(entries.at(index)));
    } catch (error) {
      // Until its row is put back.
      if (isAlteredError(error)) return "altered";
      // Held, erased or retracted meanwhile.
      if (!(error instanceof ChartsealError) || error.values["reason"] !== "StatusForbids") throw error;
      if (((await status()) & WITHDRAWN) === 0) return "held";
    }
  }
  setRetracted(journal, index, true);
  return (before & WITHDRAWN) === 0 ? "retracted" : "known";
}

/** An altered row stays as it is: it does not keep the others back. @returns whether it was changed */
function setRetracted(journal: Journal, index: number, retracted: boolean): boolean {
  try {
    journal.database.transaction(() => journal.change(journal.itemAt(index)!, { retracted }));
    return true;
  } catch (error) {
    if (isAlteredError(error)) return false;
    throw error;
  }
}
