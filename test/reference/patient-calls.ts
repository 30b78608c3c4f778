// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, id, keccak256 } from "ethers";
import { YEAR } from "../contracts/consortium.js";
import { ChangeKind } from "../contracts/guardians.js";
import type { ActOf, Change, Guardians } from "./acts.js";
import { RELAY, call, one } from "./call.js";
import type { Encode } from "./call.js";
import { keyBytes } from "./signatures.js";
import type { Call, Stage } from "./stage.js";

type PatientKind =
  | "setGuardians"
  | "proposeAsGuardians"
  | "register"
  | "rotate"
  | "delegate"
  | "propose"
  | "cancel"
  | "complete";

export const PATIENT_CALLS: { readonly [K in PatientKind]: Encode<K> } = {
  register: registration,
  rotate: async (s, { patient, key, signature }, at) => {
    const value = { ...(await patientValue(s, patient, at)), key: keyBytes(key) };
    return call(s, RELAY, "patients", "rotateSigner", [
      ...[value.patientId, value.key, await possession(s, key, "PatientSigner", value), value.deadline],
      await s.sign("patients", signature, "SignerRotation", value),
    ]);
  },
  delegate: async (s, { patient, key, until, signature }, at) => {
    const value = { ...(await patientValue(s, patient, at)), key: keyBytes(key), until };
    return call(s, RELAY, "patients", "setDelegate", [
      ...[value.patientId, value.key, until, await possession(s, key, "PatientDelegate", value)],
      ...[value.deadline, await s.sign("patients", signature, "Delegation", value)],
    ]);
  },
  setGuardians: async (s, { patient, guardians, signature }, at) => {
    const value = await patientValue(s, patient, at);
    const set = await setOf(s, guardians, value);
    const signed = await s.sign("patients", signature, "GuardianSet", { ...value, ...set });
    return call(s, RELAY, "patients", "setGuardians", [value.patientId, set, at, signed]);
  },
  propose: proposal,
  proposeAsGuardians: async (s, { patient, change, signature }, at) => {
    const value = await patientValue(s, patient, at);
    const [shown = "0x"] = await possessions(s, change, value);
    const signed = await s.sign("patients", signature, "PatientChange", {
      ...value,
      changeHash: changeHashOf(change),
    });
    return call(s, RELAY, "patients", "proposeByGuardians", [
      ...[value.patientId, changeOf(change), shown, at, signed],
    ]);
  },
  cancel: async (s, { patient, signature }) => {
    const patientId = s.patientId(patient);
    const { changeHash, readyAt } = await s.contracts.patients.pendingChangeOf(patientId);
    const signed = await s.sign("patients", signature, "Cancellation", { patientId, changeHash, readyAt });
    return call(s, RELAY, "patients", "cancelChange", [patientId, signed]);
  },
  complete: (s, { patient, change }) =>
    call(s, RELAY, "patients", "completeChange", [s.patientId(patient), changeOf(change)]),
};

async function registration(s: Stage, act: ActOf<"register">, at: number): Promise<Call> {
  const patientId = s.patientId(act.patient);
  const operator = act.custodian === 1 ? "operator A" : "operator B";
  const deadline = at + YEAR;
  const { guardians, key } = act;
  if (guardians) {
    const set = await setOf(s, guardians, { patientId, deadline });
    return call(s, operator, "patients", "registerWithGuardians", [id(act.patient), set, deadline]);
  }
  const [signer, shown] = key
    ? [keyBytes(key), await possession(s, key, "PatientSigner", { patientId, deadline })]
    : ["0x", "0x"];
  return call(s, operator, "patients", "register", [id(act.patient), signer, shown, deadline]);
}

interface Possessed {
  patientId: string;
  deadline: number;
}

/** In the order of the keys' hashes, each shown to be held. */
async function setOf(s: Stage, { keys, threshold, until }: Guardians, value: Possessed) {
  const shown: string[] = [];
  const sorted = inOrder(keys);
  for (const key of sorted) shown.push(await possession(s, key, "PatientGuardian", value));
  return { guardians: sorted.map(keyBytes), possessions: shown, threshold, until };
}

function inOrder(keys: readonly string[]): string[] {
  return keys.toSorted((a, b) => (keccak256(keyBytes(a)) < keccak256(keyBytes(b)) ? -1 : 1));
}

async function possession(
  s: Stage,
  key: string,
  use: "PatientSigner" | "PatientGuardian" | "PatientDelegate",
  { patientId, deadline }: Possessed,
): Promise<string> {
  return await s.sign("patients", one(key), use, { patientId, key: keyBytes(key), deadline });
}

async function possessions(s: Stage, change: Change, value: Possessed): Promise<string[]> {
  if (change.what === "SIGNER") return [await possession(s, change.key, "PatientSigner", value)];
  return change.what === "GUARDIANS" ? (await setOf(s, change.guardians, value)).possessions : [];
}

async function patientValue(s: Stage, patient: string, at: number) {
  const patientId = s.patientId(patient);
  const { nonce } = await s.contracts.patients.patientOf(patientId);
  return { patientId, nonce, deadline: at };
}

function changeOf(change: Change) {
  const plain = {
    kind: ChangeKind[change.what],
    keys: [] as string[],
    threshold: 0,
    until: 0,
    document: id("document"),
  };
  if (change.what === "SIGNER") return { ...plain, keys: [keyBytes(change.key)] };
  if (change.what !== "GUARDIANS") return plain;
  const { keys, threshold, until } = change.guardians;
  return { ...plain, keys: inOrder(keys).map(keyBytes), threshold, until };
}

function changeHashOf(change: Change): string {
  const types = ["tuple(uint8,bytes[],uint8,uint48,bytes32)"];
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, [Object.values(changeOf(change))]));
}

async function proposal(s: Stage, act: ActOf<"propose">, at: number): Promise<Call> {
  const value = await patientValue(s, act.patient, at);
  const signed = { ...value, changeHash: changeHashOf(act.change) };
  const reviewer = await s.cosign("patients", act.reviewer, "PatientChange", signed);
  const shown = await possessions(s, act.change, value);
  return call(s, act.operator, "patients", "proposeByCustodian", [
    ...[value.patientId, changeOf(act.change), shown, reviewer],
  ]);
}
