// SPDX-License-Identifier: Apache-2.0
import { LIMITS, all } from "./acts.js";
import type { ActOf, Change, Condition, Done, Guardians, History, Reason, Signature } from "./acts.js";
import { when } from "./staff.js";

function registrationOf(history: History, patient: string): Done<ActOf<"register">> {
  return all(history, "register").find((act) => act.patient === patient)!;
}

export function custodianOf(history: History, patient: string): number {
  return registrationOf(history, patient).custodian;
}

/** Completed changes of the patient, oldest first. */
function changesOf(history: History, patient: string): Done<ActOf<"complete">>[] {
  return all(history, "complete").filter((act) => act.patient === patient);
}

/** The key that was last given to the patient. */
export function keyOf(history: History, patient: string): string | undefined {
  const given = all(history, "register", "rotate", "complete").filter((act) => act.patient === patient);
  return given.map((act) => (act.kind === "complete" ? keyIn(act.change) : act.key)).findLast(Boolean);
}

function keyIn(change: Change): string | undefined {
  return change.what === "SIGNER" ? change.key : undefined;
}

/** The set that was last named, unless it is empty. */
export function guardiansOf(history: History, patient: string): Guardians | undefined {
  const named = all(history, "register", "setGuardians", "complete").filter((act) => act.patient === patient);
  const sets = named.map((act) => (act.kind === "complete" ? guardiansIn(act.change) : act.guardians));
  const last = sets.findLast((set) => set !== undefined);
  return last && last.keys.length > 0 ? last : undefined;
}

function guardiansIn(change: Change): Guardians | undefined {
  return change.what === "GUARDIANS" ? change.guardians : undefined;
}

export function conditionOf(history: History, patient: string): Condition {
  const said = changesOf(history, patient).map((act) => act.change.what);
  return said.findLast((what) => what !== "SIGNER" && what !== "GUARDIANS") ?? "CAPABLE";
}

export function isDead(history: History, patient: string): boolean {
  return conditionOf(history, patient) === "DEAD";
}

/** For one delay after a change nothing may loosen. */
export function waitingFaults(history: History, at: number, patient: string): Reason[] {
  const last = changesOf(history, patient).at(-1);
  return when(last !== undefined && at < last.at + LIMITS.recoveryDelay, "waiting");
}

/** The patient himself while he has a key and is capable, else his guardians until their end. */
export function signatureFaults(
  history: History,
  at: number,
  patient: string,
  signature: Signature,
): Reason[] {
  const key = keyOf(history, patient);
  const himself = key !== undefined && conditionOf(history, patient) === "CAPABLE";
  return when(!(himself ? isOf(signature, key) : areGuardians(history, at, patient, signature)), "signature");
}

export function isOf(signature: Signature, key: string): boolean {
  return !signature.together && signature.keys[0] === key;
}

export function areGuardians(history: History, at: number, patient: string, signature: Signature): boolean {
  const guardians = guardiansOf(history, patient);
  const { keys, together } = signature;
  return (
    guardians !== undefined &&
    together &&
    at <= guardians.until &&
    keys.length >= guardians.threshold &&
    new Set(keys).size === keys.length &&
    keys.every((key) => guardians.keys.includes(key))
  );
}

/** As `signatureFaults`, for what lets others see more. */
export function looseningFaults(
  history: History,
  at: number,
  patient: string,
  signature: Signature,
): Reason[] {
  return [...signatureFaults(history, at, patient, signature), ...waitingFaults(history, at, patient)];
}

/** What was last said of a delegate's key. */
export function delegationOf(
  history: History,
  patient: string,
  delegate: string,
): ActOf<"delegate"> | undefined {
  return all(history, "delegate").findLast((act) => act.patient === patient && act.key === delegate);
}

/** Delegates act until their day, also for the incapable, not for the dead. */
export function delegateFaults(history: History, at: number, patient: string, delegate: string): Reason[] {
  const named = delegationOf(history, patient, delegate);
  return [
    ...when(named === undefined || at > named.until, "signature"),
    ...when(isDead(history, patient), "standing"),
  ];
}

/** Witnesses may loosen only for the living for whom nobody can sign. */
export function unableFaults(history: History, at: number, patient: string): Reason[] {
  const guardians = guardiansOf(history, patient);
  const somebody =
    keyOf(history, patient) !== undefined || (guardians !== undefined && at <= guardians.until);
  return [...when(somebody || isDead(history, patient), "standing"), ...waitingFaults(history, at, patient)];
}

/** A key serves one patient and one use, for good; guardians and delegates may be named again. */
export function keyIsTaken(history: History, key: string, wanted: Use): boolean {
  return usesOf(history).some(
    ({ keys, patient, use }) =>
      keys.includes(key) && !(use !== "signer" && use === wanted.use && patient === wanted.patient),
  );
}

interface Use {
  patient: string;
  use: "signer" | "guardian" | "delegate";
}

function usesOf(history: History): (Use & { keys: readonly string[] })[] {
  const acts = all(history, "register", "rotate", "complete", "delegate", "setGuardians");
  return acts.flatMap((act): (Use & { keys: readonly string[] })[] => {
    const { patient } = act;
    // An end that is past names nobody.
    if (act.kind === "delegate") {
      return act.until < act.at ? [] : [{ patient, use: "delegate", keys: [act.key] }];
    }
    const key = act.kind === "complete" ? keyIn(act.change) : "key" in act ? act.key : undefined;
    const guardians =
      act.kind === "complete" ? guardiansIn(act.change) : "guardians" in act ? act.guardians : undefined;
    return [
      { patient, use: "signer", keys: key === undefined ? [] : [key] },
      { patient, use: "guardian", keys: guardians?.keys ?? [] },
    ];
  });
}

/** Whether the change may still be: its keys are free, its guardians' time is not over. */
export function changeIsPossible(history: History, at: number, patient: string, change: Change): boolean {
  if (change.what === "SIGNER") return !keyIsTaken(history, change.key, { patient, use: "signer" });
  return change.what !== "GUARDIANS" || setIsPossible(history, at, patient, change.guardians);
}

export function setIsPossible(
  history: History,
  at: number,
  patient: string,
  { keys, until }: Guardians,
): boolean {
  const free = keys.every((key) => !keyIsTaken(history, key, { patient, use: "guardian" }));
  return keys.length === 0 || (until >= at && free);
}

type Proposal = Done<ActOf<"propose" | "proposeAsGuardians">>;

/** The proposal that waits, if none of what ends one came after it. */
export function pendingOf(history: History, patient: string): Proposal | undefined {
  const acts = all(history, "propose", "proposeAsGuardians", "cancel", "complete").filter(
    (act) => act.patient === patient,
  );
  const last = acts.at(-1);
  return last?.kind === "propose" || last?.kind === "proposeAsGuardians" ? last : undefined;
}
