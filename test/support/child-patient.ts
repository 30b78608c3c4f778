// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { AbiCoder, solidityPackedKeccak256 } from "ethers";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs, typedData, type PatientSigner } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { IN_A_YEAR, PatientDevice } from "./sharing-acts.js";

/** A patient of this hospital, enrolled as `Patient/<name>`, for whom one guardian signs. */
export async function childOf(
  hospital: Chartseal,
  name: string,
): Promise<{ patientId: Hex; guardian: PatientSigner }> {
  const { chain, vault, memberId } = hospital;
  const seed = randomBytes(32);
  const patientId = solidityPackedKeccak256(["uint32", "bytes32"], [memberId, seed]) as Hex;
  const device = new PatientDevice();
  const until = Math.floor(IN_A_YEAR.getTime() / 1_000);
  const message = { patientId, key: device.signer, deadline: until };
  const possession = await signAs(
    device,
    typedData(chain.deployment, "patients", "PatientGuardian", message),
  );
  vault.addPatient({ patientId, seed, identifiers: [{ system: "fhir:Patient", value: name }] });
  const set = { guardians: [device.signer], possessions: [possession], threshold: 1, until };
  const call = await chain.patients.registerWithGuardians.populateTransaction(seed, set, until);
  await hospital.writer("operator").execute(call);
  const guardian: PatientSigner = {
    signer: device.signer,
    signTypedData: async (...data: Parameters<PatientDevice["signTypedData"]>) =>
      together(device.signer, await device.signTypedData(...data)),
  };
  return { patientId, guardian };
}

/** As a set of one guardian signs. */
function together(key: Hex, signature: string): Hex {
  return AbiCoder.defaultAbiCoder().encode(["bytes[]", "bytes[]"], [[key], [signature]]) as Hex;
}
