// SPDX-License-Identifier: Apache-2.0
import { LIMITS, SECONDS_A_DAY, all } from "./acts.js";
import type { ActOf, Done, History, Reason } from "./acts.js";
import { directiveOf } from "./consent.js";
import { custodianOf, isDead } from "./patients.js";
import { enrolmentOf, pairFaults, staffFaults, when } from "./staff.js";

type Opening = Done<ActOf<"breakGlass">>;

export function windowOf(history: History, window: number): Opening | undefined {
  return all(history, "breakGlass").find((act) => act.window === window);
}

/** Whether the patient shuts emergencies out. */
export function deniesEmergencies(history: History, patient: string): boolean {
  const directive = directiveOf(history, patient);
  return directive.all || directive.emergencies;
}

export function breakGlassFaults(history: History, at: number, act: ActOf<"breakGlass">): Reason[] {
  const { patient, reader, colleague } = act;
  const member = enrolmentOf(history, reader)?.member;
  return [
    ...pairFaults(history, at, [reader, colleague], { role: "CLINICIAN", activity: "reading" }),
    ...when(member === custodianOf(history, patient), "pair"),
    ...when(isDead(history, patient), "standing"),
    ...when(deniesEmergencies(history, patient), "directive"),
    ...when(isOverQuota(history, at, act) || isStopped(history, act), "quota"),
  ];
}

/** Each window counts for both persons, and for the reader's member, on its day (UTC). */
function isOverQuota(history: History, at: number, { reader, colleague }: ActOf<"breakGlass">): boolean {
  const today = all(history, "breakGlass").filter((opening) => dayOf(opening.at) === dayOf(at));
  const member = enrolmentOf(history, reader)?.member;
  const ofMember = today.filter((opening) => enrolmentOf(history, opening.reader)!.member === member);
  return (
    ofMember.length >= LIMITS.memberQuota ||
    [reader, colleague].some((account) => {
      const person = enrolmentOf(history, account)?.person;
      return (
        today.filter((opening) => personsOf(history, opening).includes(person)).length >= LIMITS.personQuota
      );
    })
  );
}

/** What is overdue stops its persons; the reader's member from several persons on. */
function isStopped(history: History, { reader, colleague }: ActOf<"breakGlass">): boolean {
  const overdue = all(history, "breakGlass").filter(({ window }) => isOverdue(history, window));
  const accounts = overdue.flatMap((opening) => [opening.reader, opening.colleague]);
  const enrolments = accounts.map((account) => enrolmentOf(history, account)!);
  const stopped = new Set(enrolments.map(({ person }) => person));
  const member = enrolmentOf(history, reader)?.member;
  const ofMember = new Set(enrolments.filter((one) => one.member === member).map(({ person }) => person));
  return (
    [reader, colleague].some((account) => stopped.has(enrolmentOf(history, account)?.person ?? "")) ||
    ofMember.size >= LIMITS.overdueThreshold
  );
}

function isJustified(history: History, window: number): boolean {
  return all(history, "justify").some((act) => act.window === window);
}

function isFlagged(history: History, window: number): boolean {
  return all(history, "flag").some((act) => act.window === window);
}

/** Somebody flagged it, and nobody has justified it since. */
function isOverdue(history: History, window: number): boolean {
  return isFlagged(history, window) && !isJustified(history, window);
}

function personsOf(history: History, { reader, colleague }: Opening): (string | undefined)[] {
  return [reader, colleague].map((account) => enrolmentOf(history, account)!.person);
}

/** A REVIEWER of the reader's member; of the colleague's too once it is flagged; neither of the two persons. */
export function justificationFaults(history: History, at: number, act: ActOf<"justify">): Reason[] {
  const opening = windowOf(history, act.window);
  if (!opening) return ["standing", ...officerFaults(history, at, act.officer)];
  const officer = enrolmentOf(history, act.officer);
  const sides = [opening.reader, ...(isFlagged(history, act.window) ? [opening.colleague] : [])];
  const ofASide = sides.some((account) => enrolmentOf(history, account)!.member === officer?.member);
  return [
    ...officerFaults(history, at, act.officer),
    ...when(!ofASide || personsOf(history, opening).includes(officer?.person), "pair"),
    ...when(isJustified(history, act.window), "standing"),
  ];
}

function officerFaults(history: History, at: number, officer: string): Reason[] {
  return staffFaults(history, at, officer, { role: "REVIEWER", activity: "any", seasoned: true });
}

export function flagFaults(history: History, at: number, { window }: ActOf<"flag">): Reason[] {
  const opening = windowOf(history, window);
  const due =
    opening !== undefined &&
    at > opening.at + LIMITS.justifyWithin &&
    !isJustified(history, window) &&
    !isFlagged(history, window);
  return when(!due, "standing");
}

function dayOf(time: number): number {
  return Math.floor(time / SECONDS_A_DAY);
}
