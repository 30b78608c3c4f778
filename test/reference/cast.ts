// SPDX-License-Identifier: Apache-2.0
import { LIMITS, PURPOSE, SECONDS_A_DAY } from "./acts.js";
import type { Act, Guardians, LogEntry, Terms } from "./acts.js";
import { denialRef } from "./consent.js";

const DAY = SECONDS_A_DAY;

/** Accounts by name, with member, person and roles; the strangers are enrolled by a history or not at all. */
const STAFF = [
  ["operator A", 1, "operator A", ["OPERATOR"]],
  ["clinician A", 1, "clinician A", ["CLINICIAN"]],
  ["reviewer A", 1, "reviewer A", ["REVIEWER"]],
  ["operator B", 2, "operator B", ["OPERATOR"]],
  ["clinician B", 2, "clinician B", ["CLINICIAN"]],
  ["colleague B", 2, "colleague B", ["CLINICIAN", "REVIEWER"]],
  ["reviewer B", 2, "reviewer B", ["REVIEWER"]],
  ["clinician C", 3, "clinician C", ["CLINICIAN"]],
  ["reviewer C", 3, "reviewer C", ["REVIEWER"]],
  // One person, two accounts.
  ["twin of clinician B", 3, "clinician B", ["CLINICIAN", "REVIEWER"]],
  ["twin of operator A", 2, "operator A", ["REVIEWER", "CLINICIAN"]],
] as const;
const STRANGERS = ["stranger", "newcomer"];
export const ACCOUNTS: readonly string[] = [...STAFF.map(([account]) => account), ...STRANGERS];
export const PERSONS = ["clinician B", "somebody new"];

/** Signs for himself; has nobody; is a child; signs for himself, at hospital B. */
export const PATIENTS = ["holder", "unable", "ward", "other"];
export const keysFor = (patient: string) => ({
  own: `${patient}'s key`,
  next: `${patient}'s next key`,
  delegate: `${patient}'s delegate`,
  guardians: ["first", "second", "third"].map((which) => `${patient}'s ${which} guardian`),
});
export const COMPARTMENTS = [0, 1, 2];
export const DIRECTIVES = [
  { all: true, emergencies: false, compartments: [] },
  { all: false, emergencies: true, compartments: [] },
  { all: false, emergencies: false, compartments: [1] },
  { all: false, emergencies: true, compartments: [0, 1] },
  { all: false, emergencies: false, compartments: [] },
];
/** How many denials on paper are prepared for each directive. */
const PAPERS = 3;

/** All that a history begins with: members, staff, patients and what is in the logs. Each act with its time. */
export function prologue(at: number, terms: readonly Terms[]): Act[] {
  const [logA, logB] = [entriesA(at, terms), entriesB(at)];
  return [
    ...[1, 2, 3].map((member): Act => ({ kind: "admit", member })),
    ...STAFF.flatMap(([account, member, person, roles]): Act[] => [
      // Whose twin it is, works at another member.
      ...(account.startsWith("twin") ? [{ kind: "share" as const, person, member }] : []),
      { kind: "enrol", ...{ account, member, person, roles, notAfter: at + 40 * DAY } },
    ]),
    { kind: "register", patient: "holder", custodian: 1, key: keysFor("holder").own },
    { kind: "register", patient: "unable", custodian: 1 },
    { kind: "register", patient: "ward", custodian: 1, guardians: guardiansUntil(at + 20 * DAY) },
    { kind: "register", patient: "other", custodian: 2, key: keysFor("other").own },
    { kind: "anchor", member: 1, entries: logA },
    { kind: "anchor", member: 2, entries: logB },
  ];
}

function guardiansUntil(until: number): Guardians {
  return { keys: keysFor("ward").guardians, threshold: 2, until };
}

/** Terms whose limits fall into the time that a history takes. */
export function termsOf(at: number, choice: TermsChoice, place: number): Terms {
  const patient = PATIENTS[choice.patient]!;
  return {
    name: `terms ${place}`,
    patient,
    grantee: choice.grantee,
    compartments: COMPARTMENTS.filter((compartment) => choice.compartments.includes(compartment)),
    purposes: choice.purposes,
    notBefore: at + choice.begins * DAY,
    notAfter: at + choice.ends * DAY,
    recordedFrom: today(at) - choice.daysBack,
    recordedTo: today(at) - choice.daysUntil,
  };
}
export interface TermsChoice {
  patient: number;
  grantee: number;
  compartments: readonly number[];
  purposes: readonly number[];
  begins: number;
  ends: number;
  daysBack: number;
  daysUntil: number;
}

export const today = (at: number) => Math.floor(at / DAY);

/** Records of each patient of hospital A, a certificate for each, and papers for all that papers can attest. */
function entriesA(at: number, terms: readonly Terms[]): LogEntry[] {
  const patients = PATIENTS.slice(0, 3);
  const records = patients.flatMap((patient) => recordsOf(at, patient));
  const log = new Log(1, records);
  // The last record of each patient amends his first.
  for (const patient of patients) {
    const own = log.entries.filter((entry) => entry.patient === patient);
    own.at(-1)!.ref = String(own[0]!.index);
  }
  for (const { index, patient } of log.entries.slice()) {
    log.add({ kind: "certificate", patient, ref: String(index) });
  }
  for (const { name, patient, purposes } of terms) {
    if (purposes[0] === PURPOSE.HLEGAL) log.add({ kind: "order", patient, ref: name });
    else log.add({ kind: "consent", patient, ref: name });
    log.add({ kind: "consent", patient, ref: name });
  }
  for (const patient of patients) {
    for (const directive of DIRECTIVES) {
      for (let nonce = 0; nonce < PAPERS; nonce++) {
        log.add({ kind: "consent", patient, ref: denialRef(directive, nonce) });
      }
    }
  }
  return log.entries;
}

/** Hospital B's log: of its own patient, and one leaf that names a patient of hospital A. */
function entriesB(at: number): LogEntry[] {
  const [first, second] = recordsOf(at, "other");
  return new Log(2, [first!, second!, { ...second!, patient: "holder" }]).entries;
}

/** Old enough to be erased, nearly so, and new. */
function recordsOf(at: number, patient: string) {
  const days = [LIMITS.retentionDays + 5, LIMITS.retentionDays - 4, 2, 0];
  return days.map((back, place) => ({
    kind: "record" as const,
    patient,
    compartment: place % COMPARTMENTS.length,
    day: today(at) - back,
  }));
}

class Log {
  readonly entries: LogEntry[] = [];
  readonly #member: number;

  constructor(member: number, records: readonly Partial<LogEntry>[]) {
    this.#member = member;
    for (const record of records) this.add(record);
  }

  add(entry: Partial<LogEntry>): void {
    const index = this.entries.length + 1;
    this.entries.push({
      ...{ member: this.#member, index, kind: "record", patient: "", compartment: 0, day: 20_000, ref: "" },
      ...entry,
    });
  }
}
