// SPDX-License-Identifier: Apache-2.0
import { PURPOSE, SECONDS_A_DAY, all } from "./acts.js";
import type { Act, ActOf, Basis, Guardians, LogEntry, Terms } from "./acts.js";
import { ACCOUNTS, COMPARTMENTS, DIRECTIVES, PATIENTS, PERSONS, keysFor, today } from "./cast.js";
import { Choice, one, together } from "./choice.js";
import type { Setting } from "./choice.js";
import { denialRef, directiveOf } from "./consent.js";
import { windowOf } from "./emergencies.js";
import { holdOn } from "./entries.js";
import { custodianOf, guardiansOf, keyOf, pendingOf } from "./patients.js";
import { enrolmentOf } from "./staff.js";
import type { Step } from "./stories.js";

const EVERYTHING = { compartments: COMPARTMENTS, from: 1, to: 2 ** 32 - 2 };
const HOUR = 3_600;
const DAY = SECONDS_A_DAY;
const CLINICIANS = [
  ["clinician B", "colleague B"],
  ["clinician C", "clinician B"],
  ["clinician B", "clinician C"],
] as const;
const WITNESSES = [
  ["operator A", "clinician A"],
  ["clinician A", "reviewer A"],
] as const;
const REVIEWERS = [
  ["reviewer A", "reviewer B"],
  ["reviewer C", "reviewer A"],
] as const;

type Chosen = Exclude<Act["kind"], "admit" | "register" | "anchor">;
type Choices = { readonly [K in Chosen]: (c: Choice) => Omit<ActOf<K>, "kind"> };

/** The act that a step means, where it stands. */
export function actOf(setting: Setting, { kind, picks }: Pick<Step, "kind" | "picks">): Act {
  const chosen = CHOICES[kind as Chosen](new Choice(setting, picks));
  return { kind, ...chosen } as Act;
}

