// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { Consortium } from "../consortium.js";

/** Only governance may `act`. */
export function shouldRequireGovernance(
  load: () => Promise<Consortium>,
  act: (f: Consortium, as: HardhatEthersSigner) => Promise<unknown>,
): void {
  describe("when the caller is not governance", () => {
    it("should revert with AccessManagedUnauthorized", async () => {
      const f = await load();
      for (const caller of [f.outsider, f.adminA, f.operatorA, f.clinicianA]) {
        await expect(act(f, caller))
          .to.be.revertedWithCustomError(f.members, "AccessManagedUnauthorized")
          .withArgs(caller.address);
      }
    });
  });
}

/** `act` works on members that are in the consortium. */
export function shouldRequirePresentMember(
  load: () => Promise<Consortium>,
  act: (f: Consortium, memberId: number) => Promise<unknown>,
): void {
  describe("given no such member", () => {
    it("should revert with MemberUnknown", async () => {
      const f = await load();
      for (const memberId of [0, 4]) {
        await expect(act(f, memberId))
          .to.be.revertedWithCustomError(f.members, "MemberUnknown")
          .withArgs(memberId);
      }
    });
  });

  describe("given the member was removed", () => {
    it("should revert with MemberGone", async () => {
      const f = await load();
      await f.members.connect(f.governance).removeMember(1);
      await expect(act(f, 1)).to.be.revertedWithCustomError(f.members, "MemberGone").withArgs(1);
    });
  });
}

/** Only the admin of member 1 may `act`. */
export function shouldRequireMemberAdmin(
  load: () => Promise<Consortium>,
  act: (f: Consortium, as: HardhatEthersSigner) => Promise<unknown>,
): void {
  describe("when the caller is not the member's admin", () => {
    it("should revert with NotMemberAdmin", async () => {
      const f = await load();
      for (const caller of [f.outsider, f.adminB, f.operatorA, f.clinicianA, f.governance]) {
        await expect(act(f, caller))
          .to.be.revertedWithCustomError(f.members, "NotMemberAdmin")
          .withArgs(1, caller.address);
      }
    });
  });

  describe("given the admin was replaced", () => {
    it("should revert with NotMemberAdmin for the former one", async () => {
      const f = await load();
      await f.members.connect(f.adminA).setAdmin(1, f.outsider);
      await expect(act(f, f.adminA))
        .to.be.revertedWithCustomError(f.members, "NotMemberAdmin")
        .withArgs(1, f.adminA.address);
    });
  });

  describe("given the member is suspended", () => {
    it("should pass", async () => {
      const f = await load();
      await f.members.connect(f.governance).setSuspension(1, 3);
      await act(f, f.adminA);
    });
  });
}
