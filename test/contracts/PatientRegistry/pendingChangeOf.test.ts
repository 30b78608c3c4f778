// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, toBeHex } from "ethers";
import { cancel, complete, pendingSince, propose } from "../changes.js";
import { changeOf, loadWithGuardians } from "../guardians.js";

const INCAPABLE = changeOf("INCAPABLE");
const NONE = [ZeroHash, 0n];

describe("PatientRegistry.pendingChangeOf", () => {
  describe("given no such patient, or no change", () => {
    it("should return zeros", async () => {
      const { patients, holder } = await loadWithGuardians();
      for (const patientId of [toBeHex(1, 32), holder.patientId]) {
        expect(await patients.pendingChangeOf(patientId)).to.deep.equal(NONE);
      }
    });
  });

  describe("given a change is pending", () => {
    it("should return its hash and when it is ready, of this patient alone", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const at = await propose(f, patientId, INCAPABLE);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal(pendingSince(at, INCAPABLE));
      expect(await f.patients.pendingChangeOf(f.ward.patientId)).to.deep.equal(NONE);
    });
  });

  describe("given the change was refused or completed", () => {
    it("should return zeros", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      await propose(f, patientId, INCAPABLE);
      await cancel(f, patientId, signer);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal(NONE);
      await propose(f, patientId, INCAPABLE);
      await complete(f, patientId, INCAPABLE);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal(NONE);
    });
  });
});
