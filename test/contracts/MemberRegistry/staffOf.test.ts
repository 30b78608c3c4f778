// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { Role } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.staffOf", () => {
  describe("given no such account", () => {
    it("should return zeros", async () => {
      const { members, outsider } = await loadConsortium();
      expect(await members.staffOf(outsider)).to.deep.equal([0n, 0n, 0n, 0n, 0n, ZeroHash]);
    });
  });

  describe("given an enrolled account", () => {
    it("should return its member, roles and person", async () => {
      const { members, clinicianB } = await loadConsortium();
      const { memberId, roles, personId } = await members.staffOf(clinicianB);
      expect([memberId, roles, personId]).to.deep.equal([
        2n,
        BigInt(Role.CLINICIAN),
        id("person clinician B"),
      ]);
    });
  });
});
