// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ethers } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const HOUR = 3_600;
const DAY = 86_400;

describe("MemberRegistry.constructor", () => {
  describe("when the waiting time is shorter than an hour or longer than 14 days", () => {
    it("should revert with WaitingTimeOutOfBounds", async () => {
      const { authority, members } = await loadConsortium();
      for (const waitingTime of [0, HOUR - 1, 14 * DAY + 1]) {
        await expect(ethers.deployContract("MemberRegistry", [authority, waitingTime]))
          .to.be.revertedWithCustomError(members, "WaitingTimeOutOfBounds")
          .withArgs(waitingTime);
      }
    });
  });

  describe("when the waiting time is an hour to 14 days", () => {
    it("should keep waiting time and authority, and start without members", async () => {
      const { authority } = await loadConsortium();
      for (const waitingTime of [HOUR, 14 * DAY]) {
        const members = await ethers.deployContract("MemberRegistry", [authority, waitingTime]);
        expect(await members.WAITING_TIME()).to.equal(waitingTime);
        expect(await members.authority()).to.equal(await authority.getAddress());
        expect(await members.memberCount()).to.equal(0);
      }
    });
  });
});
