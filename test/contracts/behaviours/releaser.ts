// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { Role, Suspension, nextBlockAt, now } from "../consortium.js";
import type { Consortium } from "../consortium.js";

/** Revocation reason LEFT. */
const LEFT = 0;

/** An act that only a RELEASER of hospital A may do. */
export interface ReleaserCase<F extends Consortium> {
  load: () => Promise<F>;
  releaser: (f: F) => HardhatEthersSigner;
  /** Succeeds for `releaser`. Sends one transaction. */
  act: (f: F, as: HardhatEthersSigner) => Promise<unknown>;
}

/** Every way in which MemberRegistry refuses a RELEASER. */
export function shouldRequireReleaser<F extends Consortium>({ load, releaser, act }: ReleaserCase<F>): void {
  describe("given the caller is no staff", () => {
    it("should revert with StaffUnknown", async () => {
      const f = await load();
      for (const account of [f.outsider, f.adminA, f.adminB, f.governance]) {
        await expect(act(f, account))
          .to.be.revertedWithCustomError(f.members, "StaffUnknown")
          .withArgs(account.address);
      }
    });
  });

  describe("given the caller has every role but RELEASER", () => {
    it("should revert with StaffRoleMissing", async () => {
      const f = await load();
      const { notAfter } = await f.members.staffOf(releaser(f));
      const others = Role.OPERATOR | Role.CLINICIAN | Role.REVIEWER;
      await f.members.connect(f.adminA).updateStaff(releaser(f), others, notAfter);
      await expect(act(f, releaser(f)))
        .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
        .withArgs(releaser(f).address, Role.RELEASER);
    });
  });

  describe("given the caller is revoked", () => {
    it("should revert with StaffIsRevoked", async () => {
      const f = await load();
      const since = (await now()) - 60;
      await f.members.connect(f.adminA).revokeStaff(releaser(f), since, LEFT);
      await expect(act(f, releaser(f)))
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(releaser(f).address, since);
    });
  });

  describe("given the caller's account ended a second ago", () => {
    it("should revert with StaffExpired", async () => {
      const f = await load();
      const notAfter = (await now()) + 60;
      await f.members.connect(f.adminA).updateStaff(releaser(f), Role.RELEASER, notAfter);
      await nextBlockAt(notAfter + 1);
      await expect(act(f, releaser(f)))
        .to.be.revertedWithCustomError(f.members, "StaffExpired")
        .withArgs(releaser(f).address, notAfter);
    });
  });

  describe("given the caller's member was removed", () => {
    it("should revert with MemberSuspended", async () => {
      const f = await load();
      await f.members.connect(f.governance).removeMember(1);
      await expect(act(f, releaser(f)))
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(1, Suspension.READING | Suspension.WRITING | Suspension.REMOVED);
    });
  });
}
