// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.requireMember", () => {
  describe("given no such member", () => {
    it("should revert with MemberUnknown", async () => {
      const { members } = await loadConsortium();
      for (const memberId of [0, 4]) {
        await expect(members.requireMember(memberId))
          .to.be.revertedWithCustomError(members, "MemberUnknown")
          .withArgs(memberId);
      }
    });
  });

  describe("given the member was admitted, suspended or removed", () => {
    it("should pass", async () => {
      const { members, governance } = await loadConsortium();
      await members.connect(governance).setSuspension(1, 3);
      await members.connect(governance).removeMember(2);
      for (const memberId of [1, 2, 3]) await members.requireMember(memberId);
    });
  });
});
