// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadConsortium } from "../fixtures.js";

describe("RecordRegistry.views", () => {
  describe("MEMBERS", () => {
    it("should be the member registry", async () => {
      const { records, members } = await loadConsortium();
      expect(await records.MEMBERS()).to.equal(await members.getAddress());
    });
  });
});
