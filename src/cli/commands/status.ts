// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import { countUnretracted, openEvents } from "../../ingest/index.js";
import {
  ItemState,
  SET_ASIDE,
  figuresOf,
  isAlteredRow,
  receivedAt,
  type ItemEvent,
  type Journal,
  type JournalFigures,
  type JournalItem,
} from "../../records/index.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { span } from "../progress.js";
import { explained, type ExplainedLetters } from "../reasons.js";
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
  const figures = figuresOf(journal.database);
  const { items } = figures;
  const ages = agesOf(figures);
  const deadLetters = explained(figures.deadLetters);
  const openBatches = journal.openBatches().map(({ firstIndex, count, state, transactionHash }) => ({
    firstIndex,
    count,
    state: nameOf(state),
    ...(transactionHash === undefined ? {} : { transactionHash }),
  }));
  const head = await heads(chartseal, figures.logHead);
  const toRetract = countUnretracted(journal);
  const events = openEvents(journal).length;
  const list = values.list === true ? unfinished(journal) : undefined;
  const member = chartseal.config.member;
  const counts = { items, ...ages, deadLetters, openBatches, head, toRetract, events };
  context.print(
    { member, ...counts, ...(list === undefined ? {} : { list }) },
    [
      table(["STATE", "ITEMS"], Object.entries(items)),
      `log head: ${head.journal} in the journal, ${head.chain ?? "unknown (the node does not answer)"} on chain`,
      ...ageLines(ages),
      ...openBatches.map(
        (batch) => `open batch: ${batch.count} entries from ${batch.firstIndex}, ${batch.state}`,
      ),
      ...(toRetract === 0 ? [] : [`to be retracted: ${toRetract} items that their source took back`]),
      ...(events === 0 ? [] : [`to be decided: what follows of ${events} items`]),
      ...deadLines(deadLetters),
      ...listLines(list ?? []),
    ].join("\n"),
  );
}

/** Seconds for which the oldest items wait; left out for none. */
interface Ages {
  oldestUnanchoredSeconds?: number;
  oldestWaitingSeconds?: number;
}

function agesOf({ oldestUnanchored, oldestWaiting }: JournalFigures, now = Date.now() / 1_000): Ages {
  const age = (since: number) => Math.max(0, Math.floor(now - since));
  return {
    ...(oldestUnanchored === undefined ? {} : { oldestUnanchoredSeconds: age(oldestUnanchored) }),
    ...(oldestWaiting === undefined ? {} : { oldestWaitingSeconds: age(oldestWaiting) }),
  };
}

function ageLines({ oldestUnanchoredSeconds: unanchored, oldestWaitingSeconds: waiting }: Ages): string[] {
  return [
    ...(unanchored === undefined
      ? []
      : [`not anchored: the oldest came ${span(unanchored)} ago; \`chartseal retry\` goes on`]),
    ...(waiting === undefined
      ? []
      : [`waiting: the oldest came ${span(waiting)} ago; enrol its patient, then \`chartseal retry\``]),
  ];
}

function deadLines(letters: readonly ExplainedLetters[]): string[] {
  return letters.map(({ reason, count, stored, hint }) => {
    const safe = stored === 0 ? "" : ` (${stored} with their body)`;
    return `refused: ${count} by ${reason}${safe}: ${hint}`;
  });
}

function listLines(list: ReturnType<typeof unfinished>): string[] {
  if (list.length === 0) return [];
  const rows = list.map((item) => [item.item, item.state, item.receivedAt, item.reason, item.label]);
  return [table(["ITEM", "STATE", "RECEIVED", "REASON", "LABEL"], rows)];
}

async function heads(
  { chain, config }: Chartseal,
  own: number,
): Promise<{ journal: number; chain: number | null }> {
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

/** Of a row that was altered nothing may be shown. */
const ALTERED: { receivedAt?: string; reason: string; label: string } = { reason: SET_ASIDE, label: "" };

/** What waits for its patient or was refused, as only who unlocked the vault may see it. */
function unfinished(journal: Journal) {
  const found = ([ItemState.WAITING, ItemState.DEAD] as const).flatMap((state) =>
    journal.rowsIn(state).flatMap((row) => (isAlteredRow(row) || !row.erased ? [{ state, row }] : [])),
  );
  const listed = found.map(({ state, row }) => ({
    item: row.id,
    state: nameOf(state),
    ...(isAlteredRow(row) ? ALTERED : described(journal, row)),
  }));
  return [...listed, ...openEvents(journal).map((id) => eventOf(journal, id))];
}

/** An item of which something follows; `chartseal settle` takes it off the list. */
function eventOf(journal: Journal, id: number) {
  const { event, label } = journal.details(id);
  const received = new Date(receivedAt(journal, id) * 1_000).toISOString();
  return { item: id, state: "to decide", receivedAt: received, reason: WORDS[event?.kind ?? "ask"], label };
}

function described(
  journal: Journal,
  { id, reason }: JournalItem,
): { receivedAt?: string; reason?: string; label: string } {
  const at = new Date(receivedAt(journal, id) * 1_000).toISOString();
  return { receivedAt: at, ...(reason === undefined ? {} : { reason }), label: journal.details(id).label };
}

function nameOf(state: ItemState): string {
  return NAMES.find(([, known]) => known === state)?.[0] ?? String(state);
}
