// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireOnePatientsRecords } from "../behaviours/one-patients-records.js";
import { Status, networkHelpers, nextBlockAt } from "../consortium.js";
import { foreignEntry, loadWithRecords as load, placeHold } from "../holds.js";

async function loadHeld() {
  const f = await load();
  const until = await placeHold(f, f.patient.wallet, f.entries);
  return { ...f, until };
}

describe("RecordRegistry.liftEndedHold", () => {
  shouldRequireOnePatientsRecords((f, entries) => f.records.connect(f.outsider).liftEndedHold(entries));

  describe("when the entries stand in two members' logs", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await loadHeld();
      const foreign = await foreignEntry(f, f.patient.patientId);
      await expect(f.records.liftEndedHold([f.entries[0]!, foreign]))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(2, 1);
    });
  });

  describe("given the hold ends this second", () => {
    it("should revert with HoldLasts", async () => {
      const f = await loadHeld();
      await nextBlockAt(f.until);
      await expect(f.records.connect(f.outsider).liftEndedHold(f.entries))
        .to.be.revertedWithCustomError(f.records, "HoldLasts")
        .withArgs(f.entries[0]!.leaf.index, f.until);
    });
  });

  describe("given one of the holds lasts", () => {
    it("should revert with HoldLasts and lift none", async () => {
      const f = await loadHeld();
      const last = f.entries[6]!;
      await placeHold(f, f.patient.wallet, [last], { until: f.until + 600 });
      await networkHelpers.time.increaseTo(f.until + 1);
      await expect(f.records.liftEndedHold(f.entries))
        .to.be.revertedWithCustomError(f.records, "HoldLasts")
        .withArgs(last.leaf.index, f.until + 600);
      expect(await f.records.statusOf(1, f.entries[0]!.leaf.index)).to.equal(Status.HELD);
    });
  });

  describe("given an entry is not held", () => {
    it("should revert with NotHeld, also for one named twice", async () => {
      const f = await loadHeld();
      await networkHelpers.time.increaseTo(f.until + 1);
      for (const entries of [[f.earlier[0]!], [f.entries[0]!, f.earlier[0]!]]) {
        await expect(f.records.liftEndedHold(entries))
          .to.be.revertedWithCustomError(f.records, "NotHeld")
          .withArgs(f.earlier[0]!.leaf.index);
      }
      await expect(f.records.liftEndedHold([f.entries[0]!, f.entries[0]!]))
        .to.be.revertedWithCustomError(f.records, "NotHeld")
        .withArgs(f.entries[0]!.leaf.index);
    });
  });

  describe("given the holds ended a second ago", () => {
    it("should emit HoldLifted for each, whoever calls", async () => {
      const f = await loadHeld();
      await nextBlockAt(f.until + 1);
      await f.records.connect(f.outsider).liftEndedHold(f.entries);
      const lifted = await f.records.queryFilter(f.records.filters.HoldLifted());
      expect(lifted.map(({ args }) => [...args])).to.deep.equal(
        f.entries.map(({ leaf }) => [1n, BigInt(leaf.index), f.patient.patientId]),
      );
    });

    it("should clear the holds", async () => {
      const f = await loadHeld();
      await nextBlockAt(f.until + 1);
      await f.records.connect(f.outsider).liftEndedHold(f.entries);
      for (const { leaf } of f.entries) {
        expect(await f.records.statusOf(1, leaf.index)).to.equal(0);
        expect(await f.records.holdUntil(1, leaf.index)).to.equal(0);
      }
    });
  });

  describe("given the custodian was removed", () => {
    it("should still clear them", async () => {
      const f = await loadHeld();
      await f.members.connect(f.governance).removeMember(1);
      await networkHelpers.time.increaseTo(f.until + 1);
      await f.records.connect(f.outsider).liftEndedHold(f.entries);
      expect(await f.records.statusOf(1, f.entries[0]!.leaf.index)).to.equal(0);
    });
  });
});
