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

export function guardiansOf(history: History, patient: string): Guardians | undefined {
  return registrationOf(history, patient).guardians;
}

export function conditionOf(history: History, patient: string): Condition {
  const said = changesOf(history, patient).map((act) => act.change.what);
  return said.findLast((what) => what !== "SIGNER") ?? "CAPABLE";
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

/** Delegates act until their day, also for the incapable, not for the dead. */
export function delegateFaults(history: History, at: number, patient: string, delegate: string): Reason[] {
  const named = all(history, "delegate").findLast((act) => act.patient === patient && act.key === delegate);
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

/** A key serves one patient and one use, for good. */
export function keyIsTaken(history: History, key: string, mayDelegateFor?: string): boolean {
  const uses = all(history, "register", "rotate", "complete", "delegate").map((act) => {
    if (act.kind === "delegate") return act.patient === mayDelegateFor || act.until < act.at ? [] : [act.key];
    if (act.kind === "complete") return [keyIn(act.change)];
    return act.kind === "rotate" ? [act.key] : [act.key, ...(act.guardians?.keys ?? [])];
  });
  return uses.some((keys) => keys.includes(key));
}

/** The proposal that waits, if none of what ends one came after it. */
export function pendingOf(history: History, patient: string): Done<ActOf<"propose">> | undefined {
  const acts = all(history, "propose", "cancel", "complete").filter((act) => act.patient === patient);
  const last = acts.at(-1);
  return last?.kind === "propose" ? last : undefined;
}
