// SPDX-License-Identifier: Apache-2.0
import { createHmac } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";

import { concatBytes } from "../../src/crypto/index.js";
import { HmacKey } from "../../src/crypto/hmac.js";

const HASHES = ["sha256", "sha512"] as const;

/** RFC 4231, 4.2 to 4.5: key and data in hex, then the MAC of SHA-256 and that of SHA-512. */
const RFC_4231 = [
  [
    "0b".repeat(20),
    Buffer.from("Hi There").toString("hex"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
  ],
  [
    Buffer.from("Jefe").toString("hex"),
    Buffer.from("what do ya want for nothing?").toString("hex"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  ],
  [
    "aa".repeat(20),
    "dd".repeat(50),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
  ],
  [
    Buffer.from(Array.from({ length: 25 }, (_, byte) => byte + 1)).toString("hex"),
    "cd".repeat(50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
  ],
] as const;

describe("HMAC", () => {
  for (const [place, [key, data, sha256, sha512]] of RFC_4231.entries()) {
    it(`gives what RFC 4231 does in its case ${place + 1}`, () => {
      for (const [name, expected] of [
        ["sha256", sha256],
        ["sha512", sha512],
      ] as const) {
        const hmac = new HmacKey(name, Buffer.from(key, "hex"));
        expect(Buffer.from(hmac.digest(Buffer.from(data, "hex"))).toString("hex")).to.equal(expected);
      }
    });
  }

  it("gives what Node's gives, in one part or several, as a digest or a secret, time after time", () => {
    for (const name of HASHES) {
      const key = Buffer.alloc(32, 7);
      const hmac = new HmacKey(name, key);
      const parts = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 4 });
      fc.assert(
        fc.property(parts, (given) => {
          const expected = createHmac(name, key)
            .update(concatBytes(...given))
            .digest();
          expect(Buffer.compare(hmac.digest(...given), expected)).to.equal(0);
          expect(Buffer.compare(hmac.secret(...given), expected)).to.equal(0);
        }),
      );
    }
  });

  it("takes another key in the place of a longer one, and keeps none that it was told to forget", () => {
    const message = Buffer.from("message");
    for (const name of HASHES) {
      const hmac = new HmacKey(name, Buffer.alloc(64, 1));
      hmac.use(Buffer.alloc(16, 2));
      const expected = createHmac(name, Buffer.alloc(16, 2)).update(message).digest();
      expect(Buffer.compare(hmac.digest(message), expected)).to.equal(0);
      hmac[Symbol.dispose]();
      const other = new HmacKey(name, Buffer.alloc(48, 3));
      other[Symbol.dispose]();
      expect(hmac.digest(message)).to.deep.equal(other.digest(message));
    }
  });

  it("refuses a key that is longer than a block: that would have to be hashed first", () => {
    expect(() => new HmacKey("sha256", Buffer.alloc(65))).to.throw(RangeError);
    expect(() => new HmacKey("sha512", Buffer.alloc(129))).to.throw(RangeError);
  });
});
