// SPDX-License-Identifier: Apache-2.0
import { keySigner, now } from "./consortium.js";
import type { Consortium, PatientSigner } from "./consortium.js";
import {
  DELEGATION_TYPES,
  PATIENT_DELEGATE_TYPES,
  latestEnd,
  nonceOf,
  possess,
  signFor,
} from "./guardians.js";

/** A delegate for as long as may be, a year at most; signed by who signs for the patient. */
export async function delegation(
  c: Consortium,
  patientId: string,
  actor: PatientSigner,
  delegate: PatientSigner = keySigner(),
  parts: { until?: number; deadline?: number } = {},
) {
  const { until = await latestEnd(c, patientId), deadline = (await now()) + 600 } = parts;
  const value = { patientId, key: delegate.bytes, until, nonce: await nonceOf(c, patientId), deadline };
  return {
    ...value,
    possession: await possess(c, patientId, delegate, deadline, PATIENT_DELEGATE_TYPES),
    signature: await signFor(c, actor, DELEGATION_TYPES, value),
  };
}
export type Delegation = Awaited<ReturnType<typeof delegation>>;

/** Sends it as anyone may. */
export async function setDelegate(c: Consortium, d: Delegation) {
  return await c.patients
    .connect(c.relay)
    .setDelegate(d.patientId, d.key, d.until, d.possession, d.deadline, d.signature);
}
