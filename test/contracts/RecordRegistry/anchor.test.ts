// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { ethers } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { callDirtied } from "../dirty-words.js";
import { loadConsortium } from "../fixtures.js";
import { writeHead } from "../status-slots.js";

const ROOT = id("root");
const MANIFEST = id("manifest");
const MOST_COUNT = 2 ** 32 - 1;
/** The greatest index that fits a leaf. */
const LAST_INDEX = 2n ** 64n - 1n;

function anchor(f: Consortium, firstIndex: number | bigint, count: number, as = f.operatorA, root = ROOT) {
  return f.records.connect(as).anchor(firstIndex, count, root, MANIFEST);
}

describe("RecordRegistry.anchor", () => {
  shouldRequireStaff({
    load: loadConsortium,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: (f, as) => anchor(f, 1, 1, as),
  });

  describe("when the batch has no entries", () => {
    it("should revert with BatchEmpty", async () => {
      const f = await loadConsortium();
      await expect(anchor(f, 1, 0)).to.be.revertedWithCustomError(f.records, "BatchEmpty");
    });
  });

  describe("when the root is zero", () => {
    it("should revert with RootZero", async () => {
      const f = await loadConsortium();
      await expect(anchor(f, 1, 1, f.operatorA, ZeroHash)).to.be.revertedWithCustomError(
        f.records,
        "RootZero",
      );
    });
  });

  describe("when the first index leaves a gap, overlaps or repeats", () => {
    it("should revert with IndexNotNext", async () => {
      const f = await loadConsortium();
      for (const firstIndex of [0n, 2n, LAST_INDEX]) {
        await expect(anchor(f, firstIndex, 1))
          .to.be.revertedWithCustomError(f.records, "IndexNotNext")
          .withArgs(1, firstIndex, 1);
      }
      await anchor(f, 1, 5);
      for (const firstIndex of [0, 1, 5, 7]) {
        await expect(anchor(f, firstIndex, 5))
          .to.be.revertedWithCustomError(f.records, "IndexNotNext")
          .withArgs(1, firstIndex, 6);
      }
    });
  });

  describe("given the log has reached the greatest index", () => {
    it("should revert with IndexNotNext", async () => {
      const f = await loadConsortium();
      await writeHead(f, 1, LAST_INDEX);
      for (const firstIndex of [0n, 1n, LAST_INDEX]) {
        await expect(anchor(f, firstIndex, 1))
          .to.be.revertedWithCustomError(f.records, "IndexNotNext")
          .withArgs(1, firstIndex, LAST_INDEX + 1n);
      }
    });
  });

  describe("given the log is about to reach the greatest index", () => {
    it("should not wrap around", async () => {
      const f = await loadConsortium();
      await writeHead(f, 1, LAST_INDEX - 1n);
      await anchor(f, LAST_INDEX, MOST_COUNT);
      expect(await f.records.headOf(1)).to.equal(LAST_INDEX - 1n + BigInt(MOST_COUNT));
      await expect(anchor(f, 1, 1))
        .to.be.revertedWithCustomError(f.records, "IndexNotNext")
        .withArgs(1, 1, LAST_INDEX + BigInt(MOST_COUNT));
    });
  });

  describe("when the first index or the count has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadConsortium();
      const data = f.records.interface.encodeFunctionData("anchor", [1, 1, ROOT, MANIFEST]);
      const call = { from: f.operatorA, to: await f.records.getAddress(), data };
      for (const word of [0, 1]) await expect(callDirtied(call, word)).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the batch continues the log", () => {
    it("should emit BatchAnchored", async () => {
      const f = await loadConsortium();
      await expect(anchor(f, 1, 3))
        .to.emit(f.records, "BatchAnchored")
        .withArgs(1, 1, 3, ROOT, MANIFEST);
      await expect(anchor(f, 4, 1_000))
        .to.emit(f.records, "BatchAnchored")
        .withArgs(1, 4, 1_000, ROOT, MANIFEST);
    });

    it("should move the head to its last entry and keep the root by first index and count", async () => {
      const f = await loadConsortium();
      await anchor(f, 1, 3);
      await anchor(f, 4, MOST_COUNT, f.operatorA, id("second"));
      expect(await f.records.headOf(1)).to.equal(3 + MOST_COUNT);
      expect(await f.records.rootAndStatus(1, 1, 3, 3)).to.deep.equal([ROOT, 0n]);
      expect(await f.records.rootAndStatus(1, 4, MOST_COUNT, 4)).to.deep.equal([id("second"), 0n]);
    });

    it("should leave other members' logs alone", async () => {
      const f = await loadConsortium();
      await anchor(f, 1, 3);
      await anchor(f, 1, 2, f.operatorB);
      expect([await f.records.headOf(1), await f.records.headOf(2)]).to.deep.equal([3n, 2n]);
    });
  });
});
