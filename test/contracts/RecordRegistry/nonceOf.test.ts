// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { networkHelpers, registerPatient } from "../consortium.js";
import { liftHold, loadWithRecords as load, placeHold } from "../holds.js";

describe("RecordRegistry.nonceOf", () => {
  describe("given the patient signed no hold", () => {
    it("should return zero, also for nobody", async () => {
      const f = await load();
      for (const patientId of [f.patient.patientId, id("nobody")]) {
        expect(await f.records.nonceOf(patientId)).to.equal(0);
      }
    });
  });

  describe("given the patient signed holds and lifts", () => {
    it("should count both, for him alone", async () => {
      const f = await load();
      const other = await registerPatient(f);
      await placeHold(f, f.patient.wallet, f.entries);
      expect(await f.records.nonceOf(f.patient.patientId)).to.equal(1);
      await liftHold(f, f.patient.wallet, f.entries);
      expect(await f.records.nonceOf(f.patient.patientId)).to.equal(2);
      expect(await f.records.nonceOf(other.patientId)).to.equal(0);
    });
  });

  describe("when a hold is refused, or lifted because it ended", () => {
    it("should not count", async () => {
      const f = await load();
      const until = await placeHold(f, f.patient.wallet, f.entries);
      await expect(placeHold(f, f.patient.wallet, f.entries, { nonce: 7n })).to.be.revertedWithCustomError(
        f.patients,
        "SignatureInvalid",
      );
      await networkHelpers.time.increaseTo(until + 1);
      await f.records.liftEndedHold(f.entries);
      expect(await f.records.nonceOf(f.patient.patientId)).to.equal(1);
    });
  });
});
