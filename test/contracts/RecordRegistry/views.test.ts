// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { RETENTION } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("RecordRegistry.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { records, members } = await loadConsortium();
      expect(await records.MEMBERS()).to.equal(await members.getAddress());
    });
  });

  describe("PATIENT_REGISTRY", () => {
    it("should be the patient registry", async () => {
      const { records, patients } = await loadConsortium();
      expect(await records.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
    });
  });

  describe("RETENTION", () => {
    it("should be what the deployment set, in days", async () => {
      const { records } = await loadConsortium();
      expect(await records.RETENTION()).to.equal(RETENTION);
    });
  });
});
