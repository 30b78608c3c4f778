// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { TypedDataEncoder, id } from "ethers";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import { Actor, domain, registerSigner } from "../consortium.js";
import { loadWithPatient } from "../fixtures.js";

const DIGEST = id("any digest");
const TYPES = { Statement: [{ name: "text", type: "string" }] };

describe("PatientRegistry.requireSignature", () => {
  shouldRequireSigningPatient(loadWithPatient, (f, patientId) =>
    f.patients.requireSignature(patientId, DIGEST, "0x"),
  );

  shouldRequireSignature(loadWithPatient, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const statement = {
      domain: await domain(f.consents, "ConsentRegistry"),
      types: TYPES,
      value: { text: "yes" },
    };
    const digest = TypedDataEncoder.hash(statement.domain, statement.types, statement.value);
    return {
      patientId,
      ...statement,
      act: (signature) => f.patients.requireSignature(patientId, digest, signature),
    };
  });

  describe("when the signature is over another digest", () => {
    it("should revert with SignatureInvalid", async () => {
      const { patients, patient } = await loadWithPatient();
      const signature = patient.wallet.signingKey.sign(DIGEST).serialized;
      await expect(patients.requireSignature(patient.patientId, id("another"), signature))
        .to.be.revertedWithCustomError(patients, "SignatureInvalid")
        .withArgs(patient.patientId);
    });
  });

  describe("given the custodian was removed", () => {
    it("should still return it", async () => {
      const { patients, patient, members, governance } = await loadWithPatient();
      await members.connect(governance).removeMember(1);
      const signature = patient.wallet.signingKey.sign(DIGEST).serialized;
      expect(await patients.requireSignature(patient.patientId, DIGEST, signature)).to.deep.equal([
        1n,
        Actor.PATIENT,
      ]);
    });
  });

  describe("when the patient signed the digest", () => {
    it("should return his custodian", async () => {
      const { patients, patient } = await loadWithPatient();
      const signature = patient.wallet.signingKey.sign(DIGEST).serialized;
      expect(await patients.requireSignature(patient.patientId, DIGEST, signature)).to.deep.equal([
        1n,
        Actor.PATIENT,
      ]);
    });
  });
});
