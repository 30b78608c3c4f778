// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, keccak256 } from "ethers";
import { shouldRequireMemberAdmin, shouldRequirePresentMember } from "../behaviours/governance.js";
import { deployConsortium, networkHelpers, nextBlockAt } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

/** Every member has published one key. */
async function deployWithKeys() {
  const f = await deployConsortium();
  await f.members.connect(f.adminA).publishKey(1, "0x01");
  await f.members.connect(f.adminB).publishKey(2, "0x02");
  return f;
}
const load = () => networkHelpers.loadFixture(deployWithKeys);

describe("MemberRegistry.withdrawKey", () => {
  shouldRequireMemberAdmin(load, (f, as) => f.members.connect(as).withdrawKey(1, 1_000));
  shouldRequirePresentMember(load, (f, memberId) => f.members.connect(f.adminA).withdrawKey(memberId, 1_000));

  describe("when the withdrawal is to count from the future", () => {
    it("should revert with RevocationInFuture", async () => {
      const { members, adminA } = await load();
      const since = (await nextBlockAt()) + 1;
      await expect(members.connect(adminA).withdrawKey(1, since))
        .to.be.revertedWithCustomError(members, "RevocationInFuture")
        .withArgs(since);
    });
  });

  describe("given the member published no key", () => {
    it("should revert with KeyUnknown", async () => {
      const { members, adminA } = await loadConsortium();
      await expect(members.connect(adminA).withdrawKey(1, 1_000))
        .to.be.revertedWithCustomError(members, "KeyUnknown")
        .withArgs(1);
    });
  });

  describe("given the key is withdrawn already", () => {
    it("should revert with KeyUnknown", async () => {
      const { members, adminA } = await load();
      await members.connect(adminA).withdrawKey(1, 2_000);
      await expect(members.connect(adminA).withdrawKey(1, 1_000))
        .to.be.revertedWithCustomError(members, "KeyUnknown")
        .withArgs(1);
    });
  });

  describe("when the admin withdraws the current key", () => {
    it("should emit KeyWithdrawn with its epoch and since when, this second at the latest", async () => {
      const { members, adminA } = await load();
      await expect(members.connect(adminA).withdrawKey(1, 0))
        .to.emit(members, "KeyWithdrawn")
        .withArgs(1, 1, 0);
      await members.connect(adminA).publishKey(1, "0x03");
      const since = await nextBlockAt();
      await expect(members.connect(adminA).withdrawKey(1, since))
        .to.emit(members, "KeyWithdrawn")
        .withArgs(1, 2, since);
    });

    it("should leave the member its epoch but no digest, and the others their keys", async () => {
      const { members, adminA } = await load();
      const [admin, suspension, epoch, admittedAt] = await members.memberOf(1);
      const other = await members.memberOf(2);
      await members.connect(adminA).withdrawKey(1, 1_000);
      expect(await members.memberOf(1)).to.deep.equal([admin, suspension, epoch, admittedAt, ZeroHash]);
      expect(await members.memberOf(2)).to.deep.equal([...other]);
    });
  });

  describe("given another key is published afterwards", () => {
    it("should leave that one with the next epoch, also when it is the withdrawn one", async () => {
      const { members, adminA } = await load();
      for (const [epoch, key] of [
        [2n, "0x04"],
        [3n, "0x01"],
      ] as const) {
        await members.connect(adminA).withdrawKey(1, 1_000);
        await expect(members.connect(adminA).publishKey(1, key))
          .to.emit(members, "KeyPublished")
          .withArgs(1, epoch, key);
        const { keyEpoch, keyDigest } = await members.memberOf(1);
        expect([keyEpoch, keyDigest]).to.deep.equal([epoch, keccak256(key)]);
      }
    });
  });
});
