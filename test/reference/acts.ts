// SPDX-License-Identifier: Apache-2.0

/** What a patient consents to, or a court orders. `name` stands for the salt: two terms of one name are the same. */
export interface Terms {
  name: string;
  patient: string;
  grantee: number;
  compartments: readonly number[];
  purposes: readonly number[];
  notBefore: number; // Unix seconds, inclusive, as all times here
  notAfter: number;
  recordedFrom: number; // days since 1970, inclusive
  recordedTo: number;
}

/** One key, or several guardians' together. */
export interface Signature {
  keys: readonly string[];
  together: boolean;
}

/** No keys: none. */
export interface Guardians {
  keys: readonly string[];
  threshold: number;
  until: number;
}

export interface Directive {
  all: boolean;
  emergencies: boolean;
  compartments: readonly number[];
}

export type Condition = "CAPABLE" | "INCAPABLE" | "DEAD";
export type Change =
  { what: "SIGNER"; key: string } | { what: "GUARDIANS"; guardians: Guardians } | { what: Condition };

export type LeafKind = "record" | "consent" | "order" | "certificate";
export interface LogEntry {
  member: number; // whose log it stands in
  index: number; // from 1
  kind: LeafKind;
  patient: string;
  compartment: number;
  day: number;
  ref: string; // what it attests, erases or amends
}

/** Terms, or the number of the break-glass act whose window it is. */
export type Basis = { terms: Terms } | { window: number };

export interface Scope {
  compartments: readonly number[];
  from: number;
  to: number;
  upTo: number;
}

interface Pair {
  first: string;
  second: string;
}

/** What somebody does. Accounts, persons, patients and keys go by name, members and log entries by number. */
export type Act =
  | { kind: "admit"; member: number }
  | { kind: "suspend"; member: number; reading: boolean; writing: boolean }
  | { kind: "remove"; member: number }
  | {
      kind: "enrol";
      member: number;
      account: string;
      person: string;
      roles: readonly string[];
      notAfter: number;
    }
  | { kind: "share"; person: string; member: number }
  | { kind: "update"; account: string; roles: readonly string[]; notAfter: number }
  | { kind: "dismiss"; account: string; by: "admin" | "governance" }
  | { kind: "register"; patient: string; custodian: number; key?: string; guardians?: Guardians }
  | { kind: "rotate"; patient: string; key: string; signature: Signature }
  | { kind: "delegate"; patient: string; key: string; until: number; signature: Signature }
  | { kind: "propose"; patient: string; change: Change; operator: string; reviewer: string }
  | { kind: "proposeAsGuardians"; patient: string; change: Change; signature: Signature }
  | { kind: "setGuardians"; patient: string; guardians: Guardians; signature: Signature }
  | { kind: "cancel"; patient: string; signature: Signature }
  | { kind: "complete"; patient: string; change: Change }
  | { kind: "grant"; terms: Terms; signature: Signature }
  | { kind: "grantAsDelegate"; terms: Terms; delegate: string }
  | ({ kind: "grantOnPaper"; terms: Terms; paper: LogEntry } & Pair)
  | { kind: "revoke"; terms: Terms; signature: Signature }
  | { kind: "revokeAsDelegate"; terms: Terms; delegate: string }
  | ({ kind: "revokeOnPaper"; terms: Terms; paper: LogEntry } & Pair)
  | { kind: "direct"; patient: string; directive: Directive; signature: Signature }
  | ({ kind: "denyOnPaper"; patient: string; directive: Directive; paper: LogEntry } & Pair)
  | ({ kind: "order"; terms: Terms; paper: LogEntry } & Pair)
  | ({ kind: "lift"; terms: Terms } & Pair)
  | { kind: "breakGlass"; patient: string; reader: string; colleague: string; window: number }
  | { kind: "justify"; window: number; officer: string }
  | { kind: "flag"; window: number }
  | { kind: "anchor"; member: number; entries: readonly LogEntry[] }
  | { kind: "supersede"; older: LogEntry; newer: LogEntry; operator: string }
  | { kind: "retract"; entry: LogEntry; operator: string }
  | { kind: "hold"; entry: LogEntry; until: number; operator: string; signature: Signature }
  | { kind: "liftHold"; entry: LogEntry; account: string; signature: Signature }
  | { kind: "liftEndedHold"; entry: LogEntry }
  | ({ kind: "erase"; entry: LogEntry; certificate: LogEntry; operator: string } & (
      | { ground: "patient"; signature: Signature }
      | { ground: "reviewer"; reviewer: string }
      | { ground: "retention" }
    ))
  | { kind: "requestRecords"; reader: string; basis: Basis; purpose: number; entries: readonly LogEntry[] }
  | { kind: "requestScope"; reader: string; basis: Basis; purpose: number; scope: Scope }
  | { kind: "requestOwn"; patient: string; scope: Scope; signature: Signature };

/** What was done, when: the acts that took effect, oldest first. */
export type Done<A = Act> = A & { at: number };
export type History = readonly Done[];
export type ActOf<K extends Act["kind"]> = Extract<Act, { kind: K }>;

/** Why an act is refused, coarsely. */
export type Reason =
  | "staff" // the account may not act so
  | "pair" // the two are one person, or not of the members that they must be of
  | "member" // no such member
  | "terms" // what the terms say does not permit it
  | "basis" // no such grant, order or window, or it no longer stands
  | "directive" // the patient denies it
  | "scope" // outside the compartments, days, log or patient
  | "entry" // the entry's status or kind forbids it
  | "signature" // it is not of who signs for the patient
  | "waiting" // nothing may loosen for some time after a change
  | "document" // the paper is not anchored for this, or was used
  | "quota" // too many emergencies, or one not accounted for
  | "standing"; // it is done already, or can no longer be done

/** All acts of a kind that took effect. */
export function all<K extends Act["kind"]>(history: History, ...kinds: K[]): Done<ActOf<K>>[] {
  return history.filter((act): act is Done<ActOf<K>> => (kinds as Act["kind"][]).includes(act.kind));
}

export const SECONDS_A_DAY = 86_400;
/** How the consortium under test is set up; seconds, days, numbers of windows a day. */
export const LIMITS = {
  waitingTime: 3_600,
  recoveryDelay: 3 * SECONDS_A_DAY,
  retentionDays: 3_650,
  windowLength: 4 * 3_600,
  justifyWithin: 3 * SECONDS_A_DAY,
  personQuota: 3,
  memberQuota: 30,
  overdueThreshold: 3,
};
export const PURPOSE = { TREAT: 0, HRESCH: 5, PATRQT: 7, HLEGAL: 8, BTG: 9 };