const CHOICES: Choices = {
  suspend: (c) => ({
    member: c.of([2, 3, 1, 9]),
    reading: c.of([true, false]),
    writing: c.of([false, false, true]),
  }),
  remove: (c) => ({ member: c.of([9, 9, 9, 9, 9, 9, 3, 2]) }),
  enrol: (c) => ({
    member: c.of([2, 3]),
    account: c.mostly(["stranger", "newcomer"], ACCOUNTS),
    person: c.of(PERSONS),
    roles: c.of([["CLINICIAN"], ["REVIEWER"], ["OPERATOR"]]),
    notAfter: c.at + c.of([DAY, 5 * HOUR, -1, 0]),
  }),
  share: (c) => ({ person: c.of(["clinician B", ...PERSONS]), member: c.of([3, 2, 1, 9]) }),
  update: (c) => ({
    account: c.of(ACCOUNTS),
    roles: c.of([["CLINICIAN"], ["REVIEWER", "CLINICIAN"], ["OPERATOR", "CLINICIAN", "REVIEWER"]]),
    notAfter: c.at + c.of([10 * DAY, DAY, 5 * HOUR, -1]),
  }),
  dismiss: (c) => ({ account: c.of(ACCOUNTS), by: c.of(["admin", "admin", "governance"] as const) }),
  rotate: (c) => {
    const patient = c.patient();
    const { own, next } = keysFor(patient);
    return { patient, key: c.of([next, own, next]), signature: c.signature(patient) };
  },
  delegate: (c) => {
    const patient = c.patient();
    const { delegate, own } = keysFor(patient);
    const until = c.at + c.of([DAY, 5 * DAY, 30 * DAY, 0, -1]);
    return { patient, key: c.of([delegate, delegate, own]), until, signature: c.signature(patient) };
  },
  propose: (c) => {
    const patient = c.patient();
    const changes = [
      { what: "INCAPABLE" } as const,
      { what: "SIGNER", key: keysFor(patient).next } as const,
      { what: "CAPABLE" } as const,
      { what: "DEAD" } as const,
      { what: "GUARDIANS", guardians: guardians(c, patient) } as const,
    ];
    const reviewer = c.mostly(["reviewer B", "reviewer C"], ACCOUNTS);
    return { patient, change: c.of(changes), operator: c.operator(), reviewer };
  },
  proposeAsGuardians: (c) => {
    const patient = c.mostly(["ward"], PATIENTS);
    const changes = [
      { what: "SIGNER", key: keysFor(patient).next } as const,
      { what: "INCAPABLE" } as const,
      { what: "CAPABLE" } as const,
      { what: "DEAD" } as const,
    ];
    return {
      patient,
      change: c.of(changes),
      signature: c.mostly([together(patient, 2)], [c.signature(patient)]),
    };
  },
  setGuardians: (c) => {
    const patient = c.patient();
    return { patient, guardians: guardians(c, patient), signature: c.signature(patient) };
  },
  cancel: (c) => {
    const patient = c.mostly(waitingFor(c), PATIENTS);
    const key = keyOf(c.history, patient);
    const refuses = key === undefined ? together(patient, 2) : one(key);
    return { patient, signature: c.mostly([refuses], [c.signature(patient)]) };
  },
  complete: (c) => {
    const patient = c.mostly(waitingFor(c), PATIENTS);
    return { patient, change: pendingOf(c.history, patient)?.change ?? { what: "CAPABLE" } };
  },
  grant: (c) => {
    const terms = c.someTerms(PURPOSE.TREAT);
    return { terms, signature: c.signature(terms.patient) };
  },
  grantAsDelegate: asDelegate,
  grantOnPaper: onPaper,
  revoke: (c) => {
    const terms = c.of(c.terms);
    return { terms, signature: c.signature(terms.patient) };
  },
  revokeAsDelegate: asDelegate,
  revokeOnPaper: onPaper,
  direct: (c) => {
    const patient = c.patient();
    return { patient, directive: c.of(DIRECTIVES), signature: c.signature(patient) };
  },
  denyOnPaper: (c) => {
    const patient = c.patient();
    const directive = c.of(DIRECTIVES);
    const ref = denialRef(directive, directiveOf(c.history, patient).nonce);
    return { patient, directive, paper: c.paper("consent", ref), ...c.pair(WITNESSES) };
  },
  order: (c) => {
    const terms = c.someTerms(PURPOSE.HLEGAL);
    return { terms, paper: c.paper("order", terms.name), ...c.pair(REVIEWERS) };
  },
  lift: (c) => {
    const ordered = all(c.history, "order").map((act) => act.terms);
    return { terms: c.mostly(ordered, c.terms), ...c.pair(REVIEWERS) };
  },
  breakGlass: (c) => {
    const { first, second } = c.pair(CLINICIANS);
    return { patient: c.patient(), reader: first, colleague: second, window: c.history.length };
  },
  justify: (c) => ({ window: c.window(), officer: c.mostly(["reviewer B", "reviewer C"], ACCOUNTS) }),
  flag: (c) => ({ window: c.window() }),
  supersede: (c) => {
    const amending = c.records.filter(({ ref }) => ref !== "");
    const newer = c.mostly(amending, c.entries);
    const older = c.records.filter(
      ({ index, member }) => String(index) === newer.ref && member === newer.member,
    );
    return { newer, older: c.mostly(older, c.entries), operator: c.operator() };
  },
  retract: (c) => ({ entry: c.mostly(c.records, c.entries), operator: c.operator() }),
  hold: (c) => {
    const entry = c.mostly(c.records, c.entries);
    const until = c.at + c.of([DAY, 3 * DAY, 6 * DAY, DAY - 1]);
    return { entry, until, operator: c.operator(), signature: c.signature(entry.patient) };
  },
  liftHold: (c) => {
    const entry = c.mostly(held(c), c.records);
    const account = c.mostly(["operator A", "reviewer B"], ACCOUNTS);
    return { entry, account, signature: c.signature(entry.patient) };
  },
  liftEndedHold: (c) => ({ entry: c.mostly(held(c), c.records) }),
  erase: (c) => {
    const entry = c.mostly(c.records, c.entries);
    const own = c.entries.filter(({ kind, ref }) => kind === "certificate" && ref === String(entry.index));
    const act = { entry, certificate: c.mostly(own, c.entries), operator: c.operator() };
    const ground = c.of(["retention", "patient", "reviewer"] as const);
    if (ground === "patient") return { ...act, ground, signature: c.signature(entry.patient) };
    if (ground === "reviewer") return { ...act, ground, reviewer: c.mostly(["reviewer B"], ACCOUNTS) };
    return { ...act, ground };
  },
  requestRecords: (c) => {
    const { patient, compartments, from, to, ...asked } = reading(c);
    const custodian = custodianOf(c.history, patient);
    const own = c.records.filter((entry) => entry.patient === patient && entry.member === custodian);
    const inside = own.filter(
      ({ compartment, day }) => compartments.includes(compartment) && day >= from && day <= to,
    );
    const entries = Array.from({ length: c.of([1, 1, 2, 0]) }, () =>
      c.mostly(inside, c.of([own, c.entries])),
    );
    return { ...asked, entries };
  },
  requestScope: (c) => {
    const { patient, compartments, from, to, ...asked } = reading(c);
    const scope = {
      compartments: c.mostly([compartments, compartments.slice(0, 1)], [COMPARTMENTS, []]),
      from: c.mostly([from, to], [from - 1, today(c.at)]),
      to: c.mostly([to], [to + 1, from]),
      upTo: c.mostly([0, 2], [patient === "other" ? 3 : 4, 10_000]),
    };
    return { ...asked, scope };
  },
  requestOwn: (c) => {
    const patient = c.patient();
    const scope = {
      compartments: c.mostly([COMPARTMENTS, [63]], [[]]),
      from: today(c.at) - c.of([5, 1]),
      to: today(c.at) - c.of([0, 3]),
      upTo: c.of([0, 1, 3, 4, 10_000]),
    };
    return { patient, scope, signature: c.signature(patient) };
  },
};

