// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { SEALED_HEADER_LENGTH, isSealedUnder, sealBytes, toHex } from "../../src/crypto/index.js";

const body = Buffer.from("a body");
const manifest = {
  ...{ format: 1, sourceKey: "x", label: "x", mediaType: "text/plain", size: body.length },
  sha256: toHex(createHash("sha256").update(body).digest()),
  receivedAt: "2027-01-01T00:00:00.000Z",
};

describe("the header of a sealed record", () => {
  const keys = { contentKey: randomBytes(32), memberId: 7, recordId: randomBytes(16) };
  const header = sealBytes({ manifest, body, ...keys }).subarray(0, SEALED_HEADER_LENGTH);

  it("tells whose record it is, by key, member and record id alike", () => {
    expect(isSealedUnder(header, keys)).to.equal(true);
    expect(isSealedUnder(header, { ...keys, memberId: 8 })).to.equal(false);
    expect(isSealedUnder(header, { ...keys, contentKey: randomBytes(32) })).to.equal(false);
    expect(isSealedUnder(header, { ...keys, recordId: randomBytes(16) })).to.equal(false);
  });

  it("is told from any other bytes, and from less than a header", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 80 }), (bytes) => {
        expect(isSealedUnder(bytes, keys)).to.equal(false);
      }),
    );
    fc.assert(
      fc.property(fc.nat(SEALED_HEADER_LENGTH - 1), fc.nat(7), (place, bit) => {
        const altered = Uint8Array.from(header);
        altered[place]! ^= 1 << bit;
        expect(isSealedUnder(altered, keys)).to.equal(false);
        expect(isSealedUnder(header.subarray(0, place), keys)).to.equal(false);
      }),
    );
  });
});
