// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { ZeroHash, hexlify } from "ethers";
import { MerkleTree } from "../../../src/crypto/index.js";
import { anchorWords, ethers, hashWords, leafFor, leafWords } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { LEAF_WORDS, callDirtied } from "../dirty-words.js";
import type { RawCall } from "../dirty-words.js";
import type { WithEntries } from "../fixtures.js";

/** An act on one entry that must be anchored exactly as given. */
export interface InclusionCase<F extends WithEntries> {
  load: () => Promise<F>;
  /** Succeeds for every one of the fixture's `entries`. */
  act: (f: F, entry: TestEntry) => Promise<unknown>;
  /** The same call by hand, and which argument word the leaf starts at. */
  raw: (f: F, entry: TestEntry) => Promise<RawCall & { leafWord: number }>;
  /** Numbers of the leaf that the call hashes but never reads. */
  unreadFields: string[];
}

/** Every way in which an entry can fail to be anchored as given. */
export function shouldRequireAnchored<F extends WithEntries>(test: InclusionCase<F>): void {
  shouldRequireBatch(test);
  shouldRequireProof(test);
  shouldRequirePlace(test);
  shouldRequireCleanLeaf(test);
}

function shouldRequireBatch<F extends WithEntries>({ load, act }: InclusionCase<F>): void {
  for (const [given, change] of [
    ["given no batch starts at the first index", { firstIndex: 5 }],
    ["given the batch has another count", { count: 6 }],
  ] as const) {
    describe(given, () => {
      it("should revert with BatchUnknown", async () => {
        const f = await load();
        const entry = { ...f.entries[4]!, ...change };
        await expect(act(f, entry))
          .to.be.revertedWithCustomError(f.records, "BatchUnknown")
          .withArgs(1, entry.firstIndex, entry.count);
      });
    });
  }

  // The registry refuses such an index before the proof is looked at. So LogTree's own refusal of a position outside
  // the tree cannot be reached through the contracts: it is the one line that these tests leave uncovered.
  for (const [when, index] of [
    ["when the index lies before the batch", 3],
    ["when the index lies past the batch", 11],
  ] as const) {
    describe(when, () => {
      it("should revert with IndexOutsideBatch", async () => {
        const f = await load();
        const entry = f.entries[0]!;
        await expect(act(f, { ...entry, leaf: { ...entry.leaf, index } }))
          .to.be.revertedWithCustomError(f.records, "IndexOutsideBatch")
          .withArgs(index, 4, 7);
      });
    });
  }
}

function shouldRequireProof<F extends WithEntries>({ load, act }: InclusionCase<F>): void {
  const flipLast = (hash: string) => hash.slice(0, -1) + (hash.endsWith("0") ? "1" : "0");
  const wrongProofs: [string, (proof: string[]) => string[][]][] = [
    [
      "when a hash of the proof is altered",
      (proof) => proof.map((_, at) => proof.map((hash, place) => (place === at ? flipLast(hash) : hash))),
    ],
    ["when the proof is cut short", (proof) => [proof.slice(0, -1), proof.slice(1)]],
    [
      "when the proof is too long",
      (proof) => [
        [...proof, ZeroHash],
        [ZeroHash, ...proof],
      ],
    ],
    ["when the proof is reordered", (proof) => [proof.toReversed()]],
    ["when the proof is empty", () => [[]]],
  ];
  for (const [when, wrong] of wrongProofs) {
    describe(when, () => {
      it("should revert with ProofInvalid", async () => {
        const f = await load();
        const entry = f.entries[2]!;
        for (const proof of wrong(entry.proof)) await refuses(f, act, { ...entry, proof });
      });
    });
  }

  describe("when the leaf is altered in a digest, reference, salt or sequence number", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await load();
      const entry = f.entries[2]!;
      const other = hexlify(randomBytes(32)) as `0x${string}`;
      for (const change of [{ contentDigest: other }, { ref: other }, { salt: other }, { patientSeq: 99 }]) {
        await refuses(f, act, { ...entry, leaf: { ...entry.leaf, ...change } });
      }
    });
  });
}

