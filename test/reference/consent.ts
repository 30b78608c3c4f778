// SPDX-License-Identifier: Apache-2.0
import { PURPOSE, all } from "./acts.js";
import type { ActOf, Directive, History, LeafKind, LogEntry, Reason, Terms } from "./acts.js";
import { isWithdrawn } from "./entries.js";
import {
  custodianOf,
  delegateFaults,
  delegationOf,
  guardiansOf,
  looseningFaults,
  signatureFaults,
  unableFaults,
  waitingFaults,
} from "./patients.js";
import { enrolmentOf, memberExists, pairFaults, when } from "./staff.js";

const GRANTABLE = [0, 1, 2, 3, 4, 5, 6];
const NOTHING: Directive = { all: false, emergencies: false, compartments: [] };

type Grants = ActOf<"grant" | "grantAsDelegate" | "grantOnPaper">;
type Revocations = ActOf<"revoke" | "revokeAsDelegate" | "revokeOnPaper">;

export function isGranted(history: History, terms: Terms): boolean {
  const given = all(history, "grant", "grantAsDelegate", "grantOnPaper");
  return given.some((act) => act.terms.name === terms.name);
}

export function isRevoked(history: History, terms: Terms): boolean {
  const revoked = all(history, "revoke", "revokeAsDelegate", "revokeOnPaper");
  return revoked.some((act) => act.terms.name === terms.name);
}

/** What the patient denies now, and how often he has said so. */
export function directiveOf(history: History, patient: string): Directive & { nonce: number } {
  const set = all(history, "direct", "denyOnPaper").filter((act) => act.patient === patient);
  return { ...(set.at(-1)?.directive ?? NOTHING), nonce: set.length };
}

export function grantFaults(history: History, at: number, act: Grants): Reason[] {
  const { terms } = act;
  const known = isGranted(history, terms) || isRevoked(history, terms);
  return [
    ...giverFaults(history, at, act),
    ...termsFaults(history, at, terms, GRANTABLE),
    ...when(known, "standing"),
  ];
}

/** Who signs for a patient for a time gives nothing that would stand longer. */
function giverFaults(history: History, at: number, act: Grants): Reason[] {
  const { patient } = act.terms;
  const { notAfter } = act.terms;
  if (act.kind === "grant") {
    const outlasts = act.signature.together && notAfter > (guardiansOf(history, patient)?.until ?? 0);
    return [...looseningFaults(history, at, patient, act.signature), ...when(outlasts, "standing")];
  }
  if (act.kind === "grantAsDelegate") {
    return [
      ...delegateFaults(history, at, patient, act.delegate),
      ...waitingFaults(history, at, patient),
      ...when(notAfter > (delegationOf(history, patient, act.delegate)?.until ?? 0), "standing"),
    ];
  }
  return [...unableFaults(history, at, patient), ...witnessFaults(history, at, patient, act.terms.name, act)];
}

/** A revocation is never too late: a repeat does nothing. */
export function revocationFaults(history: History, at: number, act: Revocations): Reason[] {
  const { patient } = act.terms;
  if (act.kind === "revoke") return signatureFaults(history, at, patient, act.signature);
  if (act.kind === "revokeAsDelegate") return delegateFaults(history, at, patient, act.delegate);
  return witnessFaults(history, at, patient, act.terms.name, act);
}

export function directiveFaults(history: History, at: number, act: ActOf<"direct">): Reason[] {
  const { patient, directive, signature } = act;
  return [
    ...signatureFaults(history, at, patient, signature),
    ...(drops(directiveOf(history, patient), directive) ? waitingFaults(history, at, patient) : []),
  ];
}

/** Witnesses deny in addition to what is denied; they take nothing back. */
export function denialFaults(history: History, at: number, act: ActOf<"denyOnPaper">): Reason[] {
  const { patient, directive } = act;
  const before = directiveOf(history, patient);
  return [
    ...witnessFaults(history, at, patient, denialRef(directive, before.nonce), act),
    ...when(drops(before, directive), "standing"),
  ];
}

/** What a paper says that attests a denial: it counts against the directive that stood when it was signed. */
export function denialRef(directive: Directive, nonce: number): string {
  return JSON.stringify([directive, nonce]);
}

function drops(before: Directive, after: Directive): boolean {
  return (
    (before.all && !after.all) ||
    (before.emergencies && !after.emergencies) ||
    before.compartments.some((compartment) => !after.compartments.includes(compartment))
  );
}

/** Two persons of the custodian's staff, and their paper in its log, used for nothing else. */
function witnessFaults(
  history: History,
  at: number,
  patient: string,
  ref: string,
  act: { first: string; second: string; paper: LogEntry },
): Reason[] {
  const custodian = custodianOf(history, patient);
  const members = [act.first, act.second].map((account) => enrolmentOf(history, account)?.member);
  const used = all(history, "grantOnPaper", "revokeOnPaper", "denyOnPaper").map(({ paper }) => paper);
  return [
    ...pairFaults(history, at, [act.first, act.second], { activity: "any" }),
    ...when(
      members.some((member) => member !== custodian),
      "pair",
    ),
    ...paperFaults(history, act.paper, { kind: "consent", patient, ref }),
    ...when(used.includes(act.paper), "document"),
  ];
}

function paperFaults(
  history: History,
  paper: LogEntry,
  { kind, patient, ref }: { kind: LeafKind; patient: string; ref: string },
): Reason[] {
  const fits =
    paper.member === custodianOf(history, patient) &&
    paper.kind === kind &&
    paper.patient === patient &&
    paper.ref === ref &&
    !isWithdrawn(history, paper);
  return when(!fits, "document");
}

/** What makes terms impossible to give now. */
function termsFaults(history: History, at: number, terms: Terms, purposes: readonly number[]): Reason[] {
  const wellFormed =
    terms.notBefore <= terms.notAfter &&
    at <= terms.notAfter &&
    terms.recordedFrom <= terms.recordedTo &&
    terms.compartments.length > 0 &&
    terms.purposes.length > 0 &&
    terms.purposes.every((purpose) => purposes.includes(purpose));
  return [...when(!wellFormed, "terms"), ...when(!memberExists(history, terms.grantee), "member")];
}

export function isOrdered(history: History, terms: Terms): boolean {
  return all(history, "order").some((act) => act.terms.name === terms.name);
}

export function isLifted(history: History, terms: Terms): boolean {
  return all(history, "lift").some((act) => act.terms.name === terms.name);
}

export function orderFaults(history: History, at: number, act: ActOf<"order">): Reason[] {
  const { terms } = act;
  return [
    ...reviewersFaults(history, at, act),
    ...termsFaults(history, at, terms, [PURPOSE.HLEGAL]),
    ...paperFaults(history, act.paper, { kind: "order", patient: terms.patient, ref: terms.name }),
    ...when(isOrdered(history, terms), "standing"),
  ];
}

export function liftFaults(history: History, at: number, act: ActOf<"lift">): Reason[] {
  const stands = isOrdered(history, act.terms) && !isLifted(history, act.terms);
  return [...reviewersFaults(history, at, act), ...when(!stands, "standing")];
}

/** Two REVIEWERs of two members. */
function reviewersFaults(
  history: History,
  at: number,
  { first, second }: { first: string; second: string },
): Reason[] {
  const members = [first, second].map((account) => enrolmentOf(history, account)?.member);
  return [
    ...pairFaults(history, at, [first, second], { role: "REVIEWER", activity: "any" }),
    ...when(members[0] === members[1], "pair"),
  ];
}
