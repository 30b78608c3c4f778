// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { LeafKind } from "../../../src/crypto/index.js";
import type { Hex } from "../../../src/crypto/index.js";
import { accessAt, accessIdOf, rawRecordsRequest, requestRecords } from "../accesses.js";
import { shouldKnowOtherBases } from "../behaviours/bases.js";
import { shouldRequireAnchored } from "../behaviours/inclusion.js";
import { shouldRequireReader } from "../behaviours/reader.js";
import {
  ALL_COMPARTMENTS,
  Purpose,
  Status,
  anchorLeaves,
  anchorWords,
  ethers,
  leafFor,
  leafWords,
  nextBlockAt,
  registerPatient,
} from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { callDirtied, dirtied } from "../dirty-words.js";
import { grantTerms, loadWithGrant } from "../fixtures.js";
import type { WithGrant } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import { setDirective } from "../patient-acts.js";
import { writeStatus } from "../status-slots.js";

const MOST_ENTRIES = 64;

/** One more entry of the patient in hospital A's log. */
async function anchorOne(f: WithGrant, changes: Parameters<typeof leafFor>[2]): Promise<TestEntry> {
  const [entry] = await anchorLeaves(f, f.patient.patientId, 1, () => changes ?? {});
  return entry!;
}

describe("AccessLog.requestRecords", () => {
  shouldRequireReader({
    act: (f, request) => requestRecords(f, [f.entries[2]!], request),
    raw: (f) => rawRecordsRequest(f, f.entries[2]!),
  });

  shouldKnowOtherBases({
    act: (f, request) => requestRecords(f, [f.entries[2]!], request),
    event: "RecordsRequested",
    told: (f) => [[f.entries[2]!.leaf.index]],
    refused: (f, permitted) => ({
      error: "CompartmentNotPermitted",
      args: [f.entries[2]!.leaf.index, 0, permitted],
    }),
  });

  shouldRequireAnchored({
    load: loadWithGrant,
    act: (f, entry) => requestRecords(f, [entry]),
    raw: rawRecordsRequest,
    unreadFields: ["patientSeq"],
  });

  describe("when there are no entries", () => {
    it("should revert with NoEntries", async () => {
      const f = await loadWithGrant();
      await expect(requestRecords(f, [])).to.be.revertedWithCustomError(f.accessLog, "NoEntries");
    });
  });

  describe("when there are more than 64 entries", () => {
    it("should revert with TooManyEntries", async () => {
      const f = await loadWithGrant();
      const entries = Array<TestEntry>(MOST_ENTRIES + 1).fill(f.entries[2]!);
      await expect(requestRecords(f, entries))
        .to.be.revertedWithCustomError(f.accessLog, "TooManyEntries")
        .withArgs(MOST_ENTRIES + 1, MOST_ENTRIES);
    });
  });

  describe("when a leaf of the patient stands in another member's log", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await loadWithGrant();
      const leaf = leafFor(f.patient.patientId, 1, { memberId: 2 });
      const { firstIndex, count, proof } = await anchorWords(f, [leafWords(leaf)], f.operatorB, 2);
      await expect(requestRecords(f, [{ leaf, firstIndex, count, proof: proof(0) }]))
        .to.be.revertedWithCustomError(f.accessLog, "LeafOfAnotherMember")
        .withArgs(1, 2, 1);
    });
  });

  describe("when another member anchored a leaf that names the custodian", () => {
    it("should revert with BatchUnknown", async () => {
      const f = await loadWithGrant();
      const leaf = leafFor(f.patient.patientId, 1);
      const { firstIndex, count, proof } = await anchorWords(f, [leafWords(leaf)], f.operatorB, 2);
      await expect(requestRecords(f, [{ leaf, firstIndex, count, proof: proof(0) }]))
        .to.be.revertedWithCustomError(f.records, "BatchUnknown")
        .withArgs(1, 1, 1);
    });
  });

  describe("when a leaf is of another patient of the custodian", () => {
    it("should revert with LeafOfAnotherPatient", async () => {
      const f = await loadWithGrant();
      const other = await registerPatient(f);
      const entry = await anchorOne(f, { patientId: other.patientId as Hex });
      await expect(requestRecords(f, [entry]))
        .to.be.revertedWithCustomError(f.accessLog, "LeafOfAnotherPatient")
        .withArgs(entry.leaf.index, other.patientId, f.patient.patientId);
    });
  });

  describe("when a leaf is not a record", () => {
    it("should revert with KindNotReadable", async () => {
      const f = await loadWithGrant();
      const kinds = Object.values(LeafKind).filter((kind) => kind !== LeafKind.RECORD);
      for (const kind of [...kinds, 6, 255]) {
        const entry = await anchorOne(f, { kind });
        await expect(requestRecords(f, [entry]))
          .to.be.revertedWithCustomError(f.accessLog, "KindNotReadable")
          .withArgs(entry.leaf.index, kind);
      }
    });
  });

  describe("when a leaf's compartment is not granted", () => {
    it("should revert with CompartmentNotPermitted", async () => {
      const f = await loadWithGrant();
      const compartments = (1n << 3n) | (1n << 63n);
      const { terms } = await grantTerms(f, f.patient, { compartments });
      for (const compartment of [0, 2, 4, 62]) {
        const entry = await anchorOne(f, { compartment });
        await expect(requestRecords(f, [entry], { terms }))
          .to.be.revertedWithCustomError(f.accessLog, "CompartmentNotPermitted")
          .withArgs(entry.leaf.index, compartment, compartments);
      }
    });
  });

  describe("when a leaf's compartment is past 63", () => {
    it("should revert with CompartmentNotPermitted", async () => {
      const f = await loadWithGrant();
      for (const compartment of [64, 65, 127, 128, 255]) {
        const entry = await anchorOne(f, { compartment });
        await expect(requestRecords(f, [entry]))
          .to.be.revertedWithCustomError(f.accessLog, "CompartmentNotPermitted")
          .withArgs(entry.leaf.index, compartment, ALL_COMPARTMENTS);
      }
    });
  });

  describe("given the patient's directive denies the leaf's compartment", () => {
    it("should revert with CompartmentNotPermitted until a later directive allows it", async () => {
      const f = await loadWithGrant();
      const entry = await anchorOne(f, { compartment: 7 });
      await setDirective(f, f.patient, { deniedCompartments: 1n << 7n });
      await expect(requestRecords(f, [entry]))
        .to.be.revertedWithCustomError(f.accessLog, "CompartmentNotPermitted")
        .withArgs(entry.leaf.index, 7, ALL_COMPARTMENTS & ~(1n << 7n));
      await requestRecords(f, [f.entries[2]!]);
      await setDirective(f, f.patient, { deniedCompartments: 1n << 8n });
      await requestRecords(f, [entry]);
    });
  });

  describe("when a leaf was recorded a day before or after the granted days", () => {
    it("should revert with DayNotGranted", async () => {
      const f = await loadWithGrant();
      const { terms } = await grantTerms(f, f.patient, { recordedFrom: 100, recordedTo: 200 });
      for (const recordedDay of [99, 201]) {
        const entry = await anchorOne(f, { recordedDay });
        await expect(requestRecords(f, [entry], { terms }))
          .to.be.revertedWithCustomError(f.accessLog, "DayNotGranted")
          .withArgs(entry.leaf.index, recordedDay, 100, 200);
      }
    });
  });

  describe("when a leaf lies on the first or last granted day or compartment", () => {
    it("should pass", async () => {
      const f = await loadWithGrant();
      const bounds = { recordedFrom: 100, recordedTo: 200, compartments: (1n << 63n) | 1n };
      const { terms } = await grantTerms(f, f.patient, bounds);
      for (const [recordedDay, compartment] of [
        [100, 0],
        [200, 63],
      ] as const) {
        await requestRecords(f, [await anchorOne(f, { recordedDay, compartment })], { terms });
      }
    });
  });

  describe("given an entry was retracted", () => {
    it("should revert with EntryWithdrawn", async () => {
      const f = await loadWithGrant();
      const entry = f.entries[2]!;
      await f.records.connect(f.operatorA).retract(entry);
      await expect(requestRecords(f, [f.entries[1]!, entry]))
        .to.be.revertedWithCustomError(f.accessLog, "EntryWithdrawn")
        .withArgs(entry.leaf.index, Status.RETRACTED);
    });
  });

  describe("given an entry was erased", () => {
    it("should revert with EntryWithdrawn", async () => {
      const f = await loadWithGrant();
      const { index } = f.entries[2]!.leaf;
      for (const status of [Status.ERASED, Status.ERASED | Status.SUPERSEDED, Status.ERASED | Status.HELD]) {
        await writeStatus(f, 1, index, status);
        await expect(requestRecords(f, [f.entries[2]!]))
          .to.be.revertedWithCustomError(f.accessLog, "EntryWithdrawn")
          .withArgs(index, status);
      }
    });
  });

  describe("given an entry is superseded or held", () => {
    it("should pass", async () => {
      const f = await loadWithGrant();
      for (const status of [Status.SUPERSEDED, Status.HELD]) {
        await writeStatus(f, 1, f.entries[2]!.leaf.index, status);
        await requestRecords(f, [f.entries[2]!]);
      }
    });
  });

  describe("given the custodian anchored a leaf with bits outside a type that is read", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithGrant();
      for (const word of [0, 1, 2, 3, 4, 5]) {
        const clean = leafFor(f.patient.patientId, Number(await f.records.headOf(1)) + 1);
        // dirtied() counts words behind a selector.
        const words = `0x${dirtied(`0x00000000${leafWords(clean).slice(2)}`, word).slice(10)}`;
        const { firstIndex, count, proof } = await anchorWords(f, [words]);
        const raw = await rawRecordsRequest(f, { leaf: clean, firstIndex, count, proof: proof(0) });
        await expect(callDirtied(raw, raw.leafWord + word), `word ${word}`).to.be.revertedWithoutReason(
          ethers,
        );
      }
    });
  });

  describe("when one of many entries is refused", () => {
    it("should revert and leave no trace", async () => {
      const f = await loadWithGrant();
      const other = await registerPatient(f);
      const wrong = await anchorOne(f, { patientId: other.patientId as Hex });
      await expect(requestRecords(f, [...f.entries, wrong]))
        .to.be.revertedWithCustomError(f.accessLog, "LeafOfAnotherPatient")
        .withArgs(wrong.leaf.index, other.patientId, f.patient.patientId);
      expect(await f.accessLog.headOf(f.patient.patientId)).to.equal(0);
    });
  });

  describe("when every entry may be read", () => {
    it("should emit RecordsRequested with reader, basis, purpose, time and indices", async () => {
      const f = await loadWithGrant();
      const requestedAt = await nextBlockAt();
      await expect(requestRecords(f, [f.entries[2]!]))
        .to.emit(f.accessLog, "RecordsRequested")
        .withArgs(
          await accessIdOf(f, 1),
          f.patient.patientId,
          f.clinicianB.address,
          accessAt(f, requestedAt),
          [f.entries[2]!.leaf.index],
        );
    });

    it("should return the access id, another for each request of the patient", async () => {
      const f = await loadWithGrant();
      for (const count of [1, 2]) {
        const accessId = await f.accessLog
          .connect(f.clinicianB)
          .requestRecords.staticCall(f.terms, Purpose.TREAT, [f.entries[2]!]);
        expect(accessId).to.equal(await accessIdOf(f, count));
        await requestRecords(f, [f.entries[2]!]);
      }
    });

    it("should take entries of several batches in any order", async () => {
      const f = await loadWithGrant();
      const many = await anchorLeaves(f, f.patient.patientId, 1_000);
      const entries = [many[999]!, f.earlier[0]!, f.entries[6]!, many[0]!, f.earlier[2]!];
      const requestedAt = await nextBlockAt();
      await expect(requestRecords(f, entries))
        .to.emit(f.accessLog, "RecordsRequested")
        .withArgs(
          await accessIdOf(f, 1),
          f.patient.patientId,
          f.clinicianB.address,
          accessAt(f, requestedAt),
          entries.map(({ leaf }) => leaf.index),
        );
    });

    it("should take 64 entries", async () => {
      const f = await loadWithGrant();
      await requestRecords(f, await anchorLeaves(f, f.patient.patientId, MOST_ENTRIES));
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGrant();
      for (const entries of [[f.entries[2]!], f.entries, [...f.earlier, ...f.entries]]) {
        await expectHeadAdvance(f.accessLog, f.patient.patientId, () => requestRecords(f, entries));
      }
    });
  });
});
