// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

import { expect } from "chai";
import fc from "fast-check";

import { MerkleTree, fromHex, rootFromProof, toHex, verifyInclusion } from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";

function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

const leafOf = (data: Uint8Array) => sha256(Uint8Array.of(0), data);

// Reference vectors of RFC 6962 logs, as in transparency-dev/merkle, proof/verify_test.go.
const INPUTS = [
  "0x",
  "0x00",
  "0x10",
  "0x2021",
  "0x3031",
  "0x40414243",
  "0x5051525354555657",
  "0x606162636465666768696a6b6c6d6e6f",
].map((input) => leafOf(fromHex(input)));
const ROOTS = [
  "0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const PROOFS: { position: number; size: number; proof: string[] }[] = [
  { position: 0, size: 1, proof: [] },
  {
    position: 0,
    size: 8,
    proof: [
      "0x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "0x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  },
  {
    position: 5,
    size: 8,
    proof: [
      "0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  },
  { position: 2, size: 3, proof: ["0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"] },
  {
    position: 1,
    size: 5,
    proof: [
      "0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  },
];

/** The standard's recursive definition, word for word (RFC 9162, 2.1.1). */
function recursiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Uint8Array.of(1), recursiveRoot(leaves.slice(0, k)), recursiveRoot(leaves.slice(k)));
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => leafOf(Buffer.from(`${i}`)));

describe("Merkle tree", function () {
  this.timeout(20_000);

  for (const [i, root] of ROOTS.entries()) {
    it(`has the published root over ${i + 1} leaves`, () => {
      const tree = MerkleTree.of(INPUTS.slice(0, i + 1));
      expect(toHex(tree.root)).to.equal(root);
      expect(tree.size).to.equal(i + 1);
    });
  }

  for (const { position, size, proof } of PROOFS) {
    it(`has the published proof of leaf ${position} of ${size}, and verifies it`, () => {
      expect(MerkleTree.of(INPUTS.slice(0, size)).proof(position).map(toHex)).to.deep.equal(proof);
      const nodes = proof.map((node) => fromHex(node));
      expect(verifyInclusion(INPUTS[position]!, position, size, nodes, fromHex(ROOTS[size - 1]!))).to.equal(
        true,
      );
    });
  }

  it("equals the recursive definition for every size up to 70, and proves every leaf", () => {
    const leaves = numbered(70);
    for (let size = 1; size <= leaves.length; size++) {
      const tree = MerkleTree.of(leaves.slice(0, size));
      const root = tree.root;
      expect(root, `size ${size}`).to.deep.equal(recursiveRoot(leaves.slice(0, size)));
      for (let position = 0; position < size; position++) {
        const proof = tree.proof(position);
        expect(verifyInclusion(leaves[position]!, position, size, proof, root)).to.equal(true);
      }
    }
  });

  it("proves a leaf at no other position, in no other size that changes the path, and under no other root", () => {
    const cases = fc.integer({ min: 1, max: 200 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        position: fc.integer({ min: 0, max: size - 1 }),
        claimed: fc.integer({ min: 0, max: 220 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ size, position, claimed }) => {
        const leaves = numbered(size);
        const tree = MerkleTree.of(leaves);
        const proof = tree.proof(position);
        const leaf = leaves[position]!;
        if (claimed !== position) {
          expect(verifyInclusion(leaf, claimed, size, proof, tree.root)).to.equal(false);
        }
        expect(verifyInclusion(leaf, position, size, [...proof, leaf], tree.root)).to.equal(false);
        expect(verifyInclusion(leaf, position, size, [leaf, ...proof], tree.root)).to.equal(false);
        expect(verifyInclusion(leafOf(leaf), position, size, proof, tree.root)).to.equal(false);
        expect(verifyInclusion(leaf, position, size, proof, leafOf(tree.root))).to.equal(false);
        if (proof.length > 0) {
          expect(verifyInclusion(leaf, position, size, proof.slice(1), tree.root)).to.equal(false);
          expect(verifyInclusion(leaf, position, size, proof.slice(0, -1), tree.root)).to.equal(false);
          const changed = proof.map((node) => node.slice());
          changed[claimed % changed.length]![claimed % 32]! ^= 1;
          expect(verifyInclusion(leaf, position, size, changed, tree.root)).to.equal(false);
        }
      }),
    );
  });

  it("takes no longer proof, even one that leads to the root", () => {
    const [leaf, node] = INPUTS as [Uint8Array, Uint8Array];
    const root = sha256(Uint8Array.of(1), node, leaf);
    expect(verifyInclusion(leaf, 1, 2, [node], root)).to.equal(true);
    expect(verifyInclusion(leaf, 0, 1, [node], root)).to.equal(false);
    expect(rootFromProof(leaf, 0, 1, [node])).to.equal(undefined);
  });

  it("does not take an inner node for a leaf", () => {
    const tree = MerkleTree.of(INPUTS);
    const [first, ...rest] = tree.proof(0);
    const inner = rootFromProof(INPUTS[0]!, 0, 2, [first!])!;
    expect(verifyInclusion(inner, 0, 8, rest, tree.root)).to.equal(false);
  });

  it("answers false to malformed input, without an error", () => {
    const [leaf] = INPUTS as [Uint8Array];
    const none = new Uint8Array();
    const attempts: Parameters<typeof verifyInclusion>[] = [
      [leaf, 0, 0, [], leaf],
      [leaf, 1, 1, [], leaf],
      [leaf, -1, 1, [], leaf],
      [leaf, 0.5, 1, [], leaf],
      [leaf, 0, Number.NaN, [], leaf],
      [leaf, 0, 2 ** 53, [], leaf],
      [none, 0, 1, [], none],
      [leaf, 0, 1, [], none],
      [leaf, 0, 2, [none], leaf],
    ];
    for (const attempt of attempts) expect(verifyInclusion(...attempt)).to.equal(false);
  });

  it("refuses to build a tree of nothing, or of hashes of another length", async () => {
    await expectCode("ERR_USAGE", () => MerkleTree.of([]));
    await expectCode("ERR_USAGE", () => MerkleTree.of([new Uint8Array(31)]));
    await expectCode("ERR_USAGE", () => MerkleTree.of(INPUTS).proof(8));
    await expectCode("ERR_USAGE", () => MerkleTree.of(INPUTS).proof(-1));
  });

  it("hands out copies, so that nobody can change the tree", () => {
    const tree = MerkleTree.of(INPUTS);
    tree.root.fill(0);
    tree.proof(0)[0]!.fill(0);
    expect(toHex(tree.root)).to.equal(ROOTS[7]);
    expect(toHex(tree.proof(0)[0]!)).to.equal(PROOFS[1]!.proof[0]);
  });

  it("builds and proves a batch of a million leaves", function () {
    this.timeout(60_000);
    const size = 1_000_000;
    const leaves = Array.from({ length: size }, (_, i) => {
      const leaf = new Uint8Array(32);
      new DataView(leaf.buffer).setUint32(0, i);
      return leaf;
    });
    const tree = MerkleTree.of(leaves);
    for (const position of [0, 524_288, 999_999]) {
      const proof = tree.proof(position);
      expect(proof.length).to.be.at.most(20);
      expect(verifyInclusion(leaves[position]!, position, size, proof, tree.root)).to.equal(true);
    }
  });
});
