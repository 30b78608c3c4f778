// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { ZeroHash, hexlify, keccak256 } from "ethers";
import { shouldRequireMemberAdmin, shouldRequirePresentMember } from "../behaviours/governance.js";
import { loadConsortium } from "../fixtures.js";

/** Bytes of an X-Wing public key. */
const X_WING_KEY_LENGTH = 1_216;

describe("MemberRegistry.publishKey", () => {
  shouldRequireMemberAdmin(loadConsortium, (f, as) => f.members.connect(as).publishKey(1, "0x01"));
  shouldRequirePresentMember(loadConsortium, (f, memberId) =>
    f.members.connect(f.adminA).publishKey(memberId, "0x01"),
  );

  describe("when the key is empty", () => {
    it("should revert with KeyEmpty", async () => {
      const { members, adminA } = await loadConsortium();
      await expect(members.connect(adminA).publishKey(1, "0x")).to.be.revertedWithCustomError(
        members,
        "KeyEmpty",
      );
    });
  });

  describe("when the admin publishes a key", () => {
    it("should emit KeyPublished with the next epoch and the key's bytes", async () => {
      const { members, adminA } = await loadConsortium();
      for (const epoch of [1, 2]) {
        const key = hexlify(randomBytes(X_WING_KEY_LENGTH));
        await expect(members.connect(adminA).publishKey(1, key))
          .to.emit(members, "KeyPublished")
          .withArgs(1, epoch, key);
      }
    });

    it("should store epoch and digest of the newest, for this member only", async () => {
      const { members, adminA } = await loadConsortium();
      await members.connect(adminA).publishKey(1, "0x01");
      await members.connect(adminA).publishKey(1, "0x0203");
      const { keyEpoch, keyDigest } = await members.memberOf(1);
      expect([keyEpoch, keyDigest]).to.deep.equal([2n, keccak256("0x0203")]);
      const other = await members.memberOf(2);
      expect([other.keyEpoch, other.keyDigest]).to.deep.equal([0n, ZeroHash]);
    });
  });
});