/** All of his, two of them, none, or another's; until when a ward's end or some time on. */
function guardians(c: Choice, patient: string): Guardians {
  const own = keysFor(patient).guardians;
  const keys = c.of([own, own.slice(0, 2), [], keysFor(c.patient()).guardians]);
  const until = c.of([guardiansOf(c.history, patient)?.until ?? c.at + DAY, c.at + 5 * DAY, c.at, c.at - 1]);
  return { keys, threshold: keys.length === 0 ? 0 : 1 + c.number(keys.length), until };
}

function waitingFor(c: Choice): string[] {
  return PATIENTS.filter((patient) => pendingOf(c.history, patient) !== undefined);
}

function held(c: Choice): LogEntry[] {
  return c.records.filter((entry) => holdOn(c.history, entry) !== undefined);
}

function asDelegate(c: Choice): { terms: Terms; delegate: string } {
  const terms = c.someTerms(PURPOSE.TREAT);
  return { terms, delegate: c.mostly([keysFor(terms.patient).delegate], [keysFor(c.patient()).own]) };
}

function onPaper(c: Choice): { terms: Terms; paper: LogEntry; first: string; second: string } {
  const unable = c.terms.filter(({ patient }) => patient === "unable");
  const terms = c.mostly(unable, c.terms);
  return { terms, paper: c.paper("consent", terms.name), ...c.pair(WITNESSES) };
}

/** Who reads on what basis, for what: mostly what was given, by a clinician of whom it was given to. */
function reading(c: Choice) {
  const given = all(c.history, "grant", "grantAsDelegate", "grantOnPaper", "order").map((act) => act.terms);
  const granted: Basis[] = given.map((terms) => ({ terms }));
  const bases: Basis[] = [...granted, ...all(c.history, "breakGlass").map(({ window }) => ({ window }))];
  const basis = c.mostly(bases, [...c.terms.map((terms) => ({ terms })), { window: 10_000 }]);
  if ("window" in basis) {
    const opening = windowOf(c.history, basis.window);
    const reader = c.mostly([opening?.reader ?? ACCOUNTS[0]!], ACCOUNTS);
    const purpose = c.mostly([PURPOSE.BTG], Object.values(PURPOSE));
    return { basis, reader, purpose, patient: opening?.patient ?? "holder", ...EVERYTHING };
  }
  const { grantee, purposes, patient, compartments, recordedFrom: from, recordedTo: to } = basis.terms;
  const ofGrantee = ACCOUNTS.filter((account) => {
    const enrolled = enrolmentOf(c.history, account);
    return enrolled?.member === grantee && enrolled.roles.includes("CLINICIAN");
  });
  const reader = c.mostly(ofGrantee, ACCOUNTS);
  return {
    basis,
    reader,
    purpose: c.mostly(purposes, Object.values(PURPOSE)),
    patient,
    compartments,
    from,
    to,
  };
}
