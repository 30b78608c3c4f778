// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("ConsentRegistry.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { consents, members } = await loadConsortium();
      expect(await consents.MEMBERS()).to.equal(await members.getAddress());
    });
  });

  describe("PATIENT_REGISTRY", () => {
    it("should be the patient registry", async () => {
      const { consents, patients } = await loadConsortium();
      expect(await consents.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
    });
  });

  describe("RECORDS", () => {
    it("should be the record registry", async () => {
      const { consents, records } = await loadConsortium();
      expect(await consents.RECORDS()).to.equal(await records.getAddress());
    });
  });
});
