// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { networkHelpers } from "../consortium.js";
import { loadWithRecords as load, placeHold } from "../holds.js";

describe("RecordRegistry.holdUntil", () => {
  describe("given the entry is not held", () => {
    it("should return zero, also for one that does not exist", async () => {
      const f = await load();
      await placeHold(f, f.patient.wallet, [f.entries[0]!]);
      const { index } = f.entries[0]!.leaf;
      for (const [memberId, at] of [
        [1, index + 1],
        [2, index],
        [1, 0],
        [9, 99],
      ] as const) {
        expect(await f.records.holdUntil(memberId, at)).to.equal(0);
      }
    });
  });

  describe("given the entry is held", () => {
    it("should return until when, also past it while nobody lifted the hold", async () => {
      const f = await load();
      const until = await placeHold(f, f.patient.wallet, f.entries);
      for (const { leaf } of f.entries) expect(await f.records.holdUntil(1, leaf.index)).to.equal(until);
      await networkHelpers.time.increaseTo(until + 1);
      expect(await f.records.holdUntil(1, f.entries[0]!.leaf.index)).to.equal(until);
      await f.records.liftEndedHold(f.entries);
      expect(await f.records.holdUntil(1, f.entries[0]!.leaf.index)).to.equal(0);
    });
  });
});
