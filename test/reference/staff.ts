// SPDX-License-Identifier: Apache-2.0
import { LIMITS, all } from "./acts.js";
import type { History, Reason } from "./acts.js";

type Activity = "reading" | "writing" | "any";

/** The member and person of an account, as enrolled. */
export function enrolmentOf(history: History, account: string) {
  return all(history, "enrol").find((act) => act.account === account);
}

/** The member that enrolled the person first. */
export function homeOf(history: History, person: string): number | undefined {
  return all(history, "enrol").find((act) => act.person === person)?.member;
}

/** A person is his first member's, and of those with which that one shares him. */
export function mayEnrol(history: History, member: number, person: string): boolean {
  const home = homeOf(history, person);
  const shared = all(history, "share").some((act) => act.person === person && act.member === member);
  return home === undefined || home === member || shared;
}

export function memberExists(history: History, member: number): boolean {
  return all(history, "admit").some((act) => act.member === member);
}

/** Whether an account may act in a role now; without a role, in any. `seasoned`: also past its waiting time. */
export function staffFaults(
  history: History,
  at: number,
  account: string,
  { role, activity, seasoned = false }: { role?: string; activity: Activity; seasoned?: boolean },
): Reason[] {
  const enrolled = enrolmentOf(history, account);
  if (!enrolled) return ["staff"];
  const terms = [enrolled, ...all(history, "update").filter((act) => act.account === account)];
  const current = terms.at(-1)!;
  const may =
    !all(history, "dismiss").some((act) => act.account === account) &&
    at <= current.notAfter &&
    (role === undefined || current.roles.includes(role)) &&
    memberMay(history, enrolled.member, activity) &&
    (!seasoned || at >= waitsFrom(terms) + LIMITS.waitingTime);
  return may ? [] : ["staff"];
}

/** When the account was last given a role that it did not have before. */
function waitsFrom(terms: readonly { at: number; roles: readonly string[] }[]): number {
  return terms.findLast(
    ({ roles }, place) => place === 0 || roles.some((role) => !terms[place - 1]!.roles.includes(role)),
  )!.at;
}

function memberMay(history: History, member: number, activity: Activity): boolean {
  if (all(history, "remove").some((act) => act.member === member)) return false;
  const suspension = all(history, "suspend").findLast((act) => act.member === member);
  return activity === "any" || !suspension?.[activity];
}

/** Whether two accounts are past their waiting time, in their role, and two persons. */
export function pairFaults(
  history: History,
  at: number,
  [first, second]: readonly [string, string],
  may: { role?: string; activity: Activity },
): Reason[] {
  const persons = [first, second].map((account) => enrolmentOf(history, account)?.person);
  return [
    ...staffFaults(history, at, first, { ...may, seasoned: true }),
    ...staffFaults(history, at, second, { ...may, seasoned: true }),
    ...when(persons[0] === persons[1], "pair"),
  ];
}

/** Whether a REVIEWER of another member than the custodian stands by the caller, who is another person. */
export function outsideReviewerFaults(
  history: History,
  at: number,
  { caller, reviewer, custodian }: { caller: string; reviewer: string; custodian: number },
): Reason[] {
  const other = enrolmentOf(history, reviewer);
  const own = enrolmentOf(history, caller);
  return [
    ...staffFaults(history, at, reviewer, { role: "REVIEWER", activity: "any", seasoned: true }),
    ...when(other?.member === custodian || other?.person === own?.person, "pair"),
  ];
}

/** The reason, if it holds. */
export function when(holds: boolean, reason: Reason): Reason[] {
  return holds ? [reason] : [];
}
