// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, concat } from "ethers";
import { KeyUse } from "../consortium.js";
import { loadWithPatient } from "../fixtures.js";

describe("PatientRegistry.patientOfKey", () => {
  describe("given the key serves nobody", () => {
    it("should return zero and no use", async () => {
      const { patients, patient, outsider } = await loadWithPatient();
      for (const signer of [outsider.address, "0x", concat([patient.wallet.address, "0x00"])]) {
        expect(await patients.patientOfKey(signer)).to.deep.equal([ZeroHash, KeyUse.NONE]);
      }
    });
  });

  describe("given the key serves a patient", () => {
    it("should return the patient and the use", async () => {
      const { patients, patient } = await loadWithPatient();
      expect(await patients.patientOfKey(patient.wallet.address)).to.deep.equal([
        patient.patientId,
        KeyUse.SIGNER,
      ]);
    });
  });
});
