// SPDX-License-Identifier: Apache-2.0
import {
  EventState,
  ItemState,
  SET_ASIDE,
  isAlteredError,
  isAlteredRow,
  takeBack,
  type AlteredRow,
  type ItemEvent,
  type Journal,
  type JournalItem,
} from "../records/index.js";
import type { Filer, Filing } from "./filing.js";
import { changedPatient } from "./intake.js";
import { withdrawFor, withdrawKeys } from "./item-events.js";

/** Items a transaction, so that a long list neither holds the journal's lock nor fills the memory. */
const ITEMS_PER_COMMIT = 500;

export interface RefileParts {
  journal: Journal;
  filer: Pick<Filer, "file" | "amending" | "forget">;
}

/**
 * Files items whose patient was unknown and is enrolled now; with `dead`, also those that were refused but whose
 * body is safe, for the rules may have changed.
 * @returns how many can be anchored now
 */
export function refile(parts: RefileParts, dead = false): number {
  let filed = 0;
  for (const some of refileInSteps(parts, dead)) filed += some;
  return filed;
}

/** As {@link refile}, a commit a step, so that others may work between; each step says how many it filed. */
export function* refileInSteps(parts: RefileParts, dead = false): Generator<number, void, undefined> {
  const { journal, filer } = parts;
  // The refused first: what waits may amend one of them.
  for (const state of dead ? [ItemState.DEAD, ItemState.WAITING] : [ItemState.WAITING]) {
    for (let last = 0; ;) {
      filer.forget();
      const items = journal.rowsIn(state, ITEMS_PER_COMMIT, last);
      let filed = 0;
      journal.database.transaction(() => {
        for (const item of items) if (refileSound(parts, item)) filed++;
      });
      yield filed;
      if (items.length < ITEMS_PER_COMMIT) break;
      last = items.at(-1)!.id;
    }
  }
}

/** How an item is filed now. */
interface Decision {
  state: ItemState;
  reason: string | undefined;
  patient: Filing["patient"];
  /** Row of the item that it amends. */
  amends: number | undefined;
}

/** What was altered, or amends what was, stays as it is. */
function refileSound(parts: RefileParts, item: JournalItem | AlteredRow): boolean {
  const { journal } = parts;
  try {
    if (isAlteredRow(item)) return !hasSuccessor(journal, item) && takeBack(journal, item.id);
    return refileOne(parts, item);
  } catch (error) {
    if (isAlteredError(error)) return false;
    throw error;
  }
}

/** Files one item as it is filed now. @returns whether it can be anchored since */
export function refileOne({ journal, filer }: RefileParts, item: JournalItem): boolean {
  // Without a body, or outdated: a newer version of it was taken since, which cannot amend a later entry.
  const lost = item.cid === undefined || item.erased || hasSuccessor(journal, item);
  if (item.state === ItemState.DEAD && lost) return false;
  const details = journal.details(item.id);
  // It was filed before it was set aside, and whom it names was forgotten then.
  if (item.reason === SET_ASIDE && details.subjects === undefined) return takeBack(journal, item.id);
  const amended = amendedOf(journal, item);
  const found = filer.file({ ...details, subjects: details.subjects ?? [] });
  const filing = { ...found, patient: filer.amending(found.patient, amended) };
  const { state, reason, patient, amends } = decide(filing, amended);
  if (state === item.state && reason === item.reason && amends === item.amends) return false;
  const { patientId, compartment } = patient ?? {};
  journal.change(item, { state, reason, patientId, compartment, amends });
  if (state !== ItemState.SEALED) return false;
  const { subjects: _, administrative: __, event, ...kept } = details;
  const open = event !== undefined && followUp(journal, item, event);
  journal.setDetails(item.id, open ? { ...kept, event } : kept);
  return true;
}

/** What follows of an item that is filed only now. @returns whether it is still open */
function followUp(journal: Journal, before: JournalItem, event: ItemEvent): boolean {
  const item = journal.item(before.id)!;
  if (event.kind === "delete") {
    if (before.state === ItemState.DEAD) withdrawKeys(journal, event.keys, item.id);
    return false;
  }
  if (event.kind !== "withdraw") {
    if (item.event === undefined) journal.change(item, { event: EventState.OPEN });
    return item.event !== EventState.SETTLED;
  }
  const { withdrawn, open } = withdrawFor(journal, item, event, item.id);
  journal.change(item, { amends: undefined, withdrawn, event: open ? EventState.OPEN : undefined });
  return open;
}

function decide(filing: Filing, amended: JournalItem | undefined): Decision {
  const error = filing.error ?? changedPatient(amended, filing.patient?.patientId);
  const waits = filing.state === ItemState.WAITING || amended?.state === ItemState.WAITING;
  const filed = waits ? ItemState.WAITING : ItemState.SEALED;
  return {
    state: error === undefined ? filed : ItemState.DEAD,
    reason: error?.code,
    patient: filing.patient,
    amends: amended?.id,
  };
}

/** The item that this one amends now: one that was refused or retracted since gives way to what it amended. */
function amendedOf(journal: Journal, item: JournalItem): JournalItem | undefined {
  let amended = item.amends === undefined ? undefined : journal.item(item.amends);
  while (amended !== undefined && hasGivenWay(amended)) {
    amended = amended.amends === undefined ? undefined : journal.item(amended.amends);
  }
  return amended;
}

function hasGivenWay({ state, retracted, withdrawn }: JournalItem): boolean {
  return state === ItemState.DEAD || retracted || withdrawn !== undefined;
}

function hasSuccessor(journal: Journal, { id }: Pick<JournalItem, "id">): boolean {
  const newer = journal.database.get(
    `SELECT 1 FROM items WHERE source_mac = (SELECT source_mac FROM items WHERE id = ?) AND id > ?
       AND state <> ${ItemState.DEAD} AND retracted = 0 AND withdrawn IS NULL`,
    id,
    id,
  );
  return newer !== undefined;
}
