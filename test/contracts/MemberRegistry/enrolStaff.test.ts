// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress, ZeroHash, id } from "ethers";
import { shouldRequireMemberAdmin, shouldRequirePresentMember } from "../behaviours/governance.js";
import { Role, YEAR, nextBlockAt, now } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const PERSON = id("person");

/** Enrols `outsider` at hospital A, but for what the test changes. */
async function enrol(
  f: Consortium,
  changes: {
    as?: Consortium["adminA"];
    memberId?: number;
    account?: string;
    roles?: number;
    notAfter?: number;
    personId?: string;
  } = {},
) {
  const { as, memberId, account, roles, notAfter, personId } = {
    as: f.adminA,
    memberId: 1,
    account: f.outsider.address,
    roles: Role.CLINICIAN,
    notAfter: (await now()) + YEAR,
    personId: PERSON,
    ...changes,
  };
  return await f.members.connect(as).enrolStaff(memberId, account, roles, notAfter, personId);
}

describe("MemberRegistry.enrolStaff", () => {
  shouldRequireMemberAdmin(loadConsortium, (f, as) => enrol(f, { as }));
  shouldRequirePresentMember(loadConsortium, (f, memberId) => enrol(f, { memberId }));

  describe("when the account is the zero address", () => {
    it("should revert with AccountZero", async () => {
      const f = await loadConsortium();
      await expect(enrol(f, { account: ZeroAddress })).to.be.revertedWithCustomError(
        f.members,
        "AccountZero",
      );
    });
  });

  describe("when the person id is zero", () => {
    it("should revert with PersonIdZero", async () => {
      const f = await loadConsortium();
      await expect(enrol(f, { personId: ZeroHash })).to.be.revertedWithCustomError(f.members, "PersonIdZero");
    });
  });

  describe("when the roles are none, or hold an unknown one", () => {
    it("should revert with RolesInvalid", async () => {
      const f = await loadConsortium();
      for (const roles of [0, 16, 255]) {
        await expect(enrol(f, { roles }))
          .to.be.revertedWithCustomError(f.members, "RolesInvalid")
          .withArgs(roles);
      }
    });
  });

  describe("when the account's end has passed", () => {
    it("should revert with StaffExpiryPast", async () => {
      const f = await loadConsortium();
      const notAfter = await nextBlockAt();
      await expect(enrol(f, { notAfter: notAfter - 1 }))
        .to.be.revertedWithCustomError(f.members, "StaffExpiryPast")
        .withArgs(notAfter - 1);
    });
  });

  describe("when the account ends this second", () => {
    it("should pass", async () => {
      const f = await loadConsortium();
      const notAfter = await nextBlockAt();
      await enrol(f, { notAfter });
      expect((await f.members.staffOf(f.outsider)).notAfter).to.equal(notAfter);
    });
  });

  describe("given the account is enrolled already", () => {
    it("should revert with StaffAlreadyEnrolled at the same and at another member", async () => {
      const f = await loadConsortium();
      await expect(enrol(f, { account: f.operatorA.address }))
        .to.be.revertedWithCustomError(f.members, "StaffAlreadyEnrolled")
        .withArgs(f.operatorA.address, 1);
      await expect(enrol(f, { account: f.operatorB.address }))
        .to.be.revertedWithCustomError(f.members, "StaffAlreadyEnrolled")
        .withArgs(f.operatorB.address, 2);
    });
  });

  describe("given the account was revoked", () => {
    it("should revert with StaffAlreadyEnrolled", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.adminA).revokeStaff(f.operatorA, 1, 0);
      await expect(enrol(f, { account: f.operatorA.address }))
        .to.be.revertedWithCustomError(f.members, "StaffAlreadyEnrolled")
        .withArgs(f.operatorA.address, 1);
    });
  });

  describe("given the person is another member's", () => {
    it("should revert with PersonOfAnotherMember", async () => {
      const f = await loadConsortium();
      const personId = id("person clinician A");
      await expect(enrol(f, { as: f.adminB, memberId: 2, personId }))
        .to.be.revertedWithCustomError(f.members, "PersonOfAnotherMember")
        .withArgs(personId, 1);
    });

    it("should revert also once that member was removed, and every account of his revoked", async () => {
      const f = await loadConsortium();
      const personId = id("person clinician A");
      await f.members.connect(f.adminA).revokeStaff(f.clinicianA, 1, 0);
      await f.members.connect(f.governance).removeMember(1);
      await expect(enrol(f, { as: f.adminB, memberId: 2, personId }))
        .to.be.revertedWithCustomError(f.members, "PersonOfAnotherMember")
        .withArgs(personId, 1);
    });
  });

  describe("given that member shares the person", () => {
    it("should pass at the member that it shares him with, and at no other", async () => {
      const f = await loadConsortium();
      await enrol(f, { account: f.relay.address });
      await f.members.connect(f.adminA).sharePerson(PERSON, 2);
      await expect(enrol(f, { as: f.adminC, memberId: 3 }))
        .to.be.revertedWithCustomError(f.members, "PersonOfAnotherMember")
        .withArgs(PERSON, 1);
      await enrol(f, { as: f.adminB, memberId: 2 });
      expect((await f.members.staffOf(f.outsider)).personId).to.equal(PERSON);
      expect((await f.members.staffOf(f.relay)).personId).to.equal(PERSON);
      expect(await f.members.homeOf(PERSON)).to.equal(1);
    });
  });

  describe("when the admin enrols an account", () => {
    it("should store it with the time of enrolment", async () => {
      const f = await loadConsortium();
      const notAfter = (await now()) + YEAR;
      const since = await nextBlockAt();
      await enrol(f, { roles: 15, notAfter });
      expect(await f.members.staffOf(f.outsider)).to.deep.equal([
        1n,
        15n,
        BigInt(since),
        BigInt(notAfter),
        0n,
        PERSON,
      ]);
    });

    it("should emit StaffEnrolled", async () => {
      const f = await loadConsortium();
      const notAfter = (await now()) + YEAR;
      await expect(enrol(f, { notAfter }))
        .to.emit(f.members, "StaffEnrolled")
        .withArgs(1, f.outsider.address, PERSON, Role.CLINICIAN, notAfter);
    });

    it("should take a second account of the same person", async () => {
      const f = await loadConsortium();
      await enrol(f, { account: f.relay.address });
      await enrol(f);
      expect((await f.members.staffOf(f.outsider)).personId).to.equal(PERSON);
      expect((await f.members.staffOf(f.relay)).personId).to.equal(PERSON);
    });

    it("should make a new person its own", async () => {
      const f = await loadConsortium();
      expect(await f.members.homeOf(PERSON)).to.equal(0);
      await enrol(f);
      expect(await f.members.homeOf(PERSON)).to.equal(1);
    });
  });
});
