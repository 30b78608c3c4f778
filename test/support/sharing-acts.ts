// SPDX-License-Identifier: Apache-2.0
import { Wallet } from "ethers";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs, type GrantTicket, type TermsRequest } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { linesSource } from "./observations.js";

export interface SharedPatient {
  patient: Hex;
  device: PatientDevice;
  ticket: GrantTicket;
}

/** A patient's phone. */
export class PatientDevice {
  readonly wallet = Wallet.createRandom();
  readonly signer = this.wallet.address as Hex;

  signTypedData(...data: Parameters<Wallet["signTypedData"]>): Promise<string> {
    return this.wallet.signTypedData(...data);
  }
}

export const IN_A_YEAR = new Date(Date.now() + 365 * 86_400_000);
export async function takeIn(hospital: Chartseal, lines: readonly string[]): Promise<void> {
  const result = await hospital.ingest(linesSource(lines));
  if (result.failure !== undefined) throw result.failure;
  if (result.refused[0] !== undefined) throw result.refused[0].error;
}

export async function grant(
  hospital: Chartseal,
  patient: Hex,
  device: PatientDevice,
  terms: Partial<TermsRequest> & Pick<TermsRequest, "grantee">,
): Promise<GrantTicket> {
  const prepared = hospital.consent.terms({ patient, purposes: ["TREAT"], notAfter: IN_A_YEAR, ...terms });
  return await hospital.consent.grant(prepared, await signAs(device, prepared.typedData));
}

export async function revoke(hospital: Chartseal, { patient, device, ticket }: SharedPatient): Promise<void> {
  const data = hospital.consent.revocation(patient, ticket.termsHash);
  await hospital.consent.revoke(patient, ticket.termsHash, await signAs(device, data));
}

export interface DirectiveOf {
  denyAll?: boolean;
  deniedCompartments?: readonly number[];
}

export async function setDirective(
  hospital: Chartseal,
  { patient, device }: SharedPatient,
  directive: DirectiveOf,
): Promise<void> {
  const data = await hospital.consent.directive({ patient, ...directive });
  await hospital.consent.setDirective(data, await signAs(device, data));
}