function shouldRequirePlace<F extends WithEntries>({ load, act }: InclusionCase<F>): void {
  describe("given the leaf was anchored at another position than its index", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await load();
      const leaves = (await nextIndices(f)).map((index) => leafFor(f.patient.patientId, index)).toReversed();
      const { firstIndex, count, proof } = await anchorWords(f, leaves.map(leafWords));
      for (const position of [0, 2]) {
        await refuses(f, act, { leaf: leaves[0]!, firstIndex, count, proof: proof(position) });
      }
    });
  });

  describe("given the root is that of a smaller tree than the count says", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await load();
      const [firstIndex, ...others] = await nextIndices(f);
      const leaves = [firstIndex!, ...others].map((index) => leafFor(f.patient.patientId, index));
      const tree = MerkleTree.of(leaves.map((leaf) => hashWords(leafWords(leaf))));
      await f.records.connect(f.operatorA).anchor(firstIndex!, 4, tree.root, randomBytes(32));
      const proof = tree.proof(2).map((hash) => hexlify(hash));
      await refuses(f, act, { leaf: leaves[2]!, firstIndex: firstIndex!, count: 4, proof });
    });
  });

  describe("given the root is that of a larger tree than the count says", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await load();
      const [firstIndex] = await nextIndices(f);
      const leaf = leafFor(f.patient.patientId, firstIndex!);
      // The leaf hangs on the right, where a proof that goes on past the top would reach it.
      const tree = MerkleTree.of([randomBytes(32), hashWords(leafWords(leaf))]);
      await f.records.connect(f.operatorA).anchor(firstIndex!, 1, tree.root, randomBytes(32));
      const proof = tree.proof(1).map((hash) => hexlify(hash));
      await refuses(f, act, { leaf, firstIndex: firstIndex!, count: 1, proof });
    });
  });
}

function shouldRequireCleanLeaf<F extends WithEntries>(test: InclusionCase<F>): void {
  const { load, act, raw, unreadFields } = test;

  describe("given the leaf was anchored with format 2", () => {
    it("should revert with LeafFormatUnsupported", async () => {
      const f = await load();
      const leaf = leafFor(f.patient.patientId, (await nextIndices(f))[0]!, { format: 2 });
      const { firstIndex, count, proof } = await anchorWords(f, [leafWords(leaf)]);
      await expect(act(f, { leaf, firstIndex, count, proof: proof(0) }))
        .to.be.revertedWithCustomError(f.records, "LeafFormatUnsupported")
        .withArgs(2);
    });
  });

  describe("when a word of the leaf has bits outside its type", () => {
    it("should revert without a reason where the field is read, else with ProofInvalid", async () => {
      const f = await load();
      const entry = f.entries[2]!;
      const { leafWord, ...call } = await raw(f, entry);
      for (const field of LEAF_WORDS) {
        if (["patientId", "ref", "contentDigest", "salt"].includes(field)) continue; // whole words
        const result = expect(callDirtied(call, leafWord + LEAF_WORDS.indexOf(field)), field);
        if (unreadFields.includes(field)) {
          await result.to.be
            .revertedWithCustomError(f.records, "ProofInvalid")
            .withArgs(entry.leaf.memberId, entry.leaf.index);
        } else {
          await result.to.be.revertedWithoutReason(ethers);
        }
      }
    });
  });

  describe("when the first index or the count has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await load();
      const { leafWord, ...call } = await raw(f, f.entries[2]!);
      for (const word of [LEAF_WORDS.length, LEAF_WORDS.length + 1]) {
        await expect(callDirtied(call, leafWord + word)).to.be.revertedWithoutReason(ethers);
      }
    });
  });
}

/** The next three indices of hospital A's log. */
async function nextIndices(f: WithEntries): Promise<number[]> {
  const head = Number(await f.records.headOf(1));
  return [head + 1, head + 2, head + 3];
}

async function refuses<F extends WithEntries>(f: F, act: InclusionCase<F>["act"], entry: TestEntry) {
  await expect(act(f, entry))
    .to.be.revertedWithCustomError(f.records, "ProofInvalid")
    .withArgs(entry.leaf.memberId, entry.leaf.index);
}
