// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireMemberAdmin } from "../behaviours/governance.js";
import { Role, Suspension, YEAR, networkHelpers, nextBlockAt, now } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const BOTH = Role.OPERATOR | Role.CLINICIAN;

async function update(f: Consortium, roles: number, notAfter?: number) {
  return await f.members.connect(f.adminA).updateStaff(f.operatorA, roles, notAfter ?? (await now()) + YEAR);
}

describe("MemberRegistry.updateStaff", () => {
  shouldRequireMemberAdmin(loadConsortium, async (f, as) =>
    f.members.connect(as).updateStaff(f.operatorA, Role.CLINICIAN, (await now()) + YEAR),
  );

  describe("given no such account", () => {
    it("should revert with StaffUnknown", async () => {
      const { members, adminA, outsider } = await loadConsortium();
      await expect(members.connect(adminA).updateStaff(outsider, Role.CLINICIAN, (await now()) + YEAR))
        .to.be.revertedWithCustomError(members, "StaffUnknown")
        .withArgs(outsider.address);
    });
  });

  describe("given the member was removed", () => {
    it("should revert with MemberGone", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.governance).removeMember(1);
      await expect(update(f, Role.CLINICIAN))
        .to.be.revertedWithCustomError(f.members, "MemberGone")
        .withArgs(1);
    });
  });

  describe("given the account is revoked", () => {
    it("should revert with StaffIsRevoked", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.adminA).revokeStaff(f.operatorA, 1_000, 0);
      await expect(update(f, Role.CLINICIAN))
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(f.operatorA.address, 1_000);
    });
  });

  describe("when the roles are none, or hold an unknown one", () => {
    it("should revert with RolesInvalid", async () => {
      const f = await loadConsortium();
      for (const roles of [0, 16, 255]) {
        await expect(update(f, roles))
          .to.be.revertedWithCustomError(f.members, "RolesInvalid")
          .withArgs(roles);
      }
    });
  });

  describe("when the account's end has passed", () => {
    it("should revert with StaffExpiryPast", async () => {
      const f = await loadConsortium();
      const notAfter = (await nextBlockAt()) - 1;
      await expect(update(f, Role.OPERATOR, notAfter))
        .to.be.revertedWithCustomError(f.members, "StaffExpiryPast")
        .withArgs(notAfter);
    });
  });

  describe("given the account has ended", () => {
    it("should renew it", async () => {
      const f = await loadConsortium();
      await networkHelpers.time.increase(2 * YEAR);
      await update(f, Role.OPERATOR);
      expect(await f.members.authorized(f.operatorA, Role.OPERATOR, Suspension.WRITING)).to.equal(1);
    });
  });

  describe("when no role is new to the account", () => {
    it("should keep the time from which it waits", async () => {
      const f = await loadConsortium();
      const { since } = await f.members.staffOf(f.operatorA);
      const notAfter = (await now()) + 2 * YEAR;
      await expect(update(f, Role.OPERATOR, notAfter))
        .to.emit(f.members, "StaffUpdated")
        .withArgs(1, f.operatorA.address, Role.OPERATOR, since, notAfter);
      expect((await f.members.staffOf(f.operatorA)).since).to.equal(since);
    });
  });

  describe("when a role is new to the account", () => {
    it("should start its waiting time again", async () => {
      const f = await loadConsortium();
      const notAfter = (await now()) + 2 * YEAR;
      const since = await nextBlockAt();
      await expect(update(f, BOTH, notAfter))
        .to.emit(f.members, "StaffUpdated")
        .withArgs(1, f.operatorA.address, BOTH, since, notAfter);
      const staff = await f.members.staffOf(f.operatorA);
      expect([staff.roles, staff.since, staff.notAfter]).to.deep.equal([BOTH, since, notAfter].map(BigInt));
    });
  });

  describe("when one role is exchanged for another", () => {
    it("should start its waiting time again, both ways", async () => {
      const f = await loadConsortium();
      for (const roles of [Role.CLINICIAN, Role.OPERATOR]) {
        const since = await nextBlockAt();
        await update(f, roles);
        expect((await f.members.staffOf(f.operatorA)).since).to.equal(since);
      }
    });
  });

  describe("when a role that was taken away comes back", () => {
    it("should start the waiting time again", async () => {
      const f = await loadConsortium();
      await update(f, BOTH);
      await update(f, Role.OPERATOR);
      const since = await nextBlockAt();
      await update(f, BOTH);
      expect((await f.members.staffOf(f.operatorA)).since).to.equal(since);
    });
  });
});
