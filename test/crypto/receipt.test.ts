// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

import { expect } from "chai";

import { cidText, fromHex, parseReceipt, toHex, verifyReceipt } from "../../src/crypto/index.js";
import type { Hex, Receipt, TrustedRoot, VerifyReceiptOptions } from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";
import { pieces } from "./streams.js";
import { base64, vectors } from "./vectors.js";

const vector = vectors<{ body: string; receipt: Receipt }>("receipt.json");
const { receipt } = vector;
const { leaf, batch, anchor } = receipt;
const body = base64(vector.body);
const root: TrustedRoot = {
  chainId: anchor.chainId,
  contract: anchor.contract,
  memberId: batch.memberId,
  firstIndex: batch.firstIndex,
  count: batch.count,
  root: batch.root,
};
const OTHER: Hex = `0x${"11".repeat(32)}`;

/** The names of the checks that failed. */
async function failed(changed: Receipt, options: VerifyReceiptOptions = {}): Promise<string[]> {
  const { ok, checks } = await verifyReceipt(changed, options);
  const names = checks.filter((check) => !check.ok).map((check) => check.name);
  expect(ok).to.equal(names.length === 0);
  return names;
}

const withLeaf = (change: Partial<Receipt["leaf"]>): Receipt => ({
  ...receipt,
  leaf: { ...leaf, ...change },
});
const withBatch = (change: Partial<Receipt["batch"]>): Receipt => ({
  ...receipt,
  batch: { ...batch, ...change },
});

/** A receipt of a batch of one, for this body and with this CID. */
function receiptOf(contentDigest: Hex, cid: string): Receipt {
  const entry = { ...leaf, index: 1, contentDigest };
  return { ...receipt, leaf: entry, proof: [], batch: { ...batch, firstIndex: 1, count: 1 }, cid };
}

const cidOf = (codec: number, digest: Uint8Array) => cidText(Uint8Array.of(1, codec, 0x12, 0x20, ...digest))!;

