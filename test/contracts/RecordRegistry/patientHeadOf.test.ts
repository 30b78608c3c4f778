// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id, toBeHex } from "ethers";
import { anchorLeaves, networkHelpers, registerPatient } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { Ground, erase, eraseAfterRetention, loadAfterRetention, loadWithCertificate } from "../erasures.js";
import { countOf, expectHeadAdvance, headFromLogs } from "../heads.js";
import { foreignEntry, liftHold, loadWithRecords as load, placeHold } from "../holds.js";

/** RecordRegistry as the keeper of a patient's head. */
function keeper({ records }: Consortium) {
  return {
    getAddress: async () => await records.getAddress(),
    headOf: async (patientId: string) => await records.patientHeadOf(patientId),
  };
}

async function expectAdvance(f: Consortium, patientId: string, act: () => Promise<unknown>, events = 1) {
  await expectHeadAdvance(keeper(f), patientId, act, events);
}

describe("RecordRegistry.patientHeadOf", () => {
  describe("given no event about an entry of the patient", () => {
    it("should return zero, whatever was anchored", async () => {
      const f = await load();
      for (const patientId of [f.patient.patientId, id("nobody")])
        expect(await f.records.patientHeadOf(patientId)).to.equal(0);
    });
  });

  describe("when an entry is superseded", () => {
    it("should advance by the event", async () => {
      const f = await load();
      const { patientId } = f.patient;
      const ref = toBeHex(f.earlier[1]!.leaf.index, 32) as `0x${string}`;
      const [newer] = await anchorLeaves(f, patientId, 1, () => ({ ref }));
      const act = () => f.records.connect(f.operatorA).supersede(f.earlier[1]!, newer!);
      await expectAdvance(f, patientId, act);
    });
  });

  describe("when an entry is retracted", () => {
    it("should advance by the event", async () => {
      const f = await load();
      const act = () => f.records.connect(f.operatorA).retract(f.entries[2]!);
      await expectAdvance(f, f.patient.patientId, act);
    });
  });

  describe("when entries are put under a hold", () => {
    it("should advance by the event of each", async () => {
      const f = await load();
      const act = () => placeHold(f, f.patient.wallet, f.entries);
      await expectAdvance(f, f.patient.patientId, act, f.entries.length);
    });
  });

  describe("when a hold is lifted, by both sides or after its end", () => {
    it("should advance by the event of each", async () => {
      const f = await load();
      const { patientId, wallet } = f.patient;
      const [first, ...others] = f.entries;
      const until = await placeHold(f, wallet, f.entries);
      await expectAdvance(f, patientId, () => liftHold(f, wallet, [first!]));
      await networkHelpers.time.increaseTo(until + 1);
      await expectAdvance(f, patientId, () => f.records.liftEndedHold(others), others.length);
    });
  });

  describe("when an entry is erased", () => {
    it("should advance by the event, on every ground", async () => {
      for (const ground of [Ground.PATIENT, Ground.REVIEWER]) {
        const f = await loadWithCertificate();
        await expectAdvance(f, f.patient.patientId, () => erase(f, ground));
      }
      const f = await loadAfterRetention();
      await expectAdvance(f, f.patient.patientId, () => eraseAfterRetention(f));
    });
  });

  describe("when another member retracts an entry under the patient's pseudonym in its own log", () => {
    it("should advance by the event", async () => {
      const f = await load();
      const entry = await foreignEntry(f, f.patient.patientId);
      const act = () => f.records.connect(f.operatorB).retract(entry);
      await expectAdvance(f, f.patient.patientId, act);
    });
  });

  describe("given events about two patients, mixed", () => {
    it("should return for each the head that the raw logs give", async () => {
      const f = await load();
      const other = await registerPatient(f);
      const others = await anchorLeaves(f, other.patientId, 3);
      await placeHold(f, other.wallet, others);
      await f.records.connect(f.operatorA).retract(f.entries[0]!);
      await liftHold(f, other.wallet, others.slice(1));
      await f.records.connect(f.operatorA).retract(f.entries[1]!);
      for (const [patientId, count] of [
        [f.patient.patientId, 2],
        [other.patientId, 5],
      ] as const) {
        const head = await f.records.patientHeadOf(patientId);
        expect(head).to.equal(await headFromLogs(keeper(f), patientId));
        expect(countOf(head)).to.equal(count);
      }
    });
  });
});
