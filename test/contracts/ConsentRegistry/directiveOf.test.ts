// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { loadWithPatient } from "../fixtures.js";
import { setDirective } from "../patient-acts.js";

describe("ConsentRegistry.directiveOf", () => {
  describe("given no directive, or no such patient", () => {
    it("should deny nothing and expect nonce zero", async () => {
      const { consents, patient } = await loadWithPatient();
      for (const patientId of [patient.patientId, id("nobody")]) {
        expect(await consents.directiveOf(patientId)).to.deep.equal([false, false, 0n, 0n, 0n]);
      }
    });
  });

  describe("given a directive", () => {
    it("should return it", async () => {
      const f = await loadWithPatient();
      await setDirective(f, f.patient, { denyAll: true, deniedCompartments: 6n });
      expect((await f.consents.directiveOf(f.patient.patientId)).slice(0, 4)).to.deep.equal([
        true,
        false,
        6n,
        1n,
      ]);
    });
  });
});
