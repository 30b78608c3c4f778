// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { CidSet, cidOfDigest } from "../../src/storage/index.js";
import { expectCodeSync } from "./expect-code.js";

describe("set of CIDs", () => {
  it("knows what was added and nothing else, whenever it is asked", () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.array(digest), fc.array(digest), digest, (first, second, absent) => {
        const set = new CidSet();
        const added = new Set<string>();
        for (const digests of [first, second]) {
          for (const bytes of digests) {
            set.add(cidOfDigest(bytes));
            added.add(cidOfDigest(bytes));
          }
          for (const bytes of [...first, ...second, absent]) {
            expect(set.has(cidOfDigest(bytes))).to.equal(added.has(cidOfDigest(bytes)));
          }
        }
        expect(set.size).to.equal(first.length + second.length);
      }),
    );
  });

  it("grows past its first room", () => {
    const set = new CidSet();
    const cids = Array.from({ length: 5_000 }, (_, i) => {
      const digest = Buffer.alloc(32, i % 251);
      digest.writeUInt32BE(i);
      return cidOfDigest(digest);
    });
    for (const cid of cids) set.add(cid);
    expect(cids.every((cid) => set.has(cid))).to.equal(true);
    expect(set.has(cidOfDigest(Buffer.alloc(32, 255)))).to.equal(false);
  });

  it("refuses what is no CID", () => {
    expectCodeSync("ERR_USAGE", () => new CidSet().add("../../etc/passwd"));
  });
});
