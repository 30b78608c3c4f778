// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { toBeHex } from "ethers";
import { keySigner, networkHelpers } from "../consortium.js";
import { loadWithGuardians, setGuardians, signedGuardianSet } from "../guardians.js";

describe("PatientRegistry.isGuardian", () => {
  describe("given no such patient, or one without guardians", () => {
    it("should be false", async () => {
      const { patients, ward, witnessed } = await loadWithGuardians();
      for (const patientId of [toBeHex(1, 32), witnessed]) {
        expect(await patients.isGuardian(patientId, ward.guardians[0]!.bytes)).to.equal(false);
      }
    });
  });

  describe("when the key is a stranger's, the patient's or another patient's guardian's", () => {
    it("should be false", async () => {
      const { patients, holder, ward } = await loadWithGuardians();
      for (const { bytes } of [keySigner(), holder.signer, ward.guardians[0]!]) {
        expect(await patients.isGuardian(holder.patientId, bytes)).to.equal(false);
      }
      expect(await patients.isGuardian(holder.patientId, "0x")).to.equal(false);
    });
  });

  describe("given a present guardian", () => {
    it("should be true, also after his time", async () => {
      const { patients, ward } = await loadWithGuardians();
      expect(await patients.isGuardian(ward.patientId, ward.guardians[0]!.bytes)).to.equal(true);
      await networkHelpers.time.increaseTo(ward.until + 1);
      expect(await patients.isGuardian(ward.patientId, ward.guardians[0]!.bytes)).to.equal(true);
    });
  });

  describe("given a guardian of a former set", () => {
    it("should be false", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians, group } = f.ward;
      const kept = guardians.slice(0, 1);
      await setGuardians(f, await signedGuardianSet(f, patientId, group, kept));
      expect(await f.patients.isGuardian(patientId, guardians[0]!.bytes)).to.equal(true);
      expect(await f.patients.isGuardian(patientId, guardians[1]!.bytes)).to.equal(false);
    });
  });
});
