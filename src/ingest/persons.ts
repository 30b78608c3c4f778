// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import {
  EventState,
  isAlteredRow,
  selectItems,
  type IdentityPair,
  type Journal,
  type PatientRef,
} from "../records/index.js";
import type { Vault } from "../vault/index.js";

export interface PersonsParts {
  journal: Journal;
  vault: Vault;
}

/**
 * Follows what messages said of who is who (merges, links, and their end), oldest first: in the vault alone, nothing of
 * it goes on chain. Safe to repeat. What names a person who is not known yet waits, and so does what only a person can
 * decide.
 * @param after only of items past this row
 * @param asked rows of what only a person settles: they are not read, and those that are found are added
 * @returns how many were followed
 */
export function followEvents(
  { journal, vault }: PersonsParts,
  after = 0,
  asked: Set<number> = new Set(),
): number {
  let followed = 0;
  for (const id of openEvents(journal, after, asked)) {
    const { event, ...kept } = journal.details(id);
    if (event?.kind !== "merge" && event?.kind !== "unlink") {
      asked.add(id);
      continue;
    }
    const follow = event.kind === "merge" ? merge : unlink;
    if (!event.pairs.every((pair) => follow(vault, pair)) || event.pairs.length === 0) continue;
    // The vault first: a process that dies here finds it done.
    journal.database.transaction(() => {
      journal.setDetails(id, kept);
      settleEvent(journal, id);
    });
    followed++;
  }
  return followed;
}

/** Rows of the items with an event that was not followed yet, oldest first. */
export function openEvents(journal: Journal, after = 0, leftOut: ReadonlySet<number> = new Set()): number[] {
  const open = `event = ${EventState.OPEN} AND id > ? AND id NOT IN (SELECT value FROM json_each(?))`;
  const items = selectItems(journal, `${open} ORDER BY id`, after, JSON.stringify([...leftOut]));
  return items.filter((item) => !isAlteredRow(item)).map(({ id }) => id);
}

/** Takes note that nothing more follows of an item. @returns whether something did */
export function settleEvent(journal: Journal, id: number): boolean {
  return journal.database.transaction(() => {
    const item = journal.item(id);
    if (item?.event !== EventState.OPEN) return false;
    journal.change(item, { event: EventState.SETTLED });
    return true;
  });
}

/** True once the two are one person in the vault. */
function merge(vault: Vault, { from, into }: IdentityPair): boolean {
  const retired = patientsOf(vault, from);
  // Some senders list the retired identifier with those that stay.
  const staying = patientsOf(
    vault,
    into.filter((ref) => !from.some((other) => isSame(ref, other))),
  );
  const [duplicate, survivor] = [only(retired), only(staying)];
  if (duplicate === undefined || survivor === undefined) return false;
  return duplicate === survivor || done(() => vault.merges.merge(duplicate, survivor));
}

/** True once the two are two patients in the vault: the one whose identifiers came by a merge leaves. */
function unlink(vault: Vault, { from, into }: IdentityPair): boolean {
  const [one, other] = [only(patientsOf(vault, from)), only(patientsOf(vault, into))];
  if (one === undefined || other === undefined) return false;
  if (one !== other) return true;
  const isOf = (refs: readonly PatientRef[], duplicate: Hex) =>
    (vault.patient(duplicate).merged?.identifiers ?? []).some((own) => refs.some((ref) => isSame(ref, own)));
  const apart = (vault.patient(one).duplicates ?? []).filter((id) => isOf(from, id) !== isOf(into, id));
  const duplicate = only(new Set(apart));
  return duplicate !== undefined && done(() => vault.merges.unmerge(duplicate));
}

/** False when the vault refuses: a chain of merges is for a person to take apart. */
function done(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_USAGE") return false;
    throw error;
  }
}

function patientsOf(vault: Vault, refs: readonly PatientRef[]): Set<Hex> {
  const whole = refs.filter(({ system, value }) => system.trim() !== "" && value.trim() !== "");
  return new Set(whole.flatMap((ref) => vault.patientByIdentifier(ref) ?? []));
}

function isSame(one: PatientRef, other: PatientRef): boolean {
  const spelling = ({ system, value }: PatientRef) =>
    [system, value].map((text) => text.trim().normalize("NFC")).join("\u0000");
  return spelling(one) === spelling(other);
}

function only(ids: ReadonlySet<Hex>): Hex | undefined {
  const [id] = ids;
  return ids.size === 1 ? id : undefined;
}
