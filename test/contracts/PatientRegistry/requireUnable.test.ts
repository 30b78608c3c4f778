// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { toBeHex } from "ethers";
import { carryOut } from "../changes.js";
import { keySigner, nextBlockAt, registerSigner } from "../consortium.js";
import { changeOf, loadWithGuardians, setGuardians, signedGuardianSet } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";

function ask(f: WithGuardians, patientId: string) {
  return f.patients.requireUnable(patientId, { blockTag: "pending" });
}

async function refuses(f: WithGuardians, patientId: string, error: string) {
  await expect(ask(f, patientId)).to.be.revertedWithCustomError(f.patients, error).withArgs(patientId);
}

describe("PatientRegistry.requireUnable", () => {
  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      await refuses(await loadWithGuardians(), toBeHex(1, 32), "PatientUnknown");
    });
  });

  describe("given the patient has a signer", () => {
    it("should revert with PatientCanSign, also while he is incapable and without guardians", async () => {
      const f = await loadWithGuardians();
      const { patientId } = await registerSigner(f, keySigner());
      await refuses(f, patientId, "PatientCanSign");
      await carryOut(f, patientId, changeOf("INCAPABLE"));
      await refuses(f, patientId, "PatientCanSign");
    });
  });

  describe("given guardians stand, until this second", () => {
    it("should revert with PatientCanSign", async () => {
      const f = await loadWithGuardians();
      await refuses(f, f.ward.patientId, "PatientCanSign");
      await nextBlockAt(f.ward.until);
      await refuses(f, f.ward.patientId, "PatientCanSign");
    });
  });

  describe("given the guardians ended a second ago", () => {
    it("should return the custodian", async () => {
      const f = await loadWithGuardians();
      await nextBlockAt(f.ward.until + 1);
      expect(await ask(f, f.ward.patientId)).to.equal(1);
    });
  });

  describe("given the guardians were ended", () => {
    it("should return the custodian", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.ward;
      await setGuardians(f, await signedGuardianSet(f, patientId, group, []));
      expect(await ask(f, patientId)).to.equal(1);
    });
  });

  describe("given the patient has neither signer nor guardians", () => {
    it("should return the custodian, also when he is incapable", async () => {
      const f = await loadWithGuardians();
      expect(await ask(f, f.witnessed)).to.equal(1);
      await nextBlockAt(await carryOut(f, f.witnessed, changeOf("INCAPABLE")));
      expect(await ask(f, f.witnessed)).to.equal(1);
    });
  });

  describe("given a change took the guardians away, and the delay after it ends in a second", () => {
    it("should revert with LoosensLater: witnesses do not loosen sooner than he himself could", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.ward;
      const from = await carryOut(f, patientId, changeOf("GUARDIANS"));
      await nextBlockAt(from - 1);
      await expect(ask(f, patientId))
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, from);
    });
  });

  describe("given a change took the guardians away, and the delay after it ends this second", () => {
    it("should return the custodian", async () => {
      const f = await loadWithGuardians();
      await nextBlockAt(await carryOut(f, f.ward.patientId, changeOf("GUARDIANS")));
      expect(await ask(f, f.ward.patientId)).to.equal(1);
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead, whoever could sign for him", async () => {
      const f = await loadWithGuardians();
      for (const patientId of [f.witnessed, f.ward.patientId, f.holder.patientId]) {
        await carryOut(f, patientId, changeOf("DEAD"));
        await refuses(f, patientId, "PatientIsDead");
      }
    });
  });
});
