// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { Role, Suspension } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.authorized", () => {
  shouldRequireStaff({
    load: loadConsortium,
    staff: (f) => f.clinicianA,
    memberId: 1,
    role: "CLINICIAN",
    activity: "READING",
    act: (f, account) =>
      f.members.authorized(account, Role.CLINICIAN, Suspension.READING, { blockTag: "pending" }),
  });

  describe("given the account may act", () => {
    it("should return its member, also for a new account", async () => {
      const { members, clinicianA, operatorB } = await loadConsortium();
      expect(await members.authorized(clinicianA, Role.CLINICIAN, Suspension.READING)).to.equal(1);
      expect(await members.authorized(operatorB, Role.OPERATOR, Suspension.WRITING)).to.equal(2);
    });
  });
});
