// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { RECOVERY_DELAY } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("PatientRegistry.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { patients, members } = await loadConsortium();
      expect(await patients.MEMBERS()).to.equal(await members.getAddress());
    });
  });

  describe("PASSKEY_VERIFIER", () => {
    it("should be the one verifier of passkeys", async () => {
      const { patients, passkeys } = await loadConsortium();
      expect(await patients.PASSKEY_VERIFIER()).to.equal(await passkeys.getAddress());
    });
  });

  describe("RECOVERY_DELAY", () => {
    it("should be the delay that was deployed", async () => {
      const { patients } = await loadConsortium();
      expect(await patients.RECOVERY_DELAY()).to.equal(RECOVERY_DELAY);
    });
  });
});
