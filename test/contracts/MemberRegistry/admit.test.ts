// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress, ZeroHash } from "ethers";
import { shouldRequireGovernance } from "../behaviours/governance.js";
import { nextBlockAt } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.admit", () => {
  shouldRequireGovernance(loadConsortium, (f, as) => f.members.connect(as).admit(f.outsider, "Hospital D"));

  describe("when the admin is the zero address", () => {
    it("should revert with AdminZero", async () => {
      const { members, governance } = await loadConsortium();
      await expect(
        members.connect(governance).admit(ZeroAddress, "Hospital D"),
      ).to.be.revertedWithCustomError(members, "AdminZero");
    });
  });

  describe("when governance admits a member", () => {
    it("should emit MemberAdmitted with the next id", async () => {
      const { members, governance, outsider } = await loadConsortium();
      await expect(members.connect(governance).admit(outsider, "Hospital D"))
        .to.emit(members, "MemberAdmitted")
        .withArgs(4, outsider.address, "Hospital D");
      expect(await members.memberCount()).to.equal(4);
    });

    it("should store its admin and the time, with no key and no suspension", async () => {
      const { members, governance, outsider } = await loadConsortium();
      const admittedAt = await nextBlockAt();
      await members.connect(governance).admit(outsider, "Hospital D");
      expect(await members.memberOf(4)).to.deep.equal([
        outsider.address,
        0n,
        0n,
        BigInt(admittedAt),
        ZeroHash,
      ]);
    });
  });
});
