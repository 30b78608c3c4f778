// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import { isoTime } from "./iso-time.js";

/** What a person was to an event, or to what it rests on. */
export const SUSPECT_ROLES = ["READER", "COLLEAGUE", "WITNESS", "REVIEWER", "OFFICER"] as const;
/** One of {@link SUSPECT_ROLES}. */
export type SuspectRole = (typeof SUSPECT_ROLES)[number];

/** Somebody whose key was compromised when he signed: whoever had it may have signed in his name. */
export interface SuspectPerson {
  role: SuspectRole;
  /** His account. */
  account: Hex;
  /** Unix seconds: compromised from then on. */
  since: number;
}

/** A member's encryption key that was compromised when something may have been sealed to it: others may have read that. */
export interface SuspectKey {
  role: "MEMBER_KEY";
  /** Member id. */
  member: number;
  epoch: number;
  /** Unix seconds: compromised from then on. */
  since: number;
}

/** Why an event is to be doubted. */
export type Suspicion = SuspectPerson | SuspectKey;

/** For machines: role, account or key, and since when. */
export function suspicionText(suspicion: Suspicion): string {
  const who = suspicion.role === "MEMBER_KEY" ? `${suspicion.member}/${suspicion.epoch}` : suspicion.account;
  return `${suspicion.role} ${who} since ${isoTime(suspicion.since)}`;
}

/** The earliest time from which an event is to be doubted; undefined when it is not. */
export function suspectSince(suspects: readonly Suspicion[] = []): string | undefined {
  return suspects.length === 0 ? undefined : isoTime(Math.min(...suspects.map(({ since }) => since)));
}
