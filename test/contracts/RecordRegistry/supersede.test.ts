// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, toBeHex } from "ethers";
import { shouldRequireAnchored } from "../behaviours/inclusion.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import {
  Status,
  anchorLeaves,
  anchorWords,
  leafFor,
  leafWords,
  networkHelpers,
  registerPatient,
} from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { wordBehind } from "../dirty-words.js";
import { loadWithEntries } from "../fixtures.js";
import type { WithEntries } from "../fixtures.js";
import { deployWithRecords, placeHold } from "../holds.js";
import { writeStatus } from "../status-slots.js";

type Ref = `0x${string}`;
const refTo = (index: number | bigint) => toBeHex(index, 32) as Ref;

/** Two amendments of the first entry of hospital A's log. */
async function deployWithAmendments() {
  const f = await deployWithRecords();
  const [newer, newest] = await anchorLeaves(f, f.patient.patientId, 2, () => ({ ref: refTo(1) }));
  return { ...f, older: f.earlier[0]!, newer: newer!, newest: newest! };
}
const load = () => networkHelpers.loadFixture(deployWithAmendments);

function supersede(f: WithEntries, older: TestEntry, newer: TestEntry, as = f.operatorA) {
  return f.records.connect(as).supersede(older, newer);
}

async function rawCall(f: WithEntries, older: TestEntry, newer: TestEntry, argument: 0 | 1) {
  const data = f.records.interface.encodeFunctionData("supersede", [older, newer]);
  return { from: f.operatorA, to: await f.records.getAddress(), data, leafWord: wordBehind(data, argument) };
}

