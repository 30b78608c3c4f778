// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";

import {
  concatBytes,
  equalBytes,
  fillRandom,
  fromBase64url,
  fromHex,
  isHex,
  toBase64url,
  toHex,
  uintBytes,
} from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";

describe("bytes", () => {
  it("reads back every hex it writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(fromHex(toHex(bytes))).to.deep.equal(bytes);
        expect(isHex(toHex(bytes), bytes.length)).to.equal(true);
      }),
    );
  });

  for (const text of ["", "0x0", "0xAB", "ab", "0xzz", "0x00 ", " 0x00", "0x00\n", "0X00"]) {
    it(`refuses ${JSON.stringify(text)} as hex`, async () => {
      await expectCode("ERR_JSON_INVALID", () => fromHex(text));
    });
  }

  it("refuses hex of another length than asked for", async () => {
    const error = await expectCode("ERR_JSON_INVALID", () => fromHex("0x0011", 3));
    expect(error.message).to.contain("3 bytes");
  });

  it("reads back every base64url it writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(fromBase64url(toBase64url(bytes))).to.deep.equal(bytes);
      }),
    );
  });

  for (const text of ["AA==", "A", "A+", "A/", "AB", "AA ", "AA\n"]) {
    it(`refuses ${JSON.stringify(text)} as base64url`, async () => {
      await expectCode("ERR_JSON_INVALID", () => fromBase64url(text));
    });
  }

  it("writes integers big-endian", () => {
    expect(toHex(uintBytes(0x0102, 4))).to.equal("0x00000102");
    expect(toHex(uintBytes(2n ** 64n - 1n, 8))).to.equal("0xffffffffffffffff");
    expect(toHex(uintBytes(0, 2))).to.equal("0x0000");
  });

  it("joins and compares bytes", () => {
    const joined = concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3));
    expect(equalBytes(joined, Uint8Array.of(1, 2, 3))).to.equal(true);
    expect(equalBytes(joined, Uint8Array.of(1, 2, 4))).to.equal(false);
    expect(equalBytes(joined, Uint8Array.of(1, 2))).to.equal(false);
  });

  it("draws random bytes that are never the same, of any length up to 4,096", () => {
    const drawn = new Set<string>();
    for (let piece = 0; piece < 2_000; piece++) {
      const bytes = new Uint8Array(12);
      fillRandom(bytes);
      drawn.add(toHex(bytes));
    }
    expect(drawn.size).to.equal(2_000);
    const [first, second] = [new Uint8Array(4_096), new Uint8Array(4_096)];
    fillRandom(first);
    fillRandom(second);
    // Of so many random bytes some 16 are zero, and as many fit by chance.
    expect(first.filter((byte) => byte === 0).length).to.be.lessThan(100);
    expect(first.filter((byte, at) => byte === second[at]).length).to.be.lessThan(100);
    fillRandom(new Uint8Array());
    expect(() => fillRandom(new Uint8Array(4_097))).to.throw(RangeError);
  });
});
