// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireAnchored } from "../behaviours/inclusion.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { Status, nextBlockAt } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { wordBehind } from "../dirty-words.js";
import { loadWithEntries } from "../fixtures.js";
import type { WithEntries } from "../fixtures.js";
import { liftHold, loadWithRecords, placeHold } from "../holds.js";
import { writeStatus } from "../status-slots.js";

function retract(f: WithEntries, entry: TestEntry, as = f.operatorA) {
  return f.records.connect(as).retract(entry);
}

describe("RecordRegistry.retract", () => {
  shouldRequireStaff({
    load: loadWithEntries,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: (f, as) => retract(f, f.entries[2]!, as),
  });

  shouldRequireAnchored({
    load: loadWithEntries,
    act: retract,
    raw: async (f, entry) => {
      const data = f.records.interface.encodeFunctionData("retract", [entry]);
      return { from: f.operatorA, to: await f.records.getAddress(), data, leafWord: wordBehind(data, 0) };
    },
    unreadFields: ["kind", "compartment", "recordedDay", "patientSeq"],
  });

  describe("when the entry stands in another member's log", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await loadWithEntries();
      await expect(retract(f, f.entries[2]!, f.operatorB))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(1, 2);
    });
  });

  describe("given the entry is retracted already", () => {
    it("should revert with StatusForbids", async () => {
      const f = await loadWithEntries();
      await retract(f, f.entries[2]!);
      await expect(retract(f, f.entries[2]!))
        .to.be.revertedWithCustomError(f.records, "StatusForbids")
        .withArgs(1, f.entries[2]!.leaf.index, Status.RETRACTED);
    });
  });

  describe("given the entry is erased", () => {
    it("should revert with StatusForbids", async () => {
      const f = await loadWithEntries();
      for (const status of [Status.ERASED, Status.ERASED | Status.SUPERSEDED]) {
        await writeStatus(f, 1, f.entries[2]!.leaf.index, status);
        await expect(retract(f, f.entries[2]!))
          .to.be.revertedWithCustomError(f.records, "StatusForbids")
          .withArgs(1, f.entries[2]!.leaf.index, status);
      }
    });
  });

  describe("given the entry is held", () => {
    it("should revert with StatusForbids, also past the hold's end", async () => {
      const f = await loadWithRecords();
      const until = await placeHold(f, f.patient.wallet, [f.entries[0]!]);
      const { index } = f.entries[0]!.leaf;
      for (const time of [until, until + 1]) {
        await nextBlockAt(time);
        await expect(retract(f, f.entries[0]!))
          .to.be.revertedWithCustomError(f.records, "StatusForbids")
          .withArgs(1, index, Status.HELD);
      }
    });

    it("should pass once the hold is lifted", async () => {
      const f = await loadWithRecords();
      await placeHold(f, f.patient.wallet, f.entries);
      await liftHold(f, f.patient.wallet, [f.entries[0]!]);
      await retract(f, f.entries[0]!);
      expect(await f.records.requireAnchored(f.entries[0]!)).to.equal(Status.RETRACTED);
    });
  });

  describe("given the entry is superseded", () => {
    it("should add RETRACTED to its flags", async () => {
      const f = await loadWithEntries();
      const { index } = f.entries[0]!.leaf;
      await writeStatus(f, 1, index, Status.SUPERSEDED);
      await retract(f, f.entries[0]!);
      expect(await f.records.statusOf(1, index)).to.equal(Status.SUPERSEDED | Status.RETRACTED);
    });
  });

  describe("given the entry is plain", () => {
    it("should emit EntryRetracted", async () => {
      const f = await loadWithEntries();
      const { index } = f.entries[2]!.leaf;
      await expect(retract(f, f.entries[2]!))
        .to.emit(f.records, "EntryRetracted")
        .withArgs(1, index, f.patient.patientId);
    });

    it("should flag it and no other, and keep it provable", async () => {
      const f = await loadWithEntries();
      await retract(f, f.entries[2]!);
      for (const entry of [...f.earlier, ...f.entries]) {
        const expected = entry === f.entries[2] ? Status.RETRACTED : 0;
        expect(await f.records.requireAnchored(entry)).to.equal(expected);
      }
    });
  });
});
