// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { loadWithEntries } from "../fixtures.js";
import { writeStatus } from "../status-slots.js";

describe("RecordRegistry.statusOf", () => {
  describe("given a plain entry, or none", () => {
    it("should return zero", async () => {
      const { records } = await loadWithEntries();
      for (const index of [0n, 1n, 999n, 2n ** 64n - 1n])
        expect(await records.statusOf(1, index)).to.equal(0);
    });
  });

  describe("given flags at the borders of the packed slots", () => {
    it("should return each entry's own", async () => {
      const f = await loadWithEntries();
      const flags = new Map([
        [0, 1],
        [31, 255],
        [32, 2],
        [33, 8],
        [63, 4],
        [64, 128],
      ]);
      for (const [index, status] of flags) await writeStatus(f, 1, index, status);
      for (let index = 0; index <= 65; index += 1) {
        expect(await f.records.statusOf(1, index), `entry ${index}`).to.equal(flags.get(index) ?? 0);
        expect(await f.records.statusOf(2, index)).to.equal(0);
      }
    });
  });
});
