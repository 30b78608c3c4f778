// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { id } from "ethers";
import { Role, Suspension, WAITING_TIME, YEAR, networkHelpers, nextBlockAt, now } from "../consortium.js";
import type { Consortium } from "../consortium.js";

/** Revocation reason LEFT. */
const LEFT = 0;

/** An act that only a REVIEWER past his waiting time may do, also one of a suspended member. */
export interface OfficerCase<F extends Consortium> {
  load: () => Promise<F & { spare: HardhatEthersSigner }>;
  /** A REVIEWER of `memberId` who may. */
  officer: (f: F) => HardhatEthersSigner;
  memberId: 1 | 2 | 3;
  /** Succeeds for `officer`. Sends one transaction. */
  act: (f: F, as: HardhatEthersSigner) => Promise<unknown>;
}

/** Every way in which MemberRegistry refuses a REVIEWER. */
export function shouldRequireOfficer<F extends Consortium>(test: OfficerCase<F>): void {
  shouldRequireReviewer(test);
  shouldRequireTime(test);
  shouldRequireStanding(test);
}

function adminOf(f: Consortium, memberId: 1 | 2 | 3) {
  return f.members.connect({ 1: f.adminA, 2: f.adminB, 3: f.adminC }[memberId]);
}

function shouldRequireReviewer<F extends Consortium>({ load, officer, memberId, act }: OfficerCase<F>): void {
  describe("given the officer is no staff", () => {
    it("should revert with StaffUnknown", async () => {
      const f = await load();
      for (const account of [f.outsider, f.adminA, f.adminB, f.governance]) {
        await expect(act(f, account))
          .to.be.revertedWithCustomError(f.members, "StaffUnknown")
          .withArgs(account.address);
      }
    });
  });

  describe("given the officer has every role but REVIEWER", () => {
    it("should revert with StaffRoleMissing", async () => {
      const f = await load();
      const { notAfter } = await f.members.staffOf(officer(f));
      const others = Role.OPERATOR | Role.CLINICIAN | Role.RELEASER;
      await adminOf(f, memberId).updateStaff(officer(f), others, notAfter);
      await networkHelpers.time.increase(WAITING_TIME);
      await expect(act(f, officer(f)))
        .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
        .withArgs(officer(f).address, Role.REVIEWER);
    });
  });

  describe("given the officer is revoked", () => {
    it("should revert with StaffIsRevoked", async () => {
      const f = await load();
      const since = (await now()) - 60;
      await adminOf(f, memberId).revokeStaff(officer(f), since, LEFT);
      await expect(act(f, officer(f)))
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(officer(f).address, since);
    });
  });
}

function shouldRequireTime<F extends Consortium>({ load, officer, memberId, act }: OfficerCase<F>): void {
  describe("given the officer's account ended a second ago", () => {
    it("should revert with StaffExpired", async () => {
      const f = await load();
      const notAfter = (await now()) + 60;
      await adminOf(f, memberId).updateStaff(officer(f), Role.REVIEWER, notAfter);
      await nextBlockAt(notAfter + 1);
      await expect(act(f, officer(f)))
        .to.be.revertedWithCustomError(f.members, "StaffExpired")
        .withArgs(officer(f).address, notAfter);
    });
  });

  describe("given the officer's waiting time", () => {
    async function enrolled(f: F & { spare: HardhatEthersSigner }): Promise<number> {
      const since = await nextBlockAt();
      await adminOf(f, memberId).enrolStaff(
        memberId,
        f.spare,
        Role.REVIEWER,
        since + YEAR,
        id("new officer"),
      );
      return since + WAITING_TIME;
    }

    it("should revert with StaffTooNew a second before its end", async () => {
      const f = await load();
      const seasonedAt = await enrolled(f);
      await networkHelpers.time.increaseTo(seasonedAt - 60);
      await nextBlockAt(seasonedAt - 1);
      await expect(act(f, f.spare))
        .to.be.revertedWithCustomError(f.members, "StaffTooNew")
        .withArgs(f.spare.address, seasonedAt);
    });

    it("should pass at its end", async () => {
      const f = await load();
      const seasonedAt = await enrolled(f);
      await networkHelpers.time.increaseTo(seasonedAt - 1);
      await nextBlockAt(seasonedAt);
      await act(f, f.spare);
    });
  });
}

function shouldRequireStanding<F extends Consortium>({ load, officer, memberId, act }: OfficerCase<F>): void {
  describe("given the officer's member was removed", () => {
    it("should revert with MemberSuspended", async () => {
      const f = await load();
      await f.members.connect(f.governance).removeMember(memberId);
      await expect(act(f, officer(f)))
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(memberId, Suspension.READING | Suspension.WRITING | Suspension.REMOVED);
    });
  });

  describe("given the officer's member is suspended from reading and writing", () => {
    it("should pass", async () => {
      const f = await load();
      await f.members.connect(f.governance).setSuspension(memberId, 3);
      await act(f, officer(f));
    });
  });
}
