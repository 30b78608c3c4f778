// SPDX-License-Identifier: Apache-2.0
import { ItemState, resolveSubject, type Journal, type JournalItem, type PatientRules } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import { filingOf } from "./filing.js";
import { changedPatient } from "./intake.js";

/** Items a transaction, so that a long list does not hold the journal's lock. */
const ITEMS_PER_COMMIT = 500;

export interface RefileParts {
  vault: Vault;
  journal: Journal;
  rules: PatientRules;
  compartment: string;
}

/**
 * Files items whose patient was unknown and is enrolled now; with `dead`, also those that were refused but whose
 * body is safe, for the rules may have changed.
 * @returns how many can be anchored now
 */
export function refile(parts: RefileParts, dead = false): number {
  const { journal } = parts;
  const items = journal.itemsIn(ItemState.WAITING);
  if (dead) items.push(...journal.itemsIn(ItemState.DEAD).filter((item) => item.cid !== undefined));
  let filed = 0;
  for (let from = 0; from < items.length; from += ITEMS_PER_COMMIT) {
    journal.database.transaction(() => {
      for (const item of items.slice(from, from + ITEMS_PER_COMMIT)) if (refileOne(parts, item)) filed++;
    });
  }
  return filed;
}

function refileOne(parts: RefileParts, item: JournalItem): boolean {
  const { journal, vault, rules } = parts;
  const details = journal.details(item.id);
  const subject = { ...details, subjects: details.subjects ?? [] };
  const filing = filingOf(parts, resolveSubject(subject, rules, (ref) => vault.patientByIdentifier(ref)));
  const amended = item.amends === undefined ? undefined : journal.item(item.amends);
  const error = filing.error ?? changedPatient(amended?.patientId, filing.patient?.patientId);
  const state = error === undefined ? filing.state : ItemState.DEAD;
  if (state === item.state && error?.code === item.reason) return false;
  journal.database.run(
    "UPDATE items SET state = ?, reason = ?, patient_id = ?, compartment = ? WHERE id = ?",
    state,
    error?.code ?? null,
    filing.patient === undefined ? null : Buffer.from(filing.patient.patientId.slice(2), "hex"),
    filing.patient?.compartment ?? null,
    item.id,
  );
  if (state !== ItemState.SEALED) return false;
  const { subjects: _, ...kept } = details;
  journal.setDetails(item.id, kept);
  return true;
}
