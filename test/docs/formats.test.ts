// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { expect } from "chai";
import { AbiCoder, id, keccak256, solidityPackedKeccak256 } from "ethers";
import { advanceHead } from "../../src/chain/index.js";
import {
  MerkleTree,
  concatBytes,
  contextOf,
  decodeBatchManifest,
  encodeBatchManifest,
  encodeLeaf,
  fromBase64url,
  fromHex,
  leafFromJson,
  leafHash,
  openBytes,
  openCapsule,
  paddedLength,
  parseCid,
  parseReceipt,
  sealBytes,
  toHex,
  verifyReceipt,
  type Capsule,
  type Hex,
  type Leaf,
  type Manifest,
  type Receipt,
} from "../../src/crypto/index.js";
import { SUITE } from "../../src/crypto/member-key.js";
import { CidBuilder, cidOfDigest } from "../../src/storage/cid.js";
import { ConsentRegistry__factory } from "../../typechain-types/index.js";
import { vectors } from "../crypto/vectors.js";
import { bytesExample, jsonExample, textExample } from "./examples.js";

interface SealedVector {
  sealed: string;
}

const leaf = (): Leaf => leafFromJson(jsonExample("leaf"));
const tree = () => jsonExample<{ leafHashes: Hex[]; node: Hex; root: Hex }>("tree");
const sealedKeys = () => {
  const { contentKey, memberId, recordId } = jsonExample<{
    contentKey: Hex;
    memberId: number;
    recordId: Hex;
  }>("sealed-keys");
  return { contentKey: fromHex(contentKey), memberId, recordId: fromHex(recordId) };
};
const access = () =>
  jsonExample<{ chainId: number; accessLog: Hex; patientId: Hex; count: number; accessId: Hex }>("access-id");

describe("docs/formats.md: the log", () => {
  it("encodes the leaf", () => {
    expect(toHex(encodeLeaf(leaf()))).to.equal(toHex(bytesExample("leaf-bytes")));
    expect(toHex(leafHash(leaf()))).to.equal(tree().leafHashes[1]);
  });

  it("derives node, root and proof of the tree", () => {
    const { leafHashes, node, root } = tree();
    const hashes = leafHashes.map((value) => fromHex(value));
    expect(toHex(MerkleTree.of(hashes).root)).to.equal(root);
    expect(toHex(MerkleTree.of(hashes.slice(0, 2)).root)).to.equal(node);
    const { proof } = jsonExample<Receipt>("receipt");
    expect(MerkleTree.of(hashes).proof(1).map(toHex)).to.deep.equal(proof);
    expect(proof).to.deep.equal([leafHashes[0], leafHashes[2]]);
  });

  it("decodes the batch manifest, whose entries are the story's three records", () => {
    const bytes = bytesExample("manifest");
    const manifest = decodeBatchManifest(bytes);
    expect(manifest).to.include({ memberId: 7, firstIndex: 1 });
    expect(manifest.entries.map((entry) => entry.leafHash)).to.deep.equal(tree().leafHashes);
    const records = vectors<{ vectors: SealedVector[] }>("sealed-record.json").vectors;
    const cids = records.map(({ sealed }) =>
      cidOfDigest(hash("sha256", Buffer.from(sealed, "base64"), "buffer")),
    );
    expect(manifest.entries.map((entry) => entry.cid)).to.deep.equal(cids);
    expect(encodeBatchManifest(manifest)).to.deep.equal(bytes);
    const { manifestDigest, cid } = jsonExample<{ manifestDigest: Hex; cid: string }>("manifest-digest");
    expect(toHex(hash("sha256", bytes, "buffer"))).to.equal(manifestDigest);
    expect(cidOfDigest(fromHex(manifestDigest))).to.equal(cid);
  });

  it("derives the CID of a body of two blocks from its dag-pb root", () => {
    const { block, cid, sha256 } = jsonExample<{ block: Hex; cid: string; sha256: Hex }>("dag");
    const built = new CidBuilder().update(new Uint8Array(1_048_577)).finish();
    expect(built.cid).to.equal(cid);
    expect(toHex(built.sha256)).to.equal(sha256);
    const root = parseCid(cid);
    expect(root?.oneBlock).to.equal(false);
    expect(toHex(root!.digest)).to.equal(toHex(hash("sha256", fromHex(block), "buffer")));
  });

  it("verifies the receipt with the sealed record", async () => {
    const receipt = parseReceipt(textExample("receipt"));
    const { roots } = jsonExample<{ roots: [] }>("roots");
    const verdict = await verifyReceipt(receipt, { body: bytesExample("sealed", "base64"), roots });
    expect(verdict.ok, JSON.stringify(verdict.checks)).to.equal(true);
    expect(verdict.checks.map(({ name }) => name)).to.deep.equal([
      ...["member", "index", "inclusion", "root", "body", "cid"],
    ]);
    expect(receipt.leaf).to.deep.equal(leaf());
    expect(receipt.batch.manifestDigest).to.equal(
      jsonExample<{ manifestDigest: Hex }>("manifest-digest").manifestDigest,
    );
  });
});

