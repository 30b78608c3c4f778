// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ethers } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const DAY = 86_400;

describe("PatientRegistry.constructor", () => {
  describe("when the recovery delay is shorter than three days or longer than 90", () => {
    it("should revert with RecoveryDelayOutOfBounds", async () => {
      const { members, passkeys, patients } = await loadConsortium();
      for (const delay of [0, 3 * DAY - 1, 90 * DAY + 1, 2 ** 48 - 1]) {
        await expect(ethers.deployContract("PatientRegistry", [members, passkeys, delay]))
          .to.be.revertedWithCustomError(patients, "RecoveryDelayOutOfBounds")
          .withArgs(delay);
      }
    });
  });

  describe("when the recovery delay is three to 90 days", () => {
    it("should keep member registry, verifier and delay", async () => {
      const { members, passkeys } = await loadConsortium();
      for (const delay of [3 * DAY, 90 * DAY]) {
        const patients = await ethers.deployContract("PatientRegistry", [members, passkeys, delay]);
        expect(await patients.MEMBERS()).to.equal(await members.getAddress());
        expect(await patients.PASSKEY_VERIFIER()).to.equal(await passkeys.getAddress());
        expect(await patients.RECOVERY_DELAY()).to.equal(delay);
      }
    });
  });
});