describe("RecordRegistry.supersede", () => {
  shouldRequireStaff({
    load,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: (f, as) => supersede(f, f.older, f.newer, as),
  });

  const unreadFields = ["kind", "compartment", "recordedDay", "patientSeq"];

  describe("when the older entry is checked", () => {
    shouldRequireAnchored({
      load: loadWithEntries,
      act: (f, older) => supersede(f, older, f.earlier[0]!),
      raw: (f, older) => rawCall(f, older, f.earlier[0]!, 0),
      unreadFields,
    });
  });

  describe("when the newer entry is checked", () => {
    shouldRequireAnchored({
      load: loadWithEntries,
      act: (f, newer) => supersede(f, f.earlier[0]!, newer),
      raw: (f, newer) => rawCall(f, f.earlier[0]!, newer, 1),
      unreadFields,
    });
  });

  describe("when the older entry stands in another member's log", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await load();
      await expect(supersede(f, f.older, f.newer, f.operatorB))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(1, 2);
    });
  });

  describe("when the newer entry stands in another member's log", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await load();
      const leaf = leafFor(f.patient.patientId, 1, { memberId: 2, ref: refTo(1) });
      const { firstIndex, count, proof } = await anchorWords(f, [leafWords(leaf)], f.operatorB, 2);
      await expect(supersede(f, f.older, { leaf, firstIndex, count, proof: proof(0) }))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(2, 1);
    });
  });

  describe("when one of the entries is not a record", () => {
    it("should revert with KindForbids", async () => {
      const f = await load();
      for (let kind = 1; kind <= 5; kind++) {
        const [other] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ kind, ref: refTo(1) }));
        await expect(supersede(f, f.older, other!))
          .to.be.revertedWithCustomError(f.records, "KindForbids")
          .withArgs(other!.leaf.index, kind);
        const ref = refTo(other!.leaf.index);
        const [newer] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ ref }));
        await expect(supersede(f, other!, newer!))
          .to.be.revertedWithCustomError(f.records, "KindForbids")
          .withArgs(other!.leaf.index, kind);
      }
    });
  });

  describe("when the newer entry is not the later one", () => {
    it("should revert with NotLater", async () => {
      const f = await load();
      const next = f.newest.leaf.index + 1;
      const [itself] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ ref: refTo(next) }));
      await expect(supersede(f, itself!, itself!))
        .to.be.revertedWithCustomError(f.records, "NotLater")
        .withArgs(next, next);
      const [forward] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ ref: refTo(next + 2) }));
      const [target] = await anchorLeaves(f, f.patient.patientId, 1);
      await expect(supersede(f, target!, forward!))
        .to.be.revertedWithCustomError(f.records, "NotLater")
        .withArgs(next + 1, next + 2);
    });
  });

  describe("when the newer entry does not name the older", () => {
    it("should revert with RefMismatch", async () => {
      const f = await load();
      const refs = [ZeroHash as Ref, refTo(2), refTo(1n + (1n << 64n))];
      for (const ref of refs) {
        const [newer] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ ref }));
        await expect(supersede(f, f.older, newer!))
          .to.be.revertedWithCustomError(f.records, "RefMismatch")
          .withArgs(ref, 1);
      }
    });
  });

  describe("when the entries are of two patients", () => {
    it("should revert with PatientMismatch", async () => {
      const f = await load();
      const other = await registerPatient(f);
      const [newer] = await anchorLeaves(f, other.patientId, 1, () => ({ ref: refTo(1) }));
      await expect(supersede(f, f.older, newer!))
        .to.be.revertedWithCustomError(f.records, "PatientMismatch")
        .withArgs(other.patientId, f.patient.patientId);
    });
  });

  describe("given the older entry is superseded already", () => {
    it("should revert with StatusForbids", async () => {
      const f = await load();
      await supersede(f, f.older, f.newer);
      for (const newer of [f.newer, f.newest]) {
        await expect(supersede(f, f.older, newer))
          .to.be.revertedWithCustomError(f.records, "StatusForbids")
          .withArgs(1, 1, Status.SUPERSEDED);
      }
    });
  });

  describe("given the older entry is retracted", () => {
    it("should revert with StatusForbids", async () => {
      const f = await load();
      await f.records.connect(f.operatorA).retract(f.older);
      await expect(supersede(f, f.older, f.newer))
        .to.be.revertedWithCustomError(f.records, "StatusForbids")
        .withArgs(1, 1, Status.RETRACTED);
    });
  });

  describe("given the older entry is erased", () => {
    it("should revert with StatusForbids", async () => {
      const f = await load();
      await writeStatus(f, 1, 1, Status.ERASED);
      await expect(supersede(f, f.older, f.newer))
        .to.be.revertedWithCustomError(f.records, "StatusForbids")
        .withArgs(1, 1, Status.ERASED);
    });
  });

  describe("given the older entry is held", () => {
    it("should revert with StatusForbids until the hold is lifted", async () => {
      const f = await load();
      const until = await placeHold(f, f.patient.wallet, [f.older]);
      await networkHelpers.time.increaseTo(until + 1);
      await expect(supersede(f, f.older, f.newer))
        .to.be.revertedWithCustomError(f.records, "StatusForbids")
        .withArgs(1, 1, Status.HELD);
      await f.records.connect(f.outsider).liftEndedHold([f.older]);
      await supersede(f, f.older, f.newer);
      expect(await f.records.statusOf(1, 1)).to.equal(Status.SUPERSEDED);
    });
  });

  describe("given the newer entry is held", () => {
    it("should pass: the hold keeps it as it is", async () => {
      const f = await load();
      await placeHold(f, f.patient.wallet, [f.newer]);
      await supersede(f, f.older, f.newer);
      expect(await f.records.statusOf(1, f.newer.leaf.index)).to.equal(Status.HELD);
    });
  });

  describe("given the newer entry is retracted or erased", () => {
    it("should revert with StatusForbids", async () => {
      const f = await load();
      const { index } = f.newer.leaf;
      for (const status of [Status.RETRACTED, Status.ERASED]) {
        await writeStatus(f, 1, index, status);
        await expect(supersede(f, f.older, f.newer))
          .to.be.revertedWithCustomError(f.records, "StatusForbids")
          .withArgs(1, index, status);
      }
    });
  });

  describe("when the newer entry amends a plain one of the same patient", () => {
    it("should emit EntrySuperseded", async () => {
      const f = await load();
      await expect(supersede(f, f.older, f.newer))
        .to.emit(f.records, "EntrySuperseded")
        .withArgs(1, 1, f.patient.patientId, f.newer.leaf.index);
    });

    it("should flag the older entry and no other", async () => {
      const f = await load();
      await supersede(f, f.older, f.newer);
      const statuses = await Promise.all(
        Array.from({ length: 13 }, (_, index) => f.records.statusOf(1, index)),
      );
      expect(statuses).to.deep.equal([0n, 1n, ...Array<bigint>(11).fill(0n)]);
      expect(await f.records.statusOf(2, 1)).to.equal(0);
    });

    it("should let the newer be superseded in turn", async () => {
      const f = await load();
      await supersede(f, f.older, f.newer);
      const [next] = await anchorLeaves(f, f.patient.patientId, 1, () => ({
        ref: refTo(f.newer.leaf.index),
      }));
      await supersede(f, f.newer, next!);
      expect(await f.records.statusOf(1, f.newer.leaf.index)).to.equal(Status.SUPERSEDED);
    });
  });
});
