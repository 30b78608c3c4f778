// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireGovernance, shouldRequirePresentMember } from "../behaviours/governance.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.removeMember", () => {
  shouldRequireGovernance(loadConsortium, (f, as) => f.members.connect(as).removeMember(1));
  shouldRequirePresentMember(loadConsortium, (f, memberId) =>
    f.members.connect(f.governance).removeMember(memberId),
  );

  describe("when governance removes a member", () => {
    it("should emit MemberRemoved and set every bit of its suspension", async () => {
      const { members, governance } = await loadConsortium();
      await expect(members.connect(governance).removeMember(1)).to.emit(members, "MemberRemoved").withArgs(1);
      expect((await members.memberOf(1)).suspension).to.equal(7);
    });

    it("should keep the ids of all members, and never give one again", async () => {
      const { members, governance, outsider, adminA } = await loadConsortium();
      await members.connect(governance).removeMember(3);
      await expect(members.connect(governance).admit(outsider, "Hospital D"))
        .to.emit(members, "MemberAdmitted")
        .withArgs(4, outsider.address, "Hospital D");
      expect((await members.memberOf(1)).admin).to.equal(adminA.address);
      await members.requireMember(3);
    });
  });
});
