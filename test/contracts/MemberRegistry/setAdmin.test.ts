// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { shouldRequirePresentMember } from "../behaviours/governance.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.setAdmin", () => {
  shouldRequirePresentMember(loadConsortium, (f, memberId) =>
    f.members.connect(f.governance).setAdmin(memberId, f.outsider),
  );

  describe("when the new admin is the zero address", () => {
    it("should revert with AdminZero", async () => {
      const { members, adminA } = await loadConsortium();
      await expect(members.connect(adminA).setAdmin(1, ZeroAddress)).to.be.revertedWithCustomError(
        members,
        "AdminZero",
      );
    });
  });

  describe("when the caller is neither the member's admin nor governance", () => {
    it("should revert with AccessManagedUnauthorized", async () => {
      const { members, adminB, operatorA, outsider } = await loadConsortium();
      for (const caller of [adminB, operatorA, outsider]) {
        await expect(members.connect(caller).setAdmin(1, outsider))
          .to.be.revertedWithCustomError(members, "AccessManagedUnauthorized")
          .withArgs(caller.address);
      }
    });
  });

  describe("when the admin hands over", () => {
    it("should emit MemberAdminSet", async () => {
      const { members, adminA, outsider } = await loadConsortium();
      await expect(members.connect(adminA).setAdmin(1, outsider))
        .to.emit(members, "MemberAdminSet")
        .withArgs(1, outsider.address);
    });

    it("should give the member to the new admin and take it from the old", async () => {
      const { members, adminA, outsider } = await loadConsortium();
      await members.connect(adminA).setAdmin(1, outsider);
      await members.connect(outsider).publishKey(1, "0x01");
      await expect(members.connect(adminA).setAdmin(1, adminA))
        .to.be.revertedWithCustomError(members, "AccessManagedUnauthorized")
        .withArgs(adminA.address);
    });
  });

  describe("when governance replaces a lost admin", () => {
    it("should emit MemberAdminSet and store it", async () => {
      const { members, governance, outsider } = await loadConsortium();
      await expect(members.connect(governance).setAdmin(1, outsider))
        .to.emit(members, "MemberAdminSet")
        .withArgs(1, outsider.address);
      expect((await members.memberOf(1)).admin).to.equal(outsider.address);
    });
  });
});
