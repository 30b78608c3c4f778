// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { loadWithPatient } from "../fixtures.js";

describe("PatientRegistry.patientOf", () => {
  describe("given no such patient", () => {
    it("should return zeros", async () => {
      const { patients } = await loadWithPatient();
      expect(await patients.patientOf(id("nobody"))).to.deep.equal([0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, "0x"]);
    });
  });

  describe("given a registered patient", () => {
    it("should return custodian and signer", async () => {
      const { patients, patient } = await loadWithPatient();
      const { custodian, signer } = await patients.patientOf(patient.patientId);
      expect([custodian, signer]).to.deep.equal([1n, patient.wallet.address.toLowerCase()]);
    });
  });
});
