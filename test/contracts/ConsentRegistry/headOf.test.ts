// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { registerPatient } from "../consortium.js";
import { grantTerms, loadWithPatient } from "../fixtures.js";
import { countOf, headFromLogs } from "../heads.js";
import { revokeTerms, setDirective } from "../patient-acts.js";

describe("ConsentRegistry.headOf", () => {
  describe("given no event about the patient", () => {
    it("should return zero", async () => {
      const { consents, patient } = await loadWithPatient();
      for (const patientId of [patient.patientId, id("nobody")])
        expect(await consents.headOf(patientId)).to.equal(0);
    });
  });

  describe("given grants, revocations and directives of two patients, mixed", () => {
    it("should return for each the head that the raw logs give", async () => {
      const f = await loadWithPatient();
      const other = await registerPatient(f);
      for (const patient of [f.patient, other, f.patient]) {
        const { termsHash } = await grantTerms(f, patient);
        await setDirective(f, patient, { denyAll: true });
        await revokeTerms(f, patient, termsHash);
      }
      for (const [{ patientId }, count] of [
        [f.patient, 6],
        [other, 3],
      ] as const) {
        const head = await f.consents.headOf(patientId);
        expect(head).to.equal(await headFromLogs(f.consents, patientId));
        expect(countOf(head)).to.equal(count);
      }
    });
  });
});
