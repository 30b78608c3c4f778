// SPDX-License-Identifier: Apache-2.0
import { ItemState, type Journal, type JournalItem } from "../records/index.js";
import type { Filer, Filing } from "./filing.js";
import { changedPatient } from "./intake.js";

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
      const items = journal.itemsIn(state, ITEMS_PER_COMMIT, last);
      let filed = 0;
      journal.database.transaction(() => {
        for (const item of items) if (refileOne(parts, item)) filed++;
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

function refileOne({ journal, filer }: RefileParts, item: JournalItem): boolean {
  // Without a body, or outdated: a newer version of it was taken since, which cannot amend a later entry.
  const lost = item.cid === undefined || hasSuccessor(journal, item);
  if (item.state === ItemState.DEAD && lost) return false;
  const details = journal.details(item.id);
  const amended = amendedOf(journal, item);
  const found = filer.file({ ...details, subjects: details.subjects ?? [] });
  const filing = { ...found, patient: filer.amending(found.patient, amended) };
  const { state, reason, patient, amends } = decide(filing, amended);
  if (state === item.state && reason === item.reason && amends === item.amends) return false;
  journal.database.run(
    "UPDATE items SET state = ?, reason = ?, patient_id = ?, compartment = ?, amends = ? WHERE id = ?",
    state,
    reason ?? null,
    patient === undefined ? null : Buffer.from(patient.patientId.slice(2), "hex"),
    patient?.compartment ?? null,
    amends ?? null,
    item.id,
  );
  if (state !== ItemState.SEALED) return false;
  const { subjects: _, ...kept } = details;
  journal.setDetails(item.id, kept);
  return true;
}

function decide(filing: Filing, amended: JournalItem | undefined): Decision {
  const error = filing.error ?? changedPatient(amended?.patientId, filing.patient?.patientId);
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
  while (amended !== undefined && (amended.state === ItemState.DEAD || amended.retracted)) {
    amended = amended.amends === undefined ? undefined : journal.item(amended.amends);
  }
  return amended;
}

function hasSuccessor(journal: Journal, item: JournalItem): boolean {
  const newer = journal.database.get(
    `SELECT 1 FROM items WHERE source_mac = (SELECT source_mac FROM items WHERE id = ?) AND id > ?
       AND state <> ${ItemState.DEAD} AND retracted = 0`,
    item.id,
    item.id,
  );
  return newer !== undefined;
}
