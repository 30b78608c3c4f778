// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { ChartsealError } from "../errors.js";
import type { Journal } from "../records/index.js";

/**
 * Before what the journal does not name is taken for garbage: it must name everything that it ever did. An older copy
 * does not name what came after it, nor does one from which somebody took rows, or altered them.
 * @throws ERR_CHAIN_MISMATCH when the chain has entries that it lacks, ERR_STORE_FAILED when rows are missing or altered
 */
export async function requireWholeJournal(chain: Chain, journal: Journal, memberId: number): Promise<void> {
  const { items, batches } = journal.rows.findAltered(journal.database);
  const altered = items.length + batches.length;
  if (altered > 0) throw notWhole(`${altered} rows of the journal were altered past chartseal`);
  const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
  let own = 0;
  for (const batch of journal.batches()) {
    if (batch.firstIndex !== own + 1) throw notWhole(`the journal lacks the batch of entry ${own + 1}`);
    const found = journal.leafHashesOf(batch.id).length;
    if (found !== batch.count) {
      throw notWhole(`the journal has ${found} of the ${batch.count} entries from ${batch.firstIndex} on`);
    }
    own += batch.count;
  }
  if (head <= own) return;
  throw new ChartsealError("ERR_CHAIN_MISMATCH", `the chain has ${head} entries, the journal ${own}`, {
    values: { head, own },
    hint: "the journal is an older copy: what it does not name may be needed. Restore the newest",
  });
}

function notWhole(why: string): ChartsealError {
  return new ChartsealError("ERR_STORE_FAILED", why, {
    hint: "what it does not name may be needed: run `chartseal doctor`, and put the rows back from a backup",
  });
}
