// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { registerPatient } from "../consortium.js";
import { grantTerms, loadWithGrant, loadWithPatient } from "../fixtures.js";

describe("ConsentRegistry.grantOf", () => {
  describe("given no such grant", () => {
    it("should return zeros", async () => {
      const f = await loadWithGrant();
      const other = await registerPatient(f);
      for (const [patientId, termsHash] of [
        [f.patient.patientId, f.patient.seed],
        [other.patientId, f.termsHash],
      ] as const) {
        expect(await f.consents.grantOf(patientId, termsHash)).to.deep.equal([0n, 0n, 0n, 0n]);
      }
    });
  });

  describe("given a grant", () => {
    it("should return the custodian of the patient, not the grantee", async () => {
      const f = await loadWithPatient();
      const patient = await registerPatient(f, f.operatorB, 2);
      const { termsHash } = await grantTerms(f, patient, { grantee: 1 });
      expect((await f.consents.grantOf(patient.patientId, termsHash)).custodian).to.equal(2);
    });
  });
});
