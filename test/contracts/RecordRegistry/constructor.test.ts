// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ethers } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const YEAR = 365;
/** Days: a hundred years with their leap days. */
const CENTURY = 36_525;

describe("RecordRegistry.constructor", () => {
  describe("when records are to be kept for less than a year or more than a hundred", () => {
    it("should revert with RetentionOutOfBounds", async () => {
      const { members, patients, records } = await loadConsortium();
      for (const days of [0, YEAR - 1, CENTURY + 1, 2 ** 32 - 1]) {
        await expect(ethers.deployContract("RecordRegistry", [members, patients, days]))
          .to.be.revertedWithCustomError(records, "RetentionOutOfBounds")
          .withArgs(days);
      }
    });
  });

  describe("when records are to be kept for one to a hundred years", () => {
    it("should keep the period and the registries, and start without entries", async () => {
      const { members, patients } = await loadConsortium();
      for (const days of [YEAR, CENTURY]) {
        const records = await ethers.deployContract("RecordRegistry", [members, patients, days]);
        expect(await records.RETENTION()).to.equal(days);
        expect(await records.MEMBERS()).to.equal(await members.getAddress());
        expect(await records.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
        expect(await records.headOf(1)).to.equal(0);
      }
    });
  });
});
