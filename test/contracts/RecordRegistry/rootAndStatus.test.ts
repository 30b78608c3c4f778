// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { Status } from "../consortium.js";
import { loadConsortium, loadWithEntries } from "../fixtures.js";

describe("RecordRegistry.rootAndStatus", () => {
  describe("given no batch with this member, first index and count", () => {
    it("should revert with BatchUnknown", async () => {
      const { records } = await loadWithEntries();
      for (const [memberId, firstIndex, count] of [
        [1, 4, 6],
        [1, 5, 7],
        [1, 0, 0],
        [1, 11, 1],
        [2, 4, 7],
      ] as const) {
        await expect(records.rootAndStatus(memberId, firstIndex, count, firstIndex))
          .to.be.revertedWithCustomError(records, "BatchUnknown")
          .withArgs(memberId, firstIndex, count);
      }
    });
  });

  describe("when the index lies before or past the batch", () => {
    it("should revert with IndexOutsideBatch", async () => {
      const { records } = await loadWithEntries();
      for (const index of [0n, 3n, 11n, 4n + (1n << 32n), 2n ** 64n - 1n]) {
        await expect(records.rootAndStatus(1, 4, 7, index))
          .to.be.revertedWithCustomError(records, "IndexOutsideBatch")
          .withArgs(index, 4, 7);
      }
    });
  });

  describe("when the index lies in the batch", () => {
    it("should return the batch's root and the entry's flags", async () => {
      const f = await loadConsortium();
      await f.records.connect(f.operatorA).anchor(1, 7, id("root"), id("manifest"));
      for (const index of [1, 7]) {
        expect(await f.records.rootAndStatus(1, 1, 7, index)).to.deep.equal([id("root"), 0n]);
      }
    });

    it("should return the flags of a marked entry", async () => {
      const f = await loadWithEntries();
      await f.records.connect(f.operatorA).retract(f.entries[6]!);
      expect((await f.records.rootAndStatus(1, 4, 7, 10)).status).to.equal(Status.RETRACTED);
      expect((await f.records.rootAndStatus(1, 4, 7, 9)).status).to.equal(0);
    });
  });
});
