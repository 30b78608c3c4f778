// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { keySigner, now } from "../consortium.js";
import { delegation, setDelegate } from "../delegates.js";
import { loadWithGuardians } from "../guardians.js";

describe("PatientRegistry.delegateUntil", () => {
  describe("given the key was never the patient's delegate", () => {
    it("should return zero", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const d = await delegation(f, patientId, signer);
      await setDelegate(f, d);
      expect(await f.patients.delegateUntil(patientId, keySigner().bytes)).to.equal(0);
      expect(await f.patients.delegateUntil(patientId, signer.bytes)).to.equal(0);
      expect(await f.patients.delegateUntil(f.ward.patientId, d.key)).to.equal(0);
    });
  });

  describe("given a delegate", () => {
    it("should return until when, the last that was said", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const delegate = keySigner();
      for (const until of [(await now()) + 7_200, (await now()) + 3_600, 1, 0]) {
        await setDelegate(f, await delegation(f, patientId, signer, delegate, { until }));
        expect(await f.patients.delegateUntil(patientId, delegate.bytes)).to.equal(until);
      }
    });
  });
});
