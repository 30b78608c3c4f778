// SPDX-License-Identifier: Apache-2.0
import { LIMITS, SECONDS_A_DAY, all } from "./acts.js";
import type { ActOf, Done, History, LogEntry, Reason } from "./acts.js";
import {
  areGuardians,
  conditionOf,
  custodianOf,
  keyOf,
  looseningFaults,
  signatureFaults,
} from "./patients.js";
import { enrolmentOf, outsideReviewerFaults, staffFaults, when } from "./staff.js";

const isRetracted = (history: History, entry: LogEntry) =>
  all(history, "retract").some((act) => act.entry === entry);
const isErased = (history: History, entry: LogEntry) =>
  all(history, "erase").some((act) => act.entry === entry);
const isSuperseded = (history: History, entry: LogEntry) =>
  all(history, "supersede").some((act) => act.older === entry);

/** Whether it can no longer be read. A superseded or held entry can. */
export function isWithdrawn(history: History, entry: LogEntry): boolean {
  return isRetracted(history, entry) || isErased(history, entry);
}

/** The hold that stands on an entry: past its end too, until it is lifted. */
export function holdOn(history: History, entry: LogEntry): Done<ActOf<"hold">> | undefined {
  const acts = all(history, "hold", "liftHold", "liftEndedHold").filter((act) => act.entry === entry);
  const last = acts.at(-1);
  return last?.kind === "hold" ? last : undefined;
}

/** The newest index of a member's log. */
export function logEnd(history: History, member: number): number {
  return all(history, "anchor")
    .filter((act) => act.member === member)
    .reduce((end, act) => end + act.entries.length, 0);
}

/** An OPERATOR of the log's own member. */
function operatorFaults(history: History, at: number, account: string, entry: LogEntry): Reason[] {
  return [
    ...staffFaults(history, at, account, { role: "OPERATOR", activity: "writing" }),
    ...when(enrolmentOf(history, account)?.member !== entry.member, "scope"),
  ];
}

export function supersessionFaults(history: History, at: number, act: ActOf<"supersede">): Reason[] {
  const { older, newer, operator } = act;
  const plain = !isSuperseded(history, older) && !isWithdrawn(history, older) && !holdOn(history, older);
  const fits =
    older.kind === "record" &&
    newer.kind === "record" &&
    newer.index > older.index &&
    newer.patient === older.patient &&
    newer.ref === String(older.index);
  return [
    ...operatorFaults(history, at, operator, older),
    ...operatorFaults(history, at, operator, newer),
    ...when(!fits || !plain || isWithdrawn(history, newer), "entry"),
  ];
}

export function retractionFaults(history: History, at: number, act: ActOf<"retract">): Reason[] {
  const { entry, operator } = act;
  return [
    ...operatorFaults(history, at, operator, entry),
    ...when(isWithdrawn(history, entry) || holdOn(history, entry) !== undefined, "entry"),
  ];
}

/** Custodian and patient hold together, for a day at least, and never for a shorter time than before. */
export function holdFaults(history: History, at: number, act: ActOf<"hold">): Reason[] {
  const { entry, until, operator, signature } = act;
  const former = holdOn(history, entry);
  return [
    ...operatorFaults(history, at, operator, entry),
    ...ownLogFaults(history, entry),
    ...signatureFaults(history, at, entry.patient, signature),
    ...when(entry.kind !== "record" || isWithdrawn(history, entry), "entry"),
    ...when(until < at + SECONDS_A_DAY || (former !== undefined && until < former.until), "standing"),
  ];
}

/** The custodian's OPERATOR with who signs; or another member's REVIEWER with the guardians or the estate. */
export function liftHoldFaults(history: History, at: number, act: ActOf<"liftHold">): Reason[] {
  const { entry, account, signature } = act;
  const { patient } = entry;
  const own = enrolmentOf(history, account)?.member === entry.member;
  const guardiansSign = keyOf(history, patient) === undefined || conditionOf(history, patient) !== "CAPABLE";
  const outside = [
    ...staffFaults(history, at, account, { role: "REVIEWER", activity: "any", seasoned: true }),
    ...when(!guardiansSign || !areGuardians(history, at, patient, signature), "pair"),
  ];
  return [
    ...(own ? operatorFaults(history, at, account, entry) : outside),
    ...ownLogFaults(history, entry),
    ...looseningFaults(history, at, patient, signature),
    ...when(entry.kind !== "record", "entry"),
    ...when(holdOn(history, entry) === undefined, "standing"),
  ];
}

/** After its end anyone lifts a hold. */
export function liftEndedHoldFaults(
  history: History,
  at: number,
  { entry }: ActOf<"liftEndedHold">,
): Reason[] {
  const hold = holdOn(history, entry);
  return [
    ...when(entry.kind !== "record", "entry"),
    ...when(hold === undefined || at <= hold.until, "standing"),
  ];
}

export function erasureFaults(history: History, at: number, act: ActOf<"erase">): Reason[] {
  const { entry, certificate, operator } = act;
  const certified =
    certificate.kind === "certificate" &&
    certificate.member === entry.member &&
    certificate.patient === entry.patient &&
    certificate.ref === String(entry.index) &&
    !isWithdrawn(history, certificate);
  const erasable =
    entry.kind === "record" && !isErased(history, entry) && holdOn(history, entry) === undefined;
  return [
    ...operatorFaults(history, at, operator, entry),
    ...when(!certified, "document"),
    ...when(certificate.member !== entry.member, "scope"),
    ...when(!erasable, "entry"),
    ...groundFaults(history, at, act),
  ];
}

/** The patient, another member's REVIEWER, or the end of retention. */
function groundFaults(history: History, at: number, act: ActOf<"erase">): Reason[] {
  const { entry } = act;
  if (act.ground === "patient") {
    return [...ownLogFaults(history, entry), ...looseningFaults(history, at, entry.patient, act.signature)];
  }
  if (act.ground === "reviewer") {
    const { operator: caller, reviewer } = act;
    return outsideReviewerFaults(history, at, { caller, reviewer, custodian: entry.member });
  }
  const today = Math.floor(at / SECONDS_A_DAY);
  return when(today <= entry.day + LIMITS.retentionDays, "standing");
}

/** A log that names another member's patient says nothing about him. */
function ownLogFaults(history: History, entry: LogEntry): Reason[] {
  return when(custodianOf(history, entry.patient) !== entry.member, "scope");
}
