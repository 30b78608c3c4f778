// SPDX-License-Identifier: Apache-2.0
import { id } from "ethers";
import { Role } from "../contracts/consortium.js";
import type { Act, ActOf, Done, Scope } from "./acts.js";
import { RELAY, call, one } from "./call.js";
import type { Encode } from "./call.js";
import { PATIENT_CALLS } from "./patient-calls.js";
import { RECORD_CALLS } from "./record-calls.js";
import { keyBytes } from "./signatures.js";
import { bitmap, emergencyOf } from "./stage.js";
import type { Call, Stage } from "./stage.js";

const WITNESSED = { grantOnPaper: 0, revokeOnPaper: 1, denyOnPaper: 2 };
const CHART = 1;
/** Why an account is dismissed: it left. */
const LEFT = 0;

/** Does it in a block of its time. @returns the contracts' error, or undefined when it took effect */
export async function perform(stage: Stage, act: Done): Promise<string | undefined> {
  const refused = await stage.send(await callOf(stage, act), act.at);
  if (act.kind === "breakGlass" && refused === undefined) stage.keepWindow(act);
  return refused;
}

/** What would come of it in the newest block; nothing changes. */
export async function ask(stage: Stage, act: Done): Promise<string | undefined> {
  return await stage.ask(await callOf(stage, act));
}

async function callOf(stage: Stage, act: Done): Promise<Call> {
  const encode = CALLS[act.kind] as (stage: Stage, act: Act, at: number) => Promise<Call> | Call;
  return await encode(stage, act, act.at);
}

