// SPDX-License-Identifier: Apache-2.0
import { DIRECTIVE_TYPES, REVOCATION_TYPES, YEAR, domain, nextBlockAt, now } from "./consortium.js";
import type { Consortium, PatientSigner, TestPatient } from "./consortium.js";

/** The parts of a directive that a test cares about; the rest denies nothing and is valid for a year. */
interface DirectiveChanges {
  denyAll?: boolean;
  denyEmergency?: boolean;
  deniedCompartments?: bigint;
  nonce?: bigint;
  deadline?: number;
}

/** A directive as a patient signs it, with the nonce that is next. */
export async function directiveFor(c: Consortium, patientId: string, changes: DirectiveChanges = {}) {
  const { nonce } = await c.consents.directiveOf(patientId);
  return {
    patientId,
    denyAll: false,
    denyEmergency: false,
    deniedCompartments: 0n,
    nonce,
    deadline: (await now()) + YEAR,
    ...changes,
  };
}

/** Sends a directive with a signature over it. Anyone may. */
export async function sendDirective(
  c: Consortium,
  directive: Awaited<ReturnType<typeof directiveFor>>,
  signature: string,
) {
  const { patientId, denyAll, denyEmergency, deniedCompartments, deadline } = directive;
  return await c.consents
    .connect(c.relay)
    .setDirective(patientId, denyAll, denyEmergency, deniedCompartments, deadline, signature);
}

/** Signs and sends a directive. */
export async function setDirective(c: Consortium, patient: TestPatient, changes: DirectiveChanges = {}) {
  const directive = await directiveFor(c, patient.patientId, changes);
  return await sendDirective(c, directive, await signDirective(c, patient, directive));
}

export async function signDirective(c: Consortium, patient: TestPatient, directive: object): Promise<string> {
  return await patient.wallet.signTypedData(
    await domain(c.consents, "ConsentRegistry"),
    DIRECTIVE_TYPES,
    directive,
  );
}

/** A patient, by whoever signs for him. */
interface Revoker {
  patientId: string;
  wallet: Pick<PatientSigner, "signTypedData">;
}

export async function signRevocation(c: Consortium, patient: Revoker, termsHash: string): Promise<string> {
  const { patientId, wallet } = patient;
  const revocation = { patientId, termsHash };
  return await wallet.signTypedData(
    await domain(c.consents, "ConsentRegistry"),
    REVOCATION_TYPES,
    revocation,
  );
}

/** Revokes as the patient; returns when, in Unix seconds. */
export async function revokeTerms(c: Consortium, patient: Revoker, termsHash: string): Promise<number> {
  const signature = await signRevocation(c, patient, termsHash);
  const revokedAt = await nextBlockAt();
  await c.consents.connect(c.relay).revoke(patient.patientId, termsHash, signature);
  return revokedAt;
}
