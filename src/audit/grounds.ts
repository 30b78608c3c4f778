// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Act, AuditEntry, EmergencyState, Filed, Ground } from "./audit.js";

/** What a patient's accesses rest on, by terms hash, from all of his events in chain order. */
export function groundsOf(entries: readonly AuditEntry[]): Map<Hex, Ground> {
  const grounds = new Map<Hex, Ground>();
  /** Papers come just before the grant that they attest. */
  const papers = new Map<Hex, Pick<Ground, "persons" | "document">>();
  for (const entry of entries) {
    if (entry.kind === "grant-given") {
      const { at, givenBy, termsHash } = entry;
      const paper = givenBy === "WITNESSES" ? papers.get(termsHash) : undefined;
      grounds.set(termsHash, { at, givenBy, ...paper });
    }
    if (!("details" in entry) || entry.details.terms === undefined) continue;
    const termsHash = entry.details.terms as Hex;
    if (entry.kind === "witnessed") papers.set(termsHash, paperOf(entry));
    else if (entry.kind === "order-entered") grounds.set(termsHash, { at: entry.at, ...paperOf(entry) });
    else if (isEmergency(entry)) grounds.set(termsHash, emergencyGround(entry, termsHash));
    else account(entry, grounds.get(termsHash)?.emergency);
  }
  return grounds;
}

/** Whether an event began an emergency, or tells of one that was over. */
export function isEmergency(entry: AuditEntry): entry is Act {
  return entry.kind === "glass-broken" || entry.kind === "glass-late";
}

function paperOf({ details }: Act): Pick<Ground, "persons" | "document"> {
  const { first = "", second = "", document } = details;
  return { persons: [first, second], ...(document === undefined ? {} : { document }) };
}

function emergencyGround({ at, member, details }: Act, windowId: Hex): Ground {
  const { reader = "", second = "", statement: reason = "", released, release = "" } = details;
  const late = released === undefined ? {} : { late: { released, release } };
  return {
    at,
    persons: [reader, second],
    emergency: { windowId, member: member ?? 0, reason, ...late, overdue: false },
  };
}

/** Files what was said about an emergency, or that nothing was. */
function account(act: Act, emergency: EmergencyState | undefined): void {
  if (emergency === undefined) return;
  const { officer = "", statement = "", verdict = "" } = act.details;
  const filed: Filed = { at: act.at, officer, statement };
  if (act.kind === "glass-overdue") emergency.overdue = true;
  if (act.kind === "glass-justified") Object.assign(emergency, { justified: filed, overdue: false });
  if (act.kind === "glass-reviewed") emergency.reviewed = { ...filed, verdict };
}

/** Of all grounds, those of the shown accesses and emergencies. */
export function shownGrounds(
  grounds: ReadonlyMap<Hex, Ground>,
  shown: readonly AuditEntry[],
): Record<Hex, Ground> {
  const refs = shown.flatMap((entry) => {
    if (entry.kind === "access") return [entry.basisRef];
    return isEmergency(entry) ? [entry.details.terms as Hex] : [];
  });
  const found = [...new Set(refs)].flatMap((ref) => {
    const ground = grounds.get(ref);
    return ground === undefined ? [] : [[ref, ground] as const];
  });
  return Object.fromEntries(found);
}