const CALLS: { readonly [K in Act["kind"]]: Encode<K> } = {
  ...PATIENT_CALLS,
  ...RECORD_CALLS,
  admit: (s, { member }) => call(s, "governance", "members", "admit", [s.admin, `member ${member}`]),
  suspend: (s, { member, reading, writing }) =>
    call(s, "governance", "members", "setSuspension", [member, Number(reading) + 2 * Number(writing)]),
  remove: (s, { member }) => call(s, "governance", "members", "removeMember", [member]),
  enrol: (s, { member, account, person, roles, notAfter }) => {
    s.members.set(account, s.members.get(account) ?? member);
    const address = s.account(account).address;
    return call(s, "admin", "members", "enrolStaff", [member, address, rolesOf(roles), notAfter, id(person)]);
  },
  share: (s, { person, member }) => call(s, "admin", "members", "sharePerson", [id(person), member]),
  update: (s, { account, roles, notAfter }) =>
    call(s, "admin", "members", "updateStaff", [s.account(account).address, rolesOf(roles), notAfter]),
  dismiss: (s, { account, by }, at) =>
    call(s, by, "members", "revokeStaff", [s.account(account).address, at, LEFT]),
  grant: async (s, { terms, signature }) => {
    const value = s.termsOf({ terms });
    const signed = await s.sign("consents", signature, "Terms", value);
    return call(s, RELAY, "consents", "grant", [value, signed]);
  },
  grantAsDelegate: async (s, { terms, delegate }) => {
    const value = s.termsOf({ terms });
    const signed = await s.sign("consents", one(delegate), "Terms", value);
    return call(s, RELAY, "consents", "grantByDelegate", [value, keyBytes(delegate), signed]);
  },
  grantOnPaper: async (s, act, at) => {
    const second = await witness(s, act, act.terms.patient, s.hashOf(act), at);
    return call(s, act.first, "consents", "grantWitnessed", [s.termsOf(act), s.entry(act.paper), second]);
  },
  revoke: async (s, { terms, signature }) => {
    const value = { patientId: s.patientId(terms.patient), termsHash: s.hashOf({ terms }) };
    const signed = await s.sign("consents", signature, "Revocation", value);
    return call(s, RELAY, "consents", "revoke", [value.patientId, value.termsHash, signed]);
  },
  revokeAsDelegate: async (s, { terms, delegate }) => {
    const value = { patientId: s.patientId(terms.patient), termsHash: s.hashOf({ terms }) };
    const signed = await s.sign("consents", one(delegate), "Revocation", value);
    return call(s, RELAY, "consents", "revokeByDelegate", [
      ...[value.patientId, value.termsHash, keyBytes(delegate), signed],
    ]);
  },
  revokeOnPaper: async (s, act, at) => {
    const [patientId, termsHash] = [s.patientId(act.terms.patient), s.hashOf(act)];
    const second = await witness(s, act, act.terms.patient, termsHash, at);
    return call(s, act.first, "consents", "revokeWitnessed", [
      patientId,
      termsHash,
      s.entry(act.paper),
      second,
    ]);
  },
  direct: async (s, { patient, directive, signature }, at) => {
    const value = {
      ...denials(s, patient, directive),
      nonce: await directiveNonce(s, patient),
      deadline: at,
    };
    const signed = await s.sign("consents", signature, "Directive", value);
    const { nonce: _nonce, ...sent } = value;
    return call(s, RELAY, "consents", "setDirective", [...Object.values(sent), signed]);
  },
  denyOnPaper: async (s, act, at) => {
    const ref = s.denialHash(act.directive, await directiveNonce(s, act.patient));
    const second = await witness(s, act, act.patient, ref, at);
    const sent = Object.values(denials(s, act.patient, act.directive));
    return call(s, act.first, "consents", "denyWitnessed", [...sent, s.entry(act.paper), second]);
  },
  order: async (s, act, at) => {
    const value = { termsHash: s.hashOf(act), first: s.account(act.first).address, deadline: at };
    const second = await s.cosign("orders", act.second, "OrderEntry", value);
    return call(s, act.first, "orders", "enter", [s.termsOf(act), s.entry(act.paper), second]);
  },
  lift: async (s, act, at) => {
    const [patientId, termsHash] = [s.patientId(act.terms.patient), s.hashOf(act)];
    const value = { patientId, termsHash, first: s.account(act.first).address, deadline: at };
    const second = await s.cosign("orders", act.second, "OrderLift", value);
    return call(s, act.first, "orders", "lift", [patientId, termsHash, second]);
  },
  breakGlass: async (s, act, at) => {
    const value = emergencyOf(s, act, at);
    const colleague = await s.cosign("emergencies", act.colleague, "Emergency", value);
    const { patientId, reasonDigest, nonce } = value;
    return call(s, act.reader, "emergencies", "breakGlass", [patientId, reasonDigest, nonce, colleague]);
  },
  justify: (s, { window, officer }) =>
    call(s, officer, "emergencies", "justify", [s.hashOf({ window }), id("statement")]),
  flag: (s, { window }) => call(s, RELAY, "emergencies", "flagOverdue", [s.hashOf({ window })]),
  requestRecords: (s, { reader, basis, purpose, entries }) => {
    const leaves = entries.map((entry) => s.entry(entry));
    return call(s, reader, "accessLog", "requestRecords", [s.termsOf(basis), purpose, leaves]);
  },
  requestScope: (s, { reader, basis, purpose, scope }) =>
    call(s, reader, "accessLog", "requestScope", [s.termsOf(basis), purpose, CHART, scopeOf(scope)]),
  requestOwn: async (s, { patient, scope, signature }, at) => {
    const patientId = s.patientId(patient);
    const nonce = await s.contracts.accessLog.ownNonceOf(patientId);
    const recipientKey = id("recipient");
    const value = { patientId, extent: CHART, ...scopeOf(scope), recipientKey, nonce, deadline: at };
    const signed = await s.sign("accessLog", signature, "OwnRequest", value);
    return call(s, RELAY, "accessLog", "requestOwn", [
      patientId,
      CHART,
      scopeOf(scope),
      recipientKey,
      at,
      signed,
    ]);
  },
};

function rolesOf(roles: readonly string[]): number {
  return roles.reduce((bits, role) => bits | Role[role as keyof typeof Role], 0);
}

async function witness(
  s: Stage,
  act: ActOf<"grantOnPaper" | "revokeOnPaper" | "denyOnPaper">,
  patient: string,
  ref: string,
  at: number,
) {
  const value = { act: WITNESSED[act.kind], patientId: s.patientId(patient), ref, deadline: at };
  return await s.cosign("consents", act.second, "Witnessing", {
    ...value,
    first: s.account(act.first).address,
  });
}

function denials(
  s: Stage,
  patient: string,
  { all, emergencies, compartments }: ActOf<"direct">["directive"],
) {
  return {
    patientId: s.patientId(patient),
    denyAll: all,
    denyEmergency: emergencies,
    deniedCompartments: bitmap(compartments),
  };
}

async function directiveNonce(s: Stage, patient: string): Promise<bigint> {
  return (await s.contracts.consents.directiveOf(s.patientId(patient))).nonce;
}

function scopeOf({ compartments, from, to, upTo }: Scope) {
  return { compartments: bitmap(compartments), recordedFrom: from, recordedTo: to, upTo };
}
