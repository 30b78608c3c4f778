// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireAnchored } from "../behaviours/inclusion.js";
import { anchorLeaves } from "../consortium.js";
import { wordBehind } from "../dirty-words.js";
import { loadWithEntries, loadWithPatient } from "../fixtures.js";
import { writeStatus } from "../status-slots.js";

describe("RecordRegistry.requireAnchored", () => {
  shouldRequireAnchored({
    load: loadWithEntries,
    act: (f, entry) => f.records.requireAnchored(entry),
    raw: async (f, entry) => {
      const data = f.records.interface.encodeFunctionData("requireAnchored", [entry]);
      return { from: f.outsider, to: await f.records.getAddress(), data, leafWord: wordBehind(data, 0) };
    },
    unreadFields: ["kind", "compartment", "recordedDay", "patientSeq"],
  });

  describe("when the leaf names another member with a log of the same size", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await loadWithEntries();
      for (const [firstIndex, count] of [
        [1, 3],
        [4, 7],
      ] as const) {
        await f.records.connect(f.operatorB).anchor(firstIndex, count, f.patient.seed, f.patient.seed);
      }
      const entry = f.entries[2]!;
      await expect(f.records.requireAnchored({ ...entry, leaf: { ...entry.leaf, memberId: 2 } }))
        .to.be.revertedWithCustomError(f.records, "ProofInvalid")
        .withArgs(2, entry.leaf.index);
    });
  });

  describe("given batches of 1, 2, 3, 5, 7, 8 and 64 entries", () => {
    it("should pass for every entry of each", async () => {
      const f = await loadWithPatient();
      for (const count of [1, 2, 3, 5, 7, 8, 64]) {
        for (const entry of await anchorLeaves(f, f.patient.patientId, count)) {
          expect(await f.records.requireAnchored(entry), `${entry.leaf.index} of ${count}`).to.equal(0);
        }
      }
    });

    it("should refuse every entry with the proof of another", async () => {
      const f = await loadWithPatient();
      for (const count of [2, 3, 5, 7, 8]) {
        const entries = await anchorLeaves(f, f.patient.patientId, count);
        for (const [position, entry] of entries.entries()) {
          const { proof } = entries[(position + 1) % count]!;
          await expect(f.records.requireAnchored({ ...entry, proof }))
            .to.be.revertedWithCustomError(f.records, "ProofInvalid")
            .withArgs(1, entry.leaf.index);
        }
      }
    });
  });

  describe("given a batch of 1,000 entries", () => {
    it("should pass at its ends, in the middle and around its largest full subtree", async () => {
      const f = await loadWithPatient();
      const entries = await anchorLeaves(f, f.patient.patientId, 1_000);
      for (const position of [0, 1, 499, 500, 511, 512, 959, 960, 991, 992, 998, 999]) {
        expect(await f.records.requireAnchored(entries[position]!)).to.equal(0);
      }
    });
  });

  describe("given an entry with flags", () => {
    it("should return them", async () => {
      const f = await loadWithEntries();
      for (let status = 1; status < 16; status += 1) {
        await writeStatus(f, 1, f.entries[2]!.leaf.index, status);
        expect(await f.records.requireAnchored(f.entries[2]!)).to.equal(status);
      }
    });
  });
});
