// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, type Entries, type Journal } from "../records/index.js";

/** Flag of EntryStatus.sol. */
const SUPERSEDED = 1;

/**
 * Marks on chain every anchored entry that a later anchored one amends. Safe to repeat.
 * @returns how many were marked
 */
export async function supersedeAmended(
  parts: { journal: Journal; entries: Entries; chain: Chain; writer: Writer; memberId: number },
  signal?: AbortSignal,
): Promise<number> {
  const { journal, entries, chain, writer, memberId } = parts;
  const rows = journal.database.all(
    `SELECT newer.log_index AS newer, older.log_index AS older, older.id AS id
     FROM items newer JOIN items older ON older.id = newer.amends
     WHERE newer.state = ? AND older.state = ? AND older.superseded_by IS NULL AND older.retracted = 0
     ORDER BY newer.log_index`,
    ItemState.ANCHORED,
    ItemState.ANCHORED,
  );
  let marked = 0;
  for (const row of rows) {
    signal?.throwIfAborted();
    const older = entries.at(Number(row["older"]));
    const newer = entries.at(Number(row["newer"]));
    const status = await chain.ask(() => chain.records.statusOf(memberId, older.leaf.index));
    if ((Number(status) & SUPERSEDED) === 0) {
      try {
        await writer.execute(await chain.records.supersede.populateTransaction(older, newer));
        marked++;
      } catch (error) {
        // Held or retracted meanwhile: the new entry stands, the old one keeps its status.
        if (!(error instanceof ChartsealError) || error.values["reason"] !== "StatusForbids") throw error;
      }
    }
    journal.database.run("UPDATE items SET superseded_by = ? WHERE id = ?", newer.leaf.index, Number(row["id"]));
  }
  return marked;
}
