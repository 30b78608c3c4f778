// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, id, keccak256 } from "ethers";
import { YEAR } from "../contracts/consortium.js";
import { ChangeKind } from "../contracts/guardians.js";
import type { ActOf, Change } from "./acts.js";
import { RELAY, call, one } from "./call.js";
import type { Encode } from "./call.js";
import { keyBytes } from "./signatures.js";
import type { Call, Stage } from "./stage.js";

type PatientKind = "register" | "rotate" | "delegate" | "propose" | "cancel" | "complete";

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
  propose: proposal,
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
    // In the order of their keys' hashes.
    const keys = guardians.keys.toSorted((a, b) =>
      keccak256(keyBytes(a)) < keccak256(keyBytes(b)) ? -1 : 1,
    );
    const possessions: string[] = [];
    for (const name of keys)
      possessions.push(await possession(s, name, "PatientGuardian", { patientId, deadline }));
    const { threshold, until } = guardians;
    const set = { guardians: keys.map(keyBytes), possessions, threshold, until };
    return call(s, operator, "patients", "registerWithGuardians", [id(act.patient), set, deadline]);
  }
  const [signer, shown] = key
    ? [keyBytes(key), await possession(s, key, "PatientSigner", { patientId, deadline })]
    : ["0x", "0x"];
  return call(s, operator, "patients", "register", [id(act.patient), signer, shown, deadline]);
}

async function possession(
  s: Stage,
  key: string,
  use: "PatientSigner" | "PatientGuardian" | "PatientDelegate",
  { patientId, deadline }: { patientId: string; deadline: number },
): Promise<string> {
  return await s.sign("patients", one(key), use, { patientId, key: keyBytes(key), deadline });
}

async function patientValue(s: Stage, patient: string, at: number) {
  const patientId = s.patientId(patient);
  const { nonce } = await s.contracts.patients.patientOf(patientId);
  return { patientId, nonce, deadline: at };
}

function changeOf(change: Change) {
  const keys = change.what === "SIGNER" ? [keyBytes(change.key)] : [];
  return { kind: ChangeKind[change.what], keys, threshold: 0, until: 0, document: id("document") };
}

async function proposal(s: Stage, act: ActOf<"propose">, at: number): Promise<Call> {
  const value = await patientValue(s, act.patient, at);
  const change = changeOf(act.change);
  const changeHash = keccak256(
    AbiCoder.defaultAbiCoder().encode(["tuple(uint8,bytes[],uint8,uint48,bytes32)"], [Object.values(change)]),
  );
  const reviewer = await s.cosign("patients", act.reviewer, "PatientChange", { ...value, changeHash });
  const shown =
    act.change.what === "SIGNER" ? [await possession(s, act.change.key, "PatientSigner", value)] : [];
  return call(s, act.operator, "patients", "proposeByCustodian", [value.patientId, change, shown, reviewer]);
}
