// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { networkHelpers, nextBlockAt, now, Role, Suspension } from "../consortium.js";
import type { Consortium } from "../consortium.js";

/** Revocation reason LEFT. */
const LEFT = 0;
const ALL_ROLES = 15;

/** An act that only some staff may do. */
export interface StaffCase<F extends Consortium> {
  load: () => Promise<F>;
  /** Staff of `memberId` who may. */
  staff: (f: F) => HardhatEthersSigner;
  memberId: 1 | 2;
  role: keyof typeof Role;
  /** What the member must not be suspended from. */
  activity: "READING" | "WRITING";
  /** Succeeds for `staff`. A view resolves, a transaction is sent. */
  act: (f: F, as: HardhatEthersSigner) => Promise<unknown>;
}

/** Every way in which MemberRegistry refuses an account, and the two border cases that pass. */
export function shouldRequireStaff<F extends Consortium>(test: StaffCase<F>): void {
  shouldRequireAccount(test);
  shouldRequireTakingPart(test);
}

function shouldRequireAccount<F extends Consortium>({
  load,
  staff,
  memberId,
  role,
  act,
}: StaffCase<F>): void {
  const adminOf = (f: F) => f.members.connect(memberId === 1 ? f.adminA : f.adminB);

  describe("given the account is no staff", () => {
    it("should revert with StaffUnknown", async () => {
      const f = await load();
      for (const account of [f.outsider, f.adminA, f.adminB, f.governance]) {
        await expect(act(f, account))
          .to.be.revertedWithCustomError(f.members, "StaffUnknown")
          .withArgs(account.address);
      }
    });
  });

  describe("given the account is revoked", () => {
    it("should revert with StaffIsRevoked", async () => {
      const f = await load();
      const since = (await now()) - 60;
      await adminOf(f).revokeStaff(staff(f), since, LEFT);
      await expect(act(f, staff(f)))
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(staff(f).address, since);
    });
  });

  describe("given the account ended a second ago", () => {
    it("should revert with StaffExpired", async () => {
      const f = await load();
      const notAfter = await shorten(f);
      await nextBlockAt(notAfter + 1);
      await networkHelpers.mine();
      await expect(act(f, staff(f)))
        .to.be.revertedWithCustomError(f.members, "StaffExpired")
        .withArgs(staff(f).address, notAfter);
    });
  });

  describe("given the account ends this second", () => {
    it("should pass", async () => {
      const f = await load();
      await nextBlockAt((await shorten(f)) - 1);
      await networkHelpers.mine();
      await nextBlockAt((await now()) + 1);
      await act(f, staff(f));
    });
  });

  describe("given the account lacks the role", () => {
    it("should revert with StaffRoleMissing", async () => {
      const f = await load();
      const { notAfter } = await f.members.staffOf(staff(f));
      await adminOf(f).updateStaff(staff(f), ALL_ROLES & ~Role[role], notAfter);
      await expect(act(f, staff(f)))
        .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
        .withArgs(staff(f).address, Role[role]);
    });
  });

  async function shorten(f: F): Promise<number> {
    const { roles } = await f.members.staffOf(staff(f));
    const notAfter = (await now()) + 600;
    await adminOf(f).updateStaff(staff(f), roles, notAfter);
    return notAfter;
  }
}

function shouldRequireTakingPart<F extends Consortium>(test: StaffCase<F>): void {
  const { load, staff, memberId, activity, act } = test;
  const other = activity === "READING" ? "WRITING" : "READING";

  describe(`given its member is suspended from ${activity.toLowerCase()}`, () => {
    it("should revert with MemberSuspended", async () => {
      const f = await load();
      for (const suspension of [Suspension[activity], Suspension.READING | Suspension.WRITING]) {
        await f.members.connect(f.governance).setSuspension(memberId, suspension);
        await expect(act(f, staff(f)))
          .to.be.revertedWithCustomError(f.members, "MemberSuspended")
          .withArgs(memberId, suspension);
      }
    });
  });

  describe(`given its member is suspended only from ${other.toLowerCase()}`, () => {
    it("should pass", async () => {
      const f = await load();
      await f.members.connect(f.governance).setSuspension(memberId, Suspension[other]);
      await act(f, staff(f));
    });
  });

  describe("given its member's suspension was lifted", () => {
    it("should pass", async () => {
      const f = await load();
      await f.members.connect(f.governance).setSuspension(memberId, Suspension[activity]);
      await f.members.connect(f.governance).setSuspension(memberId, 0);
      await act(f, staff(f));
    });
  });

  describe("given its member was removed", () => {
    it("should revert with MemberSuspended", async () => {
      const f = await load();
      await f.members.connect(f.governance).removeMember(memberId);
      await expect(act(f, staff(f)))
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(memberId, Suspension.READING | Suspension.WRITING | Suspension.REMOVED);
    });
  });
}
