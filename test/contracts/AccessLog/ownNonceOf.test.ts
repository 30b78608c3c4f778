// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { requestScope } from "../accesses.js";
import { registerPatient } from "../consortium.js";
import { loadWithGrant } from "../fixtures.js";
import { requestOwn } from "../own-requests.js";

describe("AccessLog.ownNonceOf", () => {
  describe("given no own request of the patient", () => {
    it("should return zero, whatever others requested", async () => {
      const f = await loadWithGrant();
      const other = await registerPatient(f);
      await requestScope(f);
      await requestOwn(f, other);
      for (const patientId of [f.patient.patientId, id("nobody")])
        expect(await f.accessLog.ownNonceOf(patientId)).to.equal(0);
    });
  });

  describe("given own requests of the patient", () => {
    it("should count them", async () => {
      const f = await loadWithGrant();
      for (const count of [1, 2]) {
        await requestOwn(f, f.patient);
        expect(await f.accessLog.ownNonceOf(f.patient.patientId)).to.equal(count);
      }
    });
  });
});
