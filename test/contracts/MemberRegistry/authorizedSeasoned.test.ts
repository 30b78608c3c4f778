// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { shouldRequireStaff } from "../behaviours/staff.js";
import {
  Role,
  Suspension,
  WAITING_TIME,
  deployConsortium,
  networkHelpers,
  nextBlockAt,
} from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

async function deploySeasoned() {
  const consortium = await deployConsortium();
  await networkHelpers.time.increase(WAITING_TIME);
  return consortium;
}

function ask(f: Consortium, account: { address: string }) {
  return f.members.authorizedSeasoned(account.address, Role.CLINICIAN, Suspension.READING, {
    blockTag: "pending",
  });
}

describe("MemberRegistry.authorizedSeasoned", () => {
  shouldRequireStaff({
    load: () => networkHelpers.loadFixture(deploySeasoned),
    staff: (f) => f.clinicianA,
    memberId: 1,
    role: "CLINICIAN",
    activity: "READING",
    act: ask,
  });

  describe("given the account is a second short of its waiting time", () => {
    it("should revert with StaffTooNew", async () => {
      const f = await loadConsortium();
      const seasonedAt = Number((await f.members.staffOf(f.clinicianA)).since) + WAITING_TIME;
      await nextBlockAt(seasonedAt - 1);
      await expect(ask(f, f.clinicianA))
        .to.be.revertedWithCustomError(f.members, "StaffTooNew")
        .withArgs(f.clinicianA.address, seasonedAt);
    });
  });

  describe("given the account's waiting time ends this second", () => {
    it("should return its member and its person", async () => {
      const f = await loadConsortium();
      await nextBlockAt(Number((await f.members.staffOf(f.clinicianA)).since) + WAITING_TIME);
      expect(await ask(f, f.clinicianA)).to.deep.equal([1n, id("person clinician A")]);
    });
  });

  describe("given a seasoned account was handed a new role", () => {
    it("should revert with StaffTooNew for its old role too", async () => {
      const f = await networkHelpers.loadFixture(deploySeasoned);
      const { notAfter } = await f.members.staffOf(f.clinicianA);
      const since = await nextBlockAt();
      await f.members.connect(f.adminA).updateStaff(f.clinicianA, Role.CLINICIAN | Role.REVIEWER, notAfter);
      await expect(ask(f, f.clinicianA))
        .to.be.revertedWithCustomError(f.members, "StaffTooNew")
        .withArgs(f.clinicianA.address, since + WAITING_TIME);
    });
  });
});
