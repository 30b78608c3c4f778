// SPDX-License-Identifier: Apache-2.0
import { TypedDataEncoder, concat, id, keccak256 } from "ethers";
import {
  TERMS_TYPES,
  anchorLeaves,
  deployConsortium,
  networkHelpers,
  registerPatient,
  signTerms,
  termsFor,
} from "./consortium.js";
import type { Consortium, TestPatient } from "./consortium.js";

/** A consortium with one patient of hospital A. */
async function deployWithPatient() {
  const consortium = await deployConsortium();
  return { ...consortium, patient: await registerPatient(consortium) };
}

/** The same, with two batches of the patient's records in hospital A's log: 3 and 7 entries. */
export async function deployWithEntries() {
  const consortium = await deployWithPatient();
  const { patientId } = consortium.patient;
  const earlier = await anchorLeaves(consortium, patientId, 3);
  const entries = await anchorLeaves(consortium, patientId, 7);
  return { ...consortium, earlier, entries };
}

/** The same, and the patient lets hospital B read all of it for TREAT. */
async function deployWithGrant() {
  const consortium = await deployWithEntries();
  return { ...consortium, ...(await grantTerms(consortium, consortium.patient)) };
}
export type WithPatient = Awaited<ReturnType<typeof deployWithPatient>>;
export type WithEntries = Awaited<ReturnType<typeof deployWithEntries>>;
export type WithGrant = Awaited<ReturnType<typeof deployWithGrant>>;

export const loadConsortium = () => networkHelpers.loadFixture(deployConsortium);
export const loadWithPatient = () => networkHelpers.loadFixture(deployWithPatient);
export const loadWithEntries = () => networkHelpers.loadFixture(deployWithEntries);
export const loadWithGrant = () => networkHelpers.loadFixture(deployWithGrant);

/** The terms as the patient's wallet hashes them: independent of the contract. */
export function termsHashOf(terms: object): string {
  return TypedDataEncoder.hashStruct("Terms", TERMS_TYPES, terms);
}

/** The same for any ten words. */
export function hashTermsWords(words: string): string {
  return keccak256(concat([id(TypedDataEncoder.from(TERMS_TYPES).encodeType("Terms")), words]));
}

/** Terms of the patient, signed by him and granted. */
export async function grantTerms(c: Consortium, patient: TestPatient, changes: Record<string, unknown> = {}) {
  const terms = await termsFor(patient.patientId, changes);
  await c.consents.connect(c.relay).grant(terms, await signTerms(c, patient.wallet, terms));
  return { terms, termsHash: termsHashOf(terms) };
}
