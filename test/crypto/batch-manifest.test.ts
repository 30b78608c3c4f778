// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";

import { cidText, decodeBatchManifest, encodeBatchManifest, fromHex, toHex } from "../../src/crypto/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";
import { vectors } from "./vectors.js";

const vector = vectors<{ batchManifest: Hex; leafHashes: Hex[]; cids: string[] }>("receipt.json");
const bytes = fromHex(vector.batchManifest);
const manifest = {
  format: 1,
  memberId: 7,
  firstIndex: 10,
  entries: vector.leafHashes.map((leafHash, i) => ({ leafHash, cid: vector.cids[i]! })),
};
const ENTRY = 18;
const CID = ENTRY + 33;

const changed = (at: number, value: number) => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};

describe("batch manifest", () => {
  it("is the reference implementation's, both ways", () => {
    expect(toHex(encodeBatchManifest(manifest))).to.equal(vector.batchManifest);
    expect(decodeBatchManifest(bytes)).to.deep.equal(manifest);
  });

  it("reads back what it writes", () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const entry = fc.record({
      leafHash: hash.map(toHex),
      cid: fc
        .tuple(fc.constantFrom(0x55, 0x70), hash)
        .map(([codec, digest]) => cidText(Uint8Array.of(1, codec, 0x12, 0x20, ...digest))!),
    });
    const manifests = fc.record({
      memberId: fc.integer({ min: 1, max: 0xffff_ffff }),
      firstIndex: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      entries: fc.array(entry, { minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(manifests, (value) => {
        expect(decodeBatchManifest(encodeBatchManifest(value))).to.deep.equal({ format: 1, ...value });
      }),
    );
  });

  it("refuses every truncation and any extension", async () => {
    for (let length = 0; length < bytes.length; length++) {
      await expectCode("ERR_JSON_INVALID", () => decodeBatchManifest(bytes.subarray(0, length)));
    }
    await expectCode("ERR_JSON_INVALID", () => decodeBatchManifest(Uint8Array.of(...bytes, 0)));
  });

  it("refuses an unknown format by its own code", async () => {
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => decodeBatchManifest(changed(1, 2)));
  });

  const wrong: [string, number, number][] = [
    ["member 0", 5, 0],
    ["a first index beyond 2^53", 6, 1],
    ["a first index of 0", 13, 0],
    ["a count of 4", 17, 4],
    ["a huge count", 14, 255],
    ["a CID of 35 bytes", CID - 1, 35],
    ["a CID of version 0", CID, 0],
    ["an unknown codec", CID + 1, 0x71],
    ["an unknown hash", CID + 2, 0x13],
    ["a short digest", CID + 3, 0x1f],
  ];
  for (const [what, at, value] of wrong) {
    it(`refuses ${what}`, async () => {
      await expectCode("ERR_JSON_INVALID", () => decodeBatchManifest(changed(at, value)));
    });
  }

  it("refuses to write what it would not read", async () => {
    const [entry] = manifest.entries as [{ leafHash: Hex; cid: string }];
    const attempts = [
      { ...manifest, entries: [] },
      { ...manifest, memberId: 0 },
      { ...manifest, firstIndex: 0 },
      { ...manifest, firstIndex: 2 ** 53 },
      { ...manifest, entries: [{ ...entry, cid: "bafk" }] },
      { ...manifest, entries: [{ ...entry, leafHash: "0x00" as Hex }] },
    ];
    for (const attempt of attempts) {
      await expectCode("ERR_JSON_INVALID", () => encodeBatchManifest(attempt));
    }
  });
});
