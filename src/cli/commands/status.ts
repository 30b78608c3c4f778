// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import { countUnretracted, openEvents } from "../../ingest/index.js";
import {
  ItemState,
  SET_ASIDE,
  isAlteredRow,
  type ItemEvent,
  type Journal,
  type JournalItem,
} from "../../records/index.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

const NAMES = Object.entries(ItemState).map(([name, state]) => [name.toLowerCase(), state] as const);

/** What an item says, for the list. */
const WORDS: Readonly<Record<ItemEvent["kind"], string>> = {
  merge: "two patients are one",
  unlink: "two patients are not one",
  ask: "identifiers or results moved",
  withdraw: "takes back what is not here",
  delete: "deletes",
};

export async function run(context: Context, values: { list?: boolean }): Promise<void> {
  await using chartseal = await openMember(context, { chain: "expected" });
  const { journal } = chartseal;
  const counts = journal.counts();
  const items = Object.fromEntries(NAMES.map(([name, state]) => [name, counts.get(state) ?? 0]));
  const openBatches = journal.openBatches().map(({ firstIndex, count, state, transactionHash }) => ({
    firstIndex,
    count,
    state: nameOf(state),
    ...(transactionHash === undefined ? {} : { transactionHash }),
  }));
  const head = await heads(chartseal);
  const toRetract = countUnretracted(journal);
  const events = openEvents(journal).length;
  const list = values.list === true ? unfinished(journal) : undefined;
  const lines = [
    table(["STATE", "ITEMS"], Object.entries(items)),
    `log head: ${head.journal} in the journal, ${head.chain ?? "unknown (the node does not answer)"} on chain`,
    ...openBatches.map(
      (batch) => `open batch: ${batch.count} entries from ${batch.firstIndex}, ${batch.state}`,
    ),
  ];
  if (toRetract > 0) lines.push(`to be retracted: ${toRetract} items that their source took back`);
  if (events > 0) lines.push(`to be decided: what follows of ${events} items`);
  if (list !== undefined && list.length > 0) {
    lines.push(
      table(
        ["ITEM", "STATE", "REASON", "LABEL"],
        list.map((item) => [item.item, item.state, item.reason, item.label]),
      ),
    );
  }
  const member = chartseal.config.member;
  context.print(
    { member, items, openBatches, head, toRetract, events, ...(list === undefined ? {} : { list }) },
    lines.join("\n"),
  );
}

async function heads({
  chain,
  journal,
  config,
}: Chartseal): Promise<{ journal: number; chain: number | null }> {
  const last = journal
    .batches()
    .filter((batch) => batch.state === ItemState.ANCHORED)
    .at(-1);
  const own = last === undefined ? 0 : last.firstIndex + last.count - 1;
  const { id } = config.member;
  if (id === undefined) return { journal: own, chain: 0 };
  try {
    return { journal: own, chain: Number(await chain.ask(() => chain.records.headOf(id))) };
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_RPC_UNAVAILABLE")
      return { journal: own, chain: null };
    throw error;
  }
}

/** What waits for its patient or was refused, as only who unlocked the vault may see it. */
function unfinished(journal: Journal) {
  const found = ([ItemState.WAITING, ItemState.DEAD] as const).flatMap((state) =>
    journal.rowsIn(state).map((row) => ({ state, row })),
  );
  const listed = found.map(({ state, row }) => ({
    item: row.id,
    state: nameOf(state),
    ...(isAlteredRow(row) ? { reason: SET_ASIDE, label: "" } : described(journal, row)),
  }));
  return [...listed, ...openEvents(journal).map((id) => eventOf(journal, id))];
}

/** An item of which something follows; `chartseal settle` takes it off the list. */
function eventOf(journal: Journal, id: number) {
  const { event, label } = journal.details(id);
  return { item: id, state: "to decide", reason: WORDS[event?.kind ?? "ask"], label };
}

function described(journal: Journal, { id, reason }: JournalItem): { reason?: string; label: string } {
  return { ...(reason === undefined ? {} : { reason }), label: journal.details(id).label };
}

function nameOf(state: ItemState): string {
  return NAMES.find(([, known]) => known === state)?.[0] ?? String(state);
}
