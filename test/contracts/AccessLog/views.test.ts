// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("AccessLog.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { accessLog, members } = await loadConsortium();
      expect(await accessLog.MEMBERS()).to.equal(await members.getAddress());
    });
  });

  describe("RECORDS", () => {
    it("should be the record registry", async () => {
      const { accessLog, records } = await loadConsortium();
      expect(await accessLog.RECORDS()).to.equal(await records.getAddress());
    });
  });

  describe("CONSENTS", () => {
    it("should be the consent registry", async () => {
      const { accessLog, consents } = await loadConsortium();
      expect(await accessLog.CONSENTS()).to.equal(await consents.getAddress());
    });
  });

  describe("PATIENT_REGISTRY", () => {
    it("should be the patient registry", async () => {
      const { accessLog, patients } = await loadConsortium();
      expect(await accessLog.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
    });
  });

  describe("ORDERS", () => {
    it("should be the register of legal orders", async () => {
      const { accessLog, orders } = await loadConsortium();
      expect(await accessLog.ORDERS()).to.equal(await orders.getAddress());
    });
  });

  describe("BREAK_GLASS", () => {
    it("should be the register of emergencies", async () => {
      const { accessLog, emergencies } = await loadConsortium();
      expect(await accessLog.BREAK_GLASS()).to.equal(await emergencies.getAddress());
    });
  });
});
