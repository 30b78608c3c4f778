// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { LIMITS } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("BreakGlass.views", () => {
  describe("limits", () => {
    it("should be what the deployment set", async () => {
      const { emergencies } = await loadConsortium();
      expect(await emergencies.limits()).to.deep.equal(Object.values(LIMITS).map(BigInt));
    });
  });

  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { emergencies, members } = await loadConsortium();
      expect(await emergencies.MEMBERS()).to.equal(await members.getAddress());
    });
  });

  describe("PATIENT_REGISTRY", () => {
    it("should be the patient registry", async () => {
      const { emergencies, patients } = await loadConsortium();
      expect(await emergencies.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
    });
  });

  describe("CONSENTS", () => {
    it("should be the consent registry", async () => {
      const { emergencies, consents } = await loadConsortium();
      expect(await emergencies.CONSENTS()).to.equal(await consents.getAddress());
    });
  });
});
