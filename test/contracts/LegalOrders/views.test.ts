// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("LegalOrders.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { orders, members } = await loadConsortium();
      expect(await orders.MEMBERS()).to.equal(await members.getAddress());
    });
  });

  describe("PATIENT_REGISTRY", () => {
    it("should be the patient registry", async () => {
      const { orders, patients } = await loadConsortium();
      expect(await orders.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
    });
  });

  describe("RECORDS", () => {
    it("should be the record registry", async () => {
      const { orders, records } = await loadConsortium();
      expect(await orders.RECORDS()).to.equal(await records.getAddress());
    });
  });
});
