// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { Role, YEAR, now } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

describe("MemberRegistry.homeOf", () => {
  describe("given nobody enrolled the person", () => {
    it("should return zero", async () => {
      const { members } = await loadConsortium();
      expect(await members.homeOf(id("nobody"))).to.equal(0);
    });
  });

  describe("given the person's accounts are of several members", () => {
    it("should return the one that enrolled him first", async () => {
      const { members, adminA, adminB, outsider } = await loadConsortium();
      const person = id("person clinician A");
      await members.connect(adminA).sharePerson(person, 2);
      await members.connect(adminB).enrolStaff(2, outsider, Role.CLINICIAN, (await now()) + YEAR, person);
      expect(await members.homeOf(person)).to.equal(1);
    });
  });
});
