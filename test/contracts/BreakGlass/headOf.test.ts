// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { registerPatient } from "../consortium.js";
import { STATEMENT, flagOverdue, loadWithEmergencies as load, openWindow } from "../emergencies.js";
import { countOf, headFromLogs } from "../heads.js";

describe("BreakGlass.headOf", () => {
  describe("given nothing happened to the patient", () => {
    it("should be zero", async () => {
      const f = await load();
      expect(await f.emergencies.headOf(f.patient.patientId)).to.equal(0);
    });
  });

  describe("given a window was opened, flagged, justified and reviewed", () => {
    it("should count and digest all four, between another patient's", async () => {
      const f = await load();
      const other = await registerPatient(f);
      const window = await openWindow(f);
      await openWindow(f, f.thirdB, f.fourthB, { patientId: other.patientId });
      await flagOverdue(f, window);
      await f.emergencies.connect(f.reviewerB).justify(window.windowId, STATEMENT);
      await f.emergencies.connect(f.reviewerA).review(window.windowId, 1, STATEMENT);
      for (const [patientId, count] of [
        [f.patient.patientId, 4n],
        [other.patientId, 1n],
      ] as const) {
        const head = await f.emergencies.headOf(patientId);
        expect(countOf(head)).to.equal(count);
        expect(head).to.equal(await headFromLogs(f.emergencies, patientId));
      }
    });
  });
});
