// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { loadWithPatient } from "../fixtures.js";
import { countOf, headFromLogs } from "../heads.js";

describe("PatientRegistry.headOf", () => {
  describe("given no event about the patient", () => {
    it("should return zero", async () => {
      const { patients } = await loadWithPatient();
      expect(await patients.headOf(id("nobody"))).to.equal(0);
    });
  });

  describe("given a registered patient", () => {
    it("should return the head that the raw logs give", async () => {
      const { patients, patient } = await loadWithPatient();
      const head = await patients.headOf(patient.patientId);
      expect(head).to.equal(await headFromLogs(patients, patient.patientId));
      expect(countOf(head)).to.equal(1);
    });
  });
});
