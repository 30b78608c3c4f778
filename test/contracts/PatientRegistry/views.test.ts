// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("PatientRegistry.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { patients, members } = await loadConsortium();
      expect(await patients.MEMBERS()).to.equal(await members.getAddress());
    });
  });
});