describe("receipt", () => {
  it("of the reference implementation is valid, with and without body and trusted roots", async () => {
    const read = parseReceipt(JSON.stringify(receipt));
    expect(read).to.deep.equal(receipt);
    expect(await verifyReceipt(read)).to.deep.equal({
      ok: true,
      checks: [
        { name: "member", ok: true, detail: "leaf and batch are of member 7" },
        { name: "index", ok: true, detail: "index 12 is within the batch of 3 entries from 10" },
        { name: "inclusion", ok: true, detail: "leaf is under this root" },
        { name: "cid", ok: true, detail: "CID is of the leaf's body" },
      ],
    });
    const { ok, checks } = await verifyReceipt(read, { body: pieces(body, [100]), roots: [root] });
    expect(ok).to.equal(true);
    expect(checks.map((check) => check.name)).to.deep.equal([
      "member",
      "index",
      "inclusion",
      "root",
      "body",
      "cid",
    ]);
  });

  it("says which leaf is not under the root, whichever field was changed", async () => {
    const changes: Partial<Receipt["leaf"]>[] = [
      { kind: 3 },
      { compartment: 0 },
      { recordedDay: 1 },
      { patientId: OTHER },
      { patientSeq: 1 },
      { ref: OTHER },
      { salt: OTHER },
      { index: 11 },
    ];
    for (const change of changes) expect(await failed(withLeaf(change))).to.deep.equal(["inclusion"]);
    const { checks } = await verifyReceipt(withLeaf({ salt: OTHER }));
    expect(checks.find((check) => !check.ok)?.detail).to.equal("leaf not under this root");
    expect(await failed({ ...receipt, proof: [] })).to.deep.equal(["inclusion"]);
    expect(await failed({ ...receipt, proof: [OTHER] })).to.deep.equal(["inclusion"]);
    expect(await failed(withBatch({ root: OTHER }))).to.deep.equal(["inclusion"]);
  });

  it("names a leaf of another member, and one outside the batch", async () => {
    expect(await failed(withBatch({ memberId: 8 }))).to.deep.equal(["member"]);
    expect(await failed(withBatch({ count: 2 }))).to.deep.equal(["index", "inclusion"]);
    expect(await failed(withBatch({ firstIndex: 13 }))).to.deep.equal(["index", "inclusion"]);
    expect(await failed(withBatch({ firstIndex: 9 }))).to.deep.equal(["index", "inclusion"]);
  });

  it("compares the root with the trusted one of the same chain, contract, member and batch", async () => {
    expect(await failed(receipt, { roots: [root] })).to.deep.equal([]);
    expect(await failed(receipt, { roots: [{ ...root, root: OTHER }] })).to.deep.equal(["root"]);
    const mixedCase = root.contract.toUpperCase().replace("0X", "0x") as Hex;
    expect(await failed(receipt, { roots: [{ ...root, contract: mixedCase }] })).to.deep.equal([]);
  });

  it("is not ok when roots are given but none is for its batch, or two differ", async () => {
    const changes: Partial<TrustedRoot>[] = [
      { chainId: 1 },
      { contract: `0x${"11".repeat(20)}` },
      { memberId: 8 },
      { firstIndex: 11 },
      { count: 4 },
    ];
    for (const change of changes) {
      expect(await failed(receipt, { roots: [{ ...root, ...change }] })).to.deep.equal(["root"]);
    }
    expect(await failed(receipt, { roots: [] })).to.deep.equal(["root"]);
    expect(await failed(receipt, { roots: [root, { ...root, root: OTHER }] })).to.deep.equal(["root"]);
  });

  it("names a body that is not the leaf's", async () => {
    for (const other of [body.slice(1), new Uint8Array(), Uint8Array.of(...body, 0)]) {
      expect(await failed(receipt, { body: other })).to.deep.equal(["body"]);
      expect(await failed(receipt, { body: pieces(other, [10]) })).to.deep.equal(["body"]);
    }
  });

  it("names a CID that is not the leaf's", async () => {
    const cid = cidOf(0x55, fromHex(OTHER));
    expect(await failed({ ...receipt, cid })).to.deep.equal(["cid"]);
    expect(await failed({ ...receipt, cid }, { body })).to.deep.equal(["cid"]);
  });

  it("expects one block up to 1 MiB, and several above", async () => {
    for (const [length, codec, wrong] of [
      [0, 0x55, 0x70],
      [1_048_576, 0x55, 0x70],
      [1_048_577, 0x70, 0x55],
    ] as const) {
      const bytes = new Uint8Array(length);
      const digest = createHash("sha256").update(bytes).digest();
      const right = receiptOf(toHex(digest), cidOf(codec, digest));
      expect(await failed(right, { body: bytes })).to.deep.equal(["inclusion"]);
      const mistaken = receiptOf(toHex(digest), cidOf(wrong, digest));
      expect(await failed(mistaken, { body: bytes })).to.deep.equal(["inclusion", "cid"]);
    }
  });

  it("says nothing of a CID of several blocks when there is no body", async () => {
    const { checks } = await verifyReceipt(receiptOf(OTHER, cidOf(0x70, new Uint8Array(32))));
    expect(checks.some((check) => check.name === "cid")).to.equal(false);
  });

  const malformed: Record<string, unknown> = {
    "no JSON": "{",
    "no object": "[]",
    null: null,
    "a missing leaf": { ...receipt, leaf: undefined },
    "an unknown field": { ...receipt, note: 1 },
    "an unknown field of the leaf": { ...receipt, leaf: { ...leaf, name: "" } },
    "an unknown field of the batch": { ...receipt, batch: { ...batch, name: "" } },
    "an unknown field of the anchor": { ...receipt, anchor: { ...anchor, name: "" } },
    "a proof that is no list": { ...receipt, proof: OTHER },
    "a proof of short hashes": { ...receipt, proof: ["0x00"] },
    "a proof longer than any tree": { ...receipt, proof: Array.from({ length: 33 }, () => OTHER) },
    "a leaf out of range": withLeaf({ compartment: 64 }),
    "an empty batch": withBatch({ count: 0 }),
    "a CID of version 0": { ...receipt, cid: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKuFgs" },
    "a chain id as text": { ...receipt, anchor: { ...anchor, chainId: "31337" } },
    "a short address": { ...receipt, anchor: { ...anchor, contract: "0x00" } },
  };
  for (const [what, value] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      await expectCode("ERR_RECEIPT_INVALID", () => parseReceipt(value));
      await expectCode("ERR_RECEIPT_INVALID", () => verifyReceipt(value as Receipt));
    });
  }

  it("refuses unknown formats by their own code", async () => {
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => parseReceipt({ format: 2 }));
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => parseReceipt(withLeaf({ format: 2 })));
  });
});
