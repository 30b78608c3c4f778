// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id, solidityPackedKeccak256 } from "ethers";
import { ethers } from "../consortium.js";
import { callDirtied } from "../dirty-words.js";
import { loadConsortium } from "../fixtures.js";

const SEED = id("seed");

describe("PatientRegistry.patientIdOf", () => {
  it("should hash four bytes of custodian and the seed", async () => {
    const { patients } = await loadConsortium();
    for (const custodian of [1, 2, 0xffffffff]) {
      const expected = solidityPackedKeccak256(["uint32", "bytes32"], [custodian, SEED]);
      expect(await patients.patientIdOf(custodian, SEED)).to.equal(expected);
    }
  });

  describe("when the custodian has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const { patients, outsider } = await loadConsortium();
      const data = patients.interface.encodeFunctionData("patientIdOf", [1, SEED]);
      const call = { from: outsider, to: await patients.getAddress(), data };
      await expect(callDirtied(call, 0)).to.be.revertedWithoutReason(ethers);
    });
  });
});
