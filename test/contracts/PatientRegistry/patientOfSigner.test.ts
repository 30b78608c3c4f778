// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, concat } from "ethers";
import { loadWithPatient } from "../fixtures.js";

describe("PatientRegistry.patientOfSigner", () => {
  describe("given the signer serves nobody", () => {
    it("should return zero", async () => {
      const { patients, patient, outsider } = await loadWithPatient();
      for (const signer of [outsider.address, "0x", concat([patient.wallet.address, "0x00"])]) {
        expect(await patients.patientOfSigner(signer)).to.equal(ZeroHash);
      }
    });
  });

  describe("given the signer serves a patient", () => {
    it("should return the patient", async () => {
      const { patients, patient } = await loadWithPatient();
      expect(await patients.patientOfSigner(patient.wallet.address)).to.equal(patient.patientId);
    });
  });
});
