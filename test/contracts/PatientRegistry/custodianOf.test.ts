// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { registerPatient } from "../consortium.js";
import { loadWithPatient } from "../fixtures.js";

describe("PatientRegistry.custodianOf", () => {
  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const { patients } = await loadWithPatient();
      await expect(patients.custodianOf(id("nobody")))
        .to.be.revertedWithCustomError(patients, "PatientUnknown")
        .withArgs(id("nobody"));
    });
  });

  describe("given a registered patient", () => {
    it("should return the member that registered him, whatever became of it", async () => {
      const f = await loadWithPatient();
      const other = await registerPatient(f, f.operatorB, 2);
      await f.members.connect(f.governance).removeMember(1);
      expect(await f.patients.custodianOf(f.patient.patientId)).to.equal(1);
      expect(await f.patients.custodianOf(other.patientId)).to.equal(2);
    });
  });
});
