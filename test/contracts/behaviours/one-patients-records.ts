// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { anchorLeaves, registerPatient } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { loadWithRecords as load } from "../holds.js";
import type { WithRecords } from "../holds.js";

/** An act on one to 64 records of one patient in one log. */
export function shouldRequireOnePatientsRecords(
  act: (f: WithRecords, entries: TestEntry[]) => Promise<unknown>,
): void {
  describe("when there is no entry", () => {
    it("should revert with NoEntries", async () => {
      const f = await load();
      await expect(act(f, [])).to.be.revertedWithCustomError(f.records, "NoEntries");
    });
  });

  describe("when there are more than 64 entries", () => {
    it("should revert with TooManyEntries", async () => {
      const f = await load();
      const entries = Array<TestEntry>(65).fill(f.entries[0]!);
      await expect(act(f, entries))
        .to.be.revertedWithCustomError(f.records, "TooManyEntries")
        .withArgs(65, 64);
    });
  });

  describe("when one of the entries is another patient's", () => {
    it("should revert with PatientMismatch", async () => {
      const f = await load();
      const { patientId } = await registerPatient(f);
      const [other] = await anchorLeaves(f, patientId, 1);
      await expect(act(f, [f.entries[0]!, other!]))
        .to.be.revertedWithCustomError(f.records, "PatientMismatch")
        .withArgs(patientId, f.patient.patientId);
    });
  });

  describe("when one of the entries is not a record", () => {
    it("should revert with KindForbids", async () => {
      const f = await load();
      for (let kind = 1; kind <= 5; kind++) {
        const [other] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ kind }));
        await expect(act(f, [f.entries[0]!, other!]))
          .to.be.revertedWithCustomError(f.records, "KindForbids")
          .withArgs(other!.leaf.index, kind);
      }
    });
  });

  describe("when one of the entries is not anchored as given", () => {
    it("should revert with ProofInvalid", async () => {
      const f = await load();
      const [entry, other] = [f.entries[0]!, f.entries[1]!];
      await expect(act(f, [entry, { ...other, leaf: { ...other.leaf, patientSeq: 99 } }]))
        .to.be.revertedWithCustomError(f.records, "ProofInvalid")
        .withArgs(1, other.leaf.index);
    });
  });
}
