// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { requestRecords, requestScope } from "../accesses.js";
import { anchorLeaves, registerPatient } from "../consortium.js";
import { grantTerms, loadWithGrant } from "../fixtures.js";
import { countOf, headFromLogs } from "../heads.js";

describe("AccessLog.headOf", () => {
  describe("given no access to the patient's records", () => {
    it("should return zero", async () => {
      const { accessLog, patient } = await loadWithGrant();
      for (const patientId of [patient.patientId, id("nobody")])
        expect(await accessLog.headOf(patientId)).to.equal(0);
    });
  });

  describe("given accesses of both sorts to two patients, mixed", () => {
    it("should return for each the head that the raw logs give", async () => {
      const f = await loadWithGrant();
      const patient = await registerPatient(f);
      const { terms } = await grantTerms(f, patient);
      const entries = await anchorLeaves(f, patient.patientId, 2);
      await requestRecords(f, f.entries);
      await requestRecords(f, entries, { terms });
      await requestScope(f, {}, {});
      await requestScope(f, {}, { terms });
      await requestRecords(f, f.earlier);
      for (const [{ patientId }, count] of [
        [f.patient, 3],
        [patient, 2],
      ] as const) {
        const head = await f.accessLog.headOf(patientId);
        expect(head).to.equal(await headFromLogs(f.accessLog, patientId));
        expect(countOf(head)).to.equal(count);
      }
    });
  });
});
