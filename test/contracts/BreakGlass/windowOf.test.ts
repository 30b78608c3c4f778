// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress, ZeroHash, id } from "ethers";
import { loadWithEmergencies as load, openWindow } from "../emergencies.js";

describe("BreakGlass.windowOf", () => {
  describe("given no such window", () => {
    it("should return zeros", async () => {
      const { emergencies } = await load();
      expect(await emergencies.windowOf(id("no window"))).to.deep.equal([
        ZeroHash,
        ZeroAddress,
        0n,
        0n,
        ZeroAddress,
        0n,
        0n,
        false,
        false,
        0n,
        ZeroHash,
        ZeroHash,
        ZeroHash,
      ]);
    });
  });

  describe("given two windows", () => {
    it("should return each with its own reader and colleague", async () => {
      const f = await load();
      for (const [reader, colleague] of [
        [f.clinicianB, f.colleagueB],
        [f.clinicianC, f.clinicianA],
      ] as const) {
        const { windowId } = await openWindow(f, reader, colleague);
        const window = await f.emergencies.windowOf(windowId);
        expect([window.reader, window.colleague]).to.deep.equal([reader.address, colleague.address]);
      }
    });
  });
});
