// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.memberOf", () => {
  describe("given no such member", () => {
    it("should revert with MemberUnknown", async () => {
      const { members } = await loadConsortium();
      for (const memberId of [0, 4]) {
        await expect(members.memberOf(memberId))
          .to.be.revertedWithCustomError(members, "MemberUnknown")
          .withArgs(memberId);
      }
    });
  });

  describe("given the member was removed", () => {
    it("should still return it", async () => {
      const { members, governance, adminC } = await loadConsortium();
      await members.connect(governance).removeMember(3);
      const { admin, suspension } = await members.memberOf(3);
      expect([admin, suspension]).to.deep.equal([adminC.address, 7n]);
    });
  });
});
