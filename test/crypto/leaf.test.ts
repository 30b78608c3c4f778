// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

import { expect } from "chai";
import { AbiCoder } from "ethers";
import fc from "fast-check";

import {
  LEAF_LENGTH,
  LeafKind,
  dayOf,
  decodeLeaf,
  encodeLeaf,
  indexRef,
  leafFromJson,
  leafHash,
  leafToJson,
  toHex,
} from "../../src/crypto/index.js";
import type { Hex, Leaf } from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";
import { vectors } from "./vectors.js";

const SOLIDITY_LEAF =
  "tuple(uint16 format, uint32 memberId, uint64 index, uint8 kind, uint8 compartment, uint32 recordedDay, " +
  "bytes32 patientId, uint32 patientSeq, bytes32 ref, bytes32 contentDigest, bytes32 salt)";

const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const uint32 = fc.integer({ min: 1, max: 0xffff_ffff });
const leaves: fc.Arbitrary<Leaf> = fc.record({
  format: fc.constant(1),
  memberId: uint32,
  index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  kind: fc.constantFrom(...Object.values(LeafKind)),
  compartment: fc.integer({ min: 0, max: 63 }),
  recordedDay: fc.integer({ min: 0, max: 0xffff_ffff }),
  patientId: word,
  patientSeq: uint32,
  ref: word,
  contentDigest: word,
  salt: word,
});

const [sample] = fc.sample(leaves, { numRuns: 1, seed: 1 }) as [Leaf];

describe("leaf", () => {
  it("encodes as Solidity's abi.encode does", () => {
    fc.assert(
      fc.property(leaves, (leaf) => {
        expect(toHex(encodeLeaf(leaf))).to.equal(AbiCoder.defaultAbiCoder().encode([SOLIDITY_LEAF], [leaf]));
      }),
    );
  });

  it("hashes as the reference implementation does", () => {
    const { receipt, leafHashes } = vectors<{ receipt: { leaf: Leaf }; leafHashes: Hex[] }>("receipt.json");
    expect(toHex(leafHash(receipt.leaf))).to.equal(leafHashes[2]);
  });

  it("hashes a zero byte and the encoded leaf with SHA-256", () => {
    const expected = createHash("sha256").update(Uint8Array.of(0)).update(encodeLeaf(sample)).digest();
    expect(leafHash(sample)).to.deep.equal(new Uint8Array(expected));
  });

  it("reads back what it writes, as bytes and as JSON", () => {
    fc.assert(
      fc.property(leaves, (leaf) => {
        expect(decodeLeaf(encodeLeaf(leaf))).to.deep.equal(leaf);
        expect(leafFromJson(JSON.parse(JSON.stringify(leafToJson(leaf))))).to.deep.equal(leaf);
      }),
    );
  });

  it("decodes no two byte strings to one leaf", () => {
    const bytes = encodeLeaf(sample);
    const places = fc.record({
      at: fc.integer({ min: 0, max: LEAF_LENGTH - 1 }),
      by: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(places, ({ at, by }) => {
        const changed = bytes.slice();
        changed[at]! ^= by;
        let again: Uint8Array | undefined;
        try {
          again = encodeLeaf(decodeLeaf(changed));
        } catch {
          return; // refused: as good
        }
        expect(again).to.deep.equal(changed);
      }),
    );
  });

  for (const length of [0, 351, 353]) {
    it(`refuses ${length} bytes`, async () => {
      await expectCode("ERR_JSON_INVALID", () => decodeLeaf(new Uint8Array(length)));
    });
  }

  it("refuses an unknown format by its own code", async () => {
    const bytes = encodeLeaf(sample);
    bytes[31] = 2;
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => decodeLeaf(bytes));
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => encodeLeaf({ ...sample, format: 2 }));
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => leafFromJson({ ...sample, format: 0 }));
  });

  const outOfRange: Record<string, unknown>[] = [
    { memberId: 0 },
    { memberId: 2 ** 32 },
    { index: 0 },
    { index: 2 ** 53 },
    { index: 1.5 },
    { kind: 6 },
    { kind: -1 },
    { compartment: 64 },
    { recordedDay: 2 ** 32 },
    { patientSeq: 0 },
    { patientId: "0x00" },
    { salt: `0x${"AB".repeat(32)}` },
    { ref: undefined },
    { contentDigest: 5 },
    { index: "1" },
  ];
  for (const change of outOfRange) {
    it(`refuses ${Object.keys(change)[0]} ${String(Object.values(change)[0]).slice(0, 16)}`, async () => {
      await expectCode("ERR_JSON_INVALID", () => leafFromJson({ ...sample, ...change }));
    });
  }

  it("refuses a missing and an unknown field", async () => {
    const { salt: _salt, ...missing } = sample;
    await expectCode("ERR_JSON_INVALID", () => leafFromJson(missing));
    await expectCode("ERR_JSON_INVALID", () => leafFromJson({ ...sample, note: "" }));
    for (const value of [null, [], "leaf", 1, undefined]) {
      await expectCode("ERR_JSON_INVALID", () => leafFromJson(value));
    }
  });

  it("counts days in UTC", async () => {
    expect(dayOf(new Date("1970-01-01T23:59:59.999Z"))).to.equal(0);
    expect(dayOf(new Date("2026-01-02T00:30:00+01:00"))).to.equal(20454);
    await expectCode("ERR_USAGE", () => dayOf(new Date(Number.NaN)));
    await expectCode("ERR_USAGE", () => dayOf(new Date(-1)));
  });

  it("writes an index as a uint256", async () => {
    expect(indexRef(258)).to.equal(`0x${"00".repeat(30)}0102`);
    await expectCode("ERR_USAGE", () => indexRef(0));
  });
});
