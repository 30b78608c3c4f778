// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { hexlify } from "ethers";
import { RECOVERY_DELAY, YEAR, keySigner, nextBlockAt, now } from "./consortium.js";
import type { Consortium, PatientSigner, TestPatient } from "./consortium.js";
import {
  CHANGE_TYPES,
  DELEGATION_TYPES,
  PATIENT_DELEGATE_TYPES,
  changeHashOf,
  changeOf,
  guardianSet,
  newGuardians,
  nonceOf,
  possess,
  signFor,
  together,
} from "./guardians.js";
import type { ChangeKind } from "./guardians.js";
import { cosign } from "./pairs.js";
import type { WithStaff } from "./witnesses.js";

/** A patient of hospital A without a signer, for whom two of three guardians sign. */
export async function registerGuarded(c: Consortium, { until }: { until?: number } = {}) {
  const seed = hexlify(randomBytes(32));
  const patientId = await c.patients.patientIdOf(1, seed);
  const end = (await now()) + YEAR;
  const guardians = newGuardians(3);
  const options = { threshold: 2, until: until ?? end, deadline: end };
  const { set, deadline } = await guardianSet(c, patientId, guardians, options);
  await c.patients.connect(c.operatorA).registerWithGuardians(seed, set, deadline);
  return { patientId, guardians, wallet: together(...guardians.slice(0, 2)) };
}

/** Lets a fresh key, or `delegate`, give grants for the patient until `until`. */
export async function appointDelegate(
  c: Consortium,
  patient: Pick<TestPatient, "patientId" | "wallet">,
  { until, delegate = keySigner() }: { until?: number; delegate?: PatientSigner } = {},
) {
  const { patientId, wallet } = patient;
  const deadline = (await now()) + YEAR;
  const nonce = await nonceOf(c, patientId);
  const value = { patientId, key: delegate.bytes, until: until ?? deadline, nonce, deadline };
  const possession = await possess(c, patientId, delegate, deadline, PATIENT_DELEGATE_TYPES);
  const signature = await signFor(c, wallet, DELEGATION_TYPES, value);
  await c.patients.setDelegate(patientId, delegate.bytes, value.until, possession, deadline, signature);
  return delegate;
}

/**
 * A change that hospital A proposes with a reviewer of hospital B, and completes as soon as it may. SIGNER takes the
 * new signer; GUARDIANS takes nobody: the patient has none any more.
 */
export async function completeChange(
  f: WithStaff,
  patientId: string,
  { kind, signer }: { kind: keyof typeof ChangeKind; signer?: PatientSigner },
) {
  const change = changeOf(kind, { keys: signer ? [signer.bytes] : [] });
  const deadline = (await now()) + YEAR;
  const nonce = await nonceOf(f, patientId);
  const reviewer = await cosign(
    {
      contract: f.patients,
      name: "PatientRegistry",
      types: CHANGE_TYPES,
      value: { patientId, changeHash: changeHashOf(change), nonce },
      firstField: "none",
    },
    { first: f.operatorA, second: f.reviewerB },
    { deadline },
  );
  const possessions = signer ? [await possess(f, patientId, signer, deadline)] : [];
  await f.patients.connect(f.operatorA).proposeByCustodian(patientId, change, possessions, reviewer);
  const completedAt = await nextBlockAt((await now()) + RECOVERY_DELAY);
  await f.patients.completeChange(patientId, change);
  return { completedAt, loosensFrom: completedAt + RECOVERY_DELAY };
}