describe("docs/formats.md: pseudonyms and heads", () => {
  it("derives the patient id", () => {
    const { custodian, seed, patientId } = jsonExample<{ custodian: number; seed: Hex; patientId: Hex }>(
      "patient-id",
    );
    expect(solidityPackedKeccak256(["uint32", "bytes32"], [custodian, seed])).to.equal(patientId);
    expect(leaf().patientId).to.equal(patientId);
  });

  it("derives the access id", () => {
    const { chainId, accessLog, patientId, count, accessId } = access();
    const types = ["uint256", "address", "bytes32", "uint256"];
    const encoded = AbiCoder.defaultAbiCoder().encode(types, [chainId, accessLog, patientId, count]);
    expect(keccak256(encoded)).to.equal(accessId);
  });

  it("advances a patient's head over a grant and its revocation", () => {
    const steps = jsonExample<{ topics: Hex[]; data: Hex; eventDigest: Hex; head: Hex }[]>("heads");
    const abi = ConsentRegistry__factory.createInterface();
    const terms = jsonExample<{ patientId: Hex; grantee: number }>("terms");
    const { termsHash } = jsonExample<{ termsHash: Hex }>("terms-signature");
    const events = [
      abi.encodeEventLog("GrantGiven", [terms.patientId, termsHash, terms.grantee, terms, 1, 1_767_225_700]),
      abi.encodeEventLog("GrantRevoked", [terms.patientId, termsHash, 1, 1_770_000_000]),
    ];
    let head = 0n;
    for (const [position, { topics, data, eventDigest, head: next }] of steps.entries()) {
      expect({ topics, data }).to.deep.equal(events[position]);
      expect(keccak256(`0x${[...topics, keccak256(data)].map((word) => word.slice(2)).join("")}`)).to.equal(
        eventDigest,
      );
      head = advanceHead(head, { topics, data });
      expect(head).to.equal(BigInt(next));
    }
    expect(steps[0]?.topics[0]).to.equal(
      id(
        "GrantGiven(bytes32,bytes32,uint32,(uint16,bytes32,uint32,uint64,uint16,uint48,uint48,uint32,uint32,bytes32),uint8,uint48)",
      ),
    );
  });
});

describe("docs/formats.md: sealed records and capsules", () => {
  it("pads as the table says", () => {
    for (const { unpadded, padded } of jsonExample<{ unpadded: number; padded: number }[]>("padding")) {
      expect(paddedLength(unpadded), String(unpadded)).to.equal(padded);
    }
  });

  it("opens the sealed record, whose first line is the manifest", () => {
    const sealed = bytesExample("sealed", "base64");
    const { manifest, body } = openBytes(sealed, sealedKeys());
    expect(manifest).to.deep.equal(jsonExample<Manifest>("sealed-manifest"));
    expect(Buffer.from(body).toString()).to.equal('{"value": 1.00}\r\n');
    expect(Buffer.byteLength(textExample("sealed-manifest"))).to.equal(281);
    expect(paddedLength(281 + 1 + body.length)).to.equal(512);
    expect(sealed).to.have.length(584);
    expect(sealBytes({ ...sealedKeys(), manifest, body })).to.have.length(584);
    expect(toHex(hash("sha256", sealed, "buffer"))).to.equal(leaf().contentDigest);
    expect(contextOf(sealedKeys().memberId, sealedKeys().recordId)).to.have.length(32);
  });

  it("opens the capsule, which carries the keys of the sealed record", async () => {
    const { secretKey, info } = jsonExample<{ secretKey: Hex; info: Hex }>("capsule-keys");
    const { chainId, accessLog, accessId } = access();
    const binding = { chainId: BigInt(chainId), accessLog, accessId };
    const capsule = jsonExample<Capsule>("capsule");
    expect(capsule.leafHash).to.equal(toHex(leafHash(leaf())));
    const content = await openCapsule(capsule, { ...binding, leaf: leaf(), secretKey: fromHex(secretKey) });
    const { contentKey, recordId } = sealedKeys();
    expect(content).to.deep.equal({ contentKey, recordId, cid: jsonExample<Receipt>("receipt").cid });
    const [enc, ciphertext] = [fromBase64url(capsule.enc), fromBase64url(capsule.ciphertext)];
    expect([enc.length, ciphertext.length]).to.deep.equal([1_120, 439 + 16]);
    const key = await SUITE.DeserializePrivateKey(fromHex(secretKey));
    const plaintext = await SUITE.Open(key, enc, ciphertext, { info: fromHex(info) });
    const cid = parseCid(content.cid)!.bytes;
    const parts = [Uint8Array.of(0, 1), encodeLeaf(leaf()), recordId, contentKey, Uint8Array.of(0x24), cid];
    expect(toHex(plaintext)).to.equal(toHex(concatBytes(...parts)));
  });
});
