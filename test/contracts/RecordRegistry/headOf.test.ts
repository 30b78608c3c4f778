// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadWithEntries } from "../fixtures.js";

describe("RecordRegistry.headOf", () => {
  describe("given an empty log, or no such member", () => {
    it("should return zero", async () => {
      const { records } = await loadWithEntries();
      for (const memberId of [0, 2, 99]) expect(await records.headOf(memberId)).to.equal(0);
    });
  });

  describe("given anchored batches", () => {
    it("should return the index of the newest entry", async () => {
      const { records } = await loadWithEntries();
      expect(await records.headOf(1)).to.equal(10);
    });
  });
});
