// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { shouldRequireMemberAdmin, shouldRequirePresentMember } from "../behaviours/governance.js";
import type { Consortium } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const PERSON = id("person clinician A");

async function share(
  f: Consortium,
  { as, memberId, personId }: { as?: Consortium["adminA"]; memberId?: number; personId?: string } = {},
) {
  return await f.members.connect(as ?? f.adminA).sharePerson(personId ?? PERSON, memberId ?? 2);
}

describe("MemberRegistry.sharePerson", () => {
  shouldRequireMemberAdmin(loadConsortium, (f, as) => share(f, { as }));
  shouldRequirePresentMember(loadConsortium, (f, memberId) => share(f, { memberId }));

  describe("given nobody enrolled the person", () => {
    it("should revert with PersonUnknown", async () => {
      const f = await loadConsortium();
      await expect(share(f, { personId: id("nobody") }))
        .to.be.revertedWithCustomError(f.members, "PersonUnknown")
        .withArgs(id("nobody"));
    });
  });

  describe("given the person's home member was removed", () => {
    it("should revert with MemberGone", async () => {
      const f = await loadConsortium();
      await f.members.connect(f.governance).removeMember(1);
      await expect(share(f)).to.be.revertedWithCustomError(f.members, "MemberGone").withArgs(1);
    });
  });

  describe("when the caller is a member with which he is shared", () => {
    it("should revert with NotMemberAdmin", async () => {
      const f = await loadConsortium();
      await share(f);
      await expect(share(f, { as: f.adminB, memberId: 3 }))
        .to.be.revertedWithCustomError(f.members, "NotMemberAdmin")
        .withArgs(1, f.adminB.address);
    });
  });

  describe("when the home member's admin shares him", () => {
    it("should emit PersonShared", async () => {
      const f = await loadConsortium();
      await expect(share(f)).to.emit(f.members, "PersonShared").withArgs(PERSON, 1, 2);
    });

    it("should change nothing when repeated", async () => {
      const f = await loadConsortium();
      await share(f);
      await share(f);
      expect(await f.members.homeOf(PERSON)).to.equal(1);
    });
  });
});
