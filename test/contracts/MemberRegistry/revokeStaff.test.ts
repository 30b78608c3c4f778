// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireMemberAdmin } from "../behaviours/governance.js";
import { ethers, nextBlockAt } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const Reason = { LEFT: 0, KEY_LOST: 1, KEY_COMPROMISED: 2, MISUSE: 3 } as const;

function revoke(f: Consortium, since: number, reason: number = Reason.LEFT) {
  return f.members.connect(f.adminA).revokeStaff(f.operatorA, since, reason);
}

describe("MemberRegistry.revokeStaff", () => {
  shouldRequireMemberAdmin(loadConsortium, (f, as) =>
    f.members.connect(as).revokeStaff(f.operatorA, 1_000, Reason.LEFT),
  );

  describe("given no such account", () => {
    it("should revert with StaffUnknown", async () => {
      const { members, adminA, outsider } = await loadConsortium();
      await expect(members.connect(adminA).revokeStaff(outsider, 1_000, Reason.LEFT))
        .to.be.revertedWithCustomError(members, "StaffUnknown")
        .withArgs(outsider.address);
    });
  });

  describe("given the member was removed", () => {
    it("should revert with AccessManagedUnauthorized for its former admin and everybody else", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.governance).removeMember(1);
      for (const caller of [f.adminA, f.adminB, f.operatorA, f.outsider]) {
        await expect(f.members.connect(caller).revokeStaff(f.operatorA, 1_000, Reason.LEFT))
          .to.be.revertedWithCustomError(f.members, "AccessManagedUnauthorized")
          .withArgs(caller.address);
      }
    });

    it("should hold governance to the same rules", async () => {
      const f = await loadConsortium();
      const governed = f.members.connect(f.governance);
      await governed.removeMember(1);
      const since = (await nextBlockAt()) + 1;
      await expect(governed.revokeStaff(f.operatorA, since, Reason.LEFT))
        .to.be.revertedWithCustomError(f.members, "RevocationInFuture")
        .withArgs(since);
      await expect(governed.revokeStaff(f.outsider, 1_000, Reason.LEFT))
        .to.be.revertedWithCustomError(f.members, "StaffUnknown")
        .withArgs(f.outsider.address);
      await governed.revokeStaff(f.operatorA, 1_000, Reason.KEY_LOST);
      await expect(governed.revokeStaff(f.operatorA, 1_000, Reason.LEFT))
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(f.operatorA.address, 1_000);
      await governed.revokeStaff(f.operatorA, 999, Reason.KEY_COMPROMISED);
      expect((await f.members.staffOf(f.operatorA)).revokedSince).to.equal(999);
    });

    it("should leave the other members' staff to their admins", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.governance).removeMember(1);
      await expect(f.members.connect(f.governance).revokeStaff(f.operatorB, 1_000, Reason.LEFT))
        .to.be.revertedWithCustomError(f.members, "NotMemberAdmin")
        .withArgs(2, f.governance.address);
    });

    it("should let governance revoke", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.governance).removeMember(1);
      await expect(f.members.connect(f.governance).revokeStaff(f.operatorA, 1_000, Reason.LEFT))
        .to.emit(f.members, "StaffRevoked")
        .withArgs(1, f.operatorA.address, 1_000, Reason.LEFT);
    });
  });

  describe("given the account is revoked since that time or an earlier one", () => {
    it("should revert with StaffIsRevoked", async () => {
      const f = await loadConsortium();
      await revoke(f, 1_000);
      for (const since of [1_000, 2_000]) {
        await expect(revoke(f, since))
          .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
          .withArgs(f.operatorA.address, 1_000);
      }
      await revoke(f, 0);
      await expect(revoke(f, 0))
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(f.operatorA.address, 1);
    });
  });

  describe("given the account is revoked since a later time", () => {
    it("should set the earlier time", async () => {
      const f = await loadConsortium();
      await revoke(f, 2_000, Reason.LEFT);
      await expect(revoke(f, 1_999, Reason.KEY_COMPROMISED))
        .to.emit(f.members, "StaffRevoked")
        .withArgs(1, f.operatorA.address, 1_999, Reason.KEY_COMPROMISED);
      expect((await f.members.staffOf(f.operatorA)).revokedSince).to.equal(1_999);
    });
  });

  describe("when the revocation is to count from the future", () => {
    it("should revert with RevocationInFuture", async () => {
      const f = await loadConsortium();
      const since = (await nextBlockAt()) + 1;
      await expect(revoke(f, since))
        .to.be.revertedWithCustomError(f.members, "RevocationInFuture")
        .withArgs(since);
    });
  });

  describe("when the reason is not one of the four", () => {
    it("should revert without a reason", async () => {
      const f = await loadConsortium();
      const data = f.members.interface.encodeFunctionData("revokeStaff", [f.operatorA.address, 1_000, 3]);
      const call = { to: await f.members.getAddress(), data: `${data.slice(0, -1)}4` };
      await expect(f.adminA.call(call)).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the revocation counts from 1970", () => {
    it("should keep it as one second later", async () => {
      const f = await loadConsortium();
      await expect(revoke(f, 0))
        .to.emit(f.members, "StaffRevoked")
        .withArgs(1, f.operatorA.address, 1, Reason.LEFT);
      expect((await f.members.staffOf(f.operatorA)).revokedSince).to.equal(1);
    });
  });

  describe("when the admin revokes an account", () => {
    it("should emit StaffRevoked with since when and why", async () => {
      for (const reason of Object.values(Reason)) {
        const f = await loadConsortium();
        const since = await nextBlockAt();
        await expect(revoke(f, since, reason))
          .to.emit(f.members, "StaffRevoked")
          .withArgs(1, f.operatorA.address, since, reason);
      }
    });

    it("should store since when, end the term, and keep the rest", async () => {
      const f = await loadConsortium();
      const before = await f.members.staffOf(f.operatorA);
      await revoke(f, 1_000);
      expect(await f.members.staffOf(f.operatorA)).to.deep.equal([
        ...before.slice(0, 3),
        0n,
        1_000n,
        before.personId,
      ]);
    });
  });
});
