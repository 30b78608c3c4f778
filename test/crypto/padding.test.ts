// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";

import { paddedLength } from "../../src/crypto/index.js";

describe("padding", () => {
  it("pads short records to a multiple of 256 bytes", () => {
    expect([2, 255, 256, 257, 1_000].map(paddedLength)).to.deep.equal([256, 256, 256, 512, 1024]);
  });

  it("pads as Padmé does between the limits", () => {
    // 100,000: floor(log2) 16, 5 bits, granule 2^11; 1,000,000: 19, 5 bits, 2^14
    expect(paddedLength(100_000)).to.equal(100_352);
    expect(paddedLength(1_000_000)).to.equal(1_015_808);
  });

  it("wastes less than 64 KiB on the longest records, without rounding errors", () => {
    expect(paddedLength(2 ** 48 - 1)).to.equal(2 ** 48);
    expect(paddedLength(2 ** 30 + 1)).to.equal(2 ** 30 + 65_536);
  });

  it("is never shorter, never 12 per cent longer from 4 KiB on, and keeps its own result", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 45 }), (length) => {
        const padded = paddedLength(length);
        expect(padded).to.be.at.least(length);
        if (length >= 4096) expect(padded / length).to.be.below(1.12);
        expect(paddedLength(padded)).to.equal(padded);
        expect(padded % 256).to.equal(0);
      }),
    );
  });

  it("grows with the length", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 34 }), (length) => {
        expect(paddedLength(length + 1)).to.be.at.least(paddedLength(length));
      }),
    );
  });
});
