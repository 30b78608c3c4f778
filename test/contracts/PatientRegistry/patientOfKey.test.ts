// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, concat } from "ethers";
import { KeyUse, keySigner } from "../consortium.js";
import { delegation, setDelegate } from "../delegates.js";
import { loadWithPatient } from "../fixtures.js";
import { loadWithGuardians, setGuardians, signedGuardianSet } from "../guardians.js";

describe("PatientRegistry.patientOfKey", () => {
  describe("given the key serves nobody", () => {
    it("should return zero and no use", async () => {
      const { patients, patient, outsider } = await loadWithPatient();
      for (const signer of [outsider.address, "0x", concat([patient.wallet.address, "0x00"])]) {
        expect(await patients.patientOfKey(signer)).to.deep.equal([ZeroHash, KeyUse.NONE]);
      }
    });
  });

  describe("given the key serves a patient", () => {
    it("should return the patient and the use", async () => {
      const { patients, patient } = await loadWithPatient();
      expect(await patients.patientOfKey(patient.wallet.address)).to.deep.equal([
        patient.patientId,
        KeyUse.SIGNER,
      ]);
    });
  });

  describe("given the key is a guardian's", () => {
    it("should return the patient and the use, also when his set was replaced", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians, group } = f.ward;
      const served = [patientId, KeyUse.GUARDIAN];
      expect(await f.patients.patientOfKey(guardians[2]!.bytes)).to.deep.equal(served);
      await setGuardians(f, await signedGuardianSet(f, patientId, group, []));
      expect(await f.patients.patientOfKey(guardians[2]!.bytes)).to.deep.equal(served);
    });
  });

  describe("given the key is a delegate's", () => {
    it("should return the patient and the use, also when his time was ended", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const delegate = keySigner();
      for (const parts of [{}, { until: 0 }]) {
        await setDelegate(f, await delegation(f, patientId, signer, delegate, parts));
        const served = await f.patients.patientOfKey(delegate.bytes);
        expect(served).to.deep.equal([patientId, KeyUse.DELEGATE]);
      }
    });
  });
});
