// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireGovernance, shouldRequirePresentMember } from "../behaviours/governance.js";
import { Suspension } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.setSuspension", () => {
  shouldRequireGovernance(loadConsortium, (f, as) => f.members.connect(as).setSuspension(1, 0));
  shouldRequirePresentMember(loadConsortium, (f, memberId) =>
    f.members.connect(f.governance).setSuspension(memberId, Suspension.READING),
  );

  describe("when a bit is set that is neither READING nor WRITING", () => {
    it("should revert with SuspensionInvalid", async () => {
      const { members, governance } = await loadConsortium();
      for (const suspension of [Suspension.REMOVED, 7, 8, 255]) {
        await expect(members.connect(governance).setSuspension(1, suspension))
          .to.be.revertedWithCustomError(members, "SuspensionInvalid")
          .withArgs(suspension);
      }
    });
  });

  describe("when governance sets or lifts a suspension", () => {
    it("should store it and emit MemberSuspensionSet", async () => {
      const { members, governance } = await loadConsortium();
      for (const suspension of [Suspension.READING, Suspension.WRITING, 3, 0]) {
        await expect(members.connect(governance).setSuspension(1, suspension))
          .to.emit(members, "MemberSuspensionSet")
          .withArgs(1, suspension);
        expect((await members.memberOf(1)).suspension).to.equal(suspension);
      }
    });

    it("should leave the other members as they are", async () => {
      const { members, governance } = await loadConsortium();
      await members.connect(governance).setSuspension(1, Suspension.READING);
      expect((await members.memberOf(2)).suspension).to.equal(0);
    });
  });
});
