// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { WAITING_TIME } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.views", () => {
  describe("WAITING_TIME", () => {
    it("should be what the deployment set", async () => {
      const { members } = await loadConsortium();
      expect(await members.WAITING_TIME()).to.equal(WAITING_TIME);
    });
  });

  describe("memberCount", () => {
    it("should count every member ever admitted", async () => {
      const { members, governance } = await loadConsortium();
      await members.connect(governance).removeMember(2);
      expect(await members.memberCount()).to.equal(3);
    });
  });
});
