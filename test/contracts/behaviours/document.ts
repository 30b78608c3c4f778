// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { BaseContract } from "ethers";
import { id } from "ethers";
import { LeafKind } from "../../../src/crypto/index.js";
import type { Hex, Leaf } from "../../../src/crypto/index.js";
import { Status, anchorWords, leafFor, leafWords } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import type { WithEntries } from "../fixtures.js";
import { writeStatus } from "../status-slots.js";

/** An act that rests on a document in the custodian's log. */
export interface DocumentCase<F extends WithEntries> {
  load: () => Promise<F>;
  contract: (f: F) => BaseContract;
  kind: number;
  /** The act: whom it is about, what its document must name, and how to do it with a document, once. */
  prepare: (f: F) => Promise<{
    patientId: string;
    ref: string;
    act: (document: TestEntry) => Promise<unknown>;
  }>;
  /** The right document, but for `changes`. */
  document: (f: F, patientId: string, ref: string, changes?: Partial<Leaf>) => Promise<TestEntry>;
}

/** Every way in which a document can fail to be the one that the act needs. */
export function shouldRequireDocument<F extends WithEntries>(test: DocumentCase<F>): void {
  shouldRequireFittingLeaf(test);
  shouldRequireAnchoredDocument(test);
  shouldObeyStatus(test);
}

function shouldRequireFittingLeaf<F extends WithEntries>(test: DocumentCase<F>): void {
  const { load, contract, kind, prepare, document } = test;
  const others = Object.values(LeafKind).filter((other) => other !== kind);
  const wrong: [string, (f: F) => Partial<Leaf>[]][] = [
    ["when the document is of another kind", () => [...others, 255].map((other) => ({ kind: other }))],
    ["when the document is another patient's", (f) => [{ patientId: f.patient.patientId as Hex }]],
    ["when the document names something else", () => [{ ref: id("something else") as Hex }]],
  ];
  for (const [when, changes] of wrong) {
    describe(when, () => {
      it("should revert with DocumentMismatch", async () => {
        const f = await load();
        const { patientId, ref, act } = await prepare(f);
        for (const change of changes(f)) {
          const entry = await document(f, patientId, ref, change);
          await expect(act(entry))
            .to.be.revertedWithCustomError(contract(f), "DocumentMismatch")
            .withArgs(entry.leaf.index, ref);
        }
      });
    });
  }

  describe("when the document stands in another member's log", () => {
    it("should revert with DocumentMismatch", async () => {
      const f = await load();
      const { patientId, ref, act } = await prepare(f);
      const leaf = leafFor(patientId, 1, { kind, ref: ref as Hex, memberId: 2 });
      const { firstIndex, count, proof } = await anchorWords(f, [leafWords(leaf)], f.operatorB, 2);
      await expect(act({ leaf, firstIndex, count, proof: proof(0) }))
        .to.be.revertedWithCustomError(contract(f), "DocumentMismatch")
        .withArgs(1, ref);
    });
  });
}

function shouldRequireAnchoredDocument<F extends WithEntries>(test: DocumentCase<F>): void {
  const { load, prepare, document } = test;

  describe("when the document is not anchored", () => {
    it("should revert with BatchUnknown", async () => {
      const f = await load();
      const { patientId, ref, act } = await prepare(f);
      const index = Number(await f.records.headOf(1)) + 1;
      const leaf = leafFor(patientId, index, { kind: test.kind, ref: ref as Hex });
      await expect(act({ leaf, firstIndex: index, count: 1, proof: [] }))
        .to.be.revertedWithCustomError(f.records, "BatchUnknown")
        .withArgs(1, index, 1);
    });
  });

  describe("when the document was anchored as something else", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await load();
      const { patientId, ref, act } = await prepare(f);
      for (const change of [
        { kind: LeafKind.RECORD },
        { patientId: f.patient.patientId as Hex },
        { ref: id("x") as Hex },
      ]) {
        const anchored = await document(f, patientId, ref, change);
        const leaf = { ...anchored.leaf, kind: test.kind, patientId: patientId as Hex, ref: ref as Hex };
        await expect(act({ ...anchored, leaf }))
          .to.be.revertedWithCustomError(f.records, "ProofInvalid")
          .withArgs(1, leaf.index);
      }
    });
  });
}

function shouldObeyStatus<F extends WithEntries>(test: DocumentCase<F>): void {
  const { load, contract, prepare, document } = test;

  describe("given the document was retracted or erased", () => {
    it("should revert with DocumentMismatch", async () => {
      const f = await load();
      const { patientId, ref, act } = await prepare(f);
      for (const status of [Status.RETRACTED, Status.ERASED, Status.ERASED | Status.HELD]) {
        const entry = await document(f, patientId, ref);
        await writeStatus(f, 1, entry.leaf.index, status);
        await expect(act(entry))
          .to.be.revertedWithCustomError(contract(f), "DocumentMismatch")
          .withArgs(entry.leaf.index, ref);
      }
    });
  });

  describe("given the document is held", () => {
    it("should pass", async () => {
      const f = await load();
      const { patientId, ref, act } = await prepare(f);
      const entry = await document(f, patientId, ref);
      await writeStatus(f, 1, entry.leaf.index, Status.HELD);
      await act(entry);
    });
  });
}
