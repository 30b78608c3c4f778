// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash } from "ethers";
import { cancel, carryOut, complete, guardiansProposal, propose, proposeByGuardians } from "../changes.js";
import { KeyUse, RECOVERY_DELAY, YEAR, keySigner, nextBlockAt, now } from "../consortium.js";
import {
  Condition,
  changeHashOf,
  changeOf,
  loadWithGuardians,
  newGuardians,
  setGuardians,
  signedGuardianSet,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

const INCAPABLE = changeOf("INCAPABLE");

function send(f: WithGuardians, patientId: string, change = INCAPABLE) {
  return f.patients.connect(f.outsider).completeChange(patientId, change);
}

/** The holder's INCAPABLE, proposed; and when it is ready. */
async function pending() {
  const f = await loadWithGuardians();
  const { patientId } = f.holder;
  return { f, patientId, readyAt: (await propose(f, patientId, INCAPABLE)) + RECOVERY_DELAY };
}

describe("PatientRegistry.completeChange", () => {
  describe("given no change is pending, or no such patient", () => {
    it("should revert with ChangeUnknown", async () => {
      const f = await loadWithGuardians();
      for (const patientId of [f.holder.patientId, changeHashOf(INCAPABLE)]) {
        await expect(send(f, patientId))
          .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
          .withArgs(patientId, ZeroHash);
      }
    });
  });

  describe("when the change is another than the pending one", () => {
    it("should revert with ChangeUnknown, whatever differs", async () => {
      const { f, patientId, readyAt } = await pending();
      for (const other of [
        changeOf("DEAD"),
        { ...INCAPABLE, document: ZeroHash },
        { ...INCAPABLE, keys: [keySigner().bytes] },
        { ...INCAPABLE, threshold: 1 },
        { ...INCAPABLE, until: 1 },
      ]) {
        await nextBlockAt(readyAt);
        await expect(send(f, patientId, other))
          .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
          .withArgs(patientId, changeHashOf(other));
      }
    });

    it("should revert with ChangeUnknown when a thief puts his key in the place of the recovered one", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const [fresh, thief] = newGuardians(2);
      await propose(f, patientId, changeOf("SIGNER", { keys: [fresh!.bytes] }), [fresh!]);
      const swapped = changeOf("SIGNER", { keys: [thief!.bytes] });
      await nextBlockAt(Number((await f.patients.pendingChangeOf(patientId)).readyAt));
      await expect(send(f, patientId, swapped))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(patientId, changeHashOf(swapped));
    });
  });

  describe("given the change is pending for another patient", () => {
    it("should revert with ChangeUnknown", async () => {
      const { f, readyAt } = await pending();
      await nextBlockAt(readyAt);
      await expect(send(f, f.ward.patientId))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(f.ward.patientId, ZeroHash);
    });
  });

  describe("given the delay ends in a second", () => {
    it("should revert with ChangeNotReady", async () => {
      const { f, patientId, readyAt } = await pending();
      await nextBlockAt(readyAt - 1);
      await expect(send(f, patientId))
        .to.be.revertedWithCustomError(f.patients, "ChangeNotReady")
        .withArgs(patientId, readyAt);
    });
  });

  describe("given the change was refused", () => {
    it("should revert with ChangeUnknown", async () => {
      const { f, patientId, readyAt } = await pending();
      await cancel(f, patientId, f.holder.signer);
      await nextBlockAt(readyAt);
      await expect(send(f, patientId))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(patientId, ZeroHash);
    });
  });

  describe("given the change is completed already", () => {
    it("should revert with ChangeUnknown", async () => {
      const { f, patientId } = await pending();
      await complete(f, patientId, INCAPABLE);
      await expect(send(f, patientId))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(patientId, ZeroHash);
    });
  });

  shouldLookAgain();
  shouldApply();
});

function shouldLookAgain(): void {
  describe("given the new key came to serve for something else while the change waited", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const key = keySigner();
      const change = changeOf("SIGNER", { keys: [key.bytes] });
      await propose(f, patientId, change, [key]);
      await setGuardians(f, await signedGuardianSet(f, patientId, signer, [key]));
      await nextBlockAt((await now()) + RECOVERY_DELAY);
      await expect(send(f, patientId, change))
        .to.be.revertedWithCustomError(f.patients, "KeyInUse")
        .withArgs(key.bytes, patientId);
    });
  });

  describe("given the guardians' time ended while the change waited", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const guardian = keySigner();
      const until = (await now()) + 3_600;
      const change = changeOf("GUARDIANS", { keys: [guardian.bytes], threshold: 1, until });
      await propose(f, patientId, change, [guardian]);
      await expect(complete(f, patientId, change))
        .to.be.revertedWithCustomError(f.patients, "DeadlinePassed")
        .withArgs(until);
    });
  });
}

function shouldApply(): void {
  describe("when anyone completes the change in the second it is ready", () => {
    it("should emit ChangeCompleted", async () => {
      const { f, patientId, readyAt } = await pending();
      await nextBlockAt(readyAt);
      await expect(send(f, patientId))
        .to.emit(f.patients, "ChangeCompleted")
        .withArgs(patientId, changeHashOf(INCAPABLE), readyAt);
    });

    it("should forget the pending change and let nothing loosen for one more delay", async () => {
      const { f, patientId } = await pending();
      const at = await complete(f, patientId, INCAPABLE);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal([ZeroHash, 0n]);
      expect((await f.patients.patientOf(patientId)).loosensFrom).to.equal(at + RECOVERY_DELAY);
    });

    it("should advance the patient's head by its event", async () => {
      const { f, patientId } = await pending();
      await expectHeadAdvance(f.patients, patientId, () => complete(f, patientId, INCAPABLE));
    });
  });

  describe("when it is a condition", () => {
    it("should store it, and keep key and guardians", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      for (const kind of ["INCAPABLE", "DEAD", "CAPABLE"] as const) {
        await carryOut(f, patientId, changeOf(kind));
        const patient = await f.patients.patientOf(patientId);
        expect(patient.condition).to.equal(Condition[kind]);
        expect([patient.signer, patient.threshold, patient.guardianEpoch]).to.deep.equal([
          signer.bytes,
          2n,
          1n,
        ]);
      }
    });
  });

  describe("when it is a signer", () => {
    it("should store and claim the new key, and keep the old one this patient's", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer, group } = f.holder;
      const fresh = keySigner();
      const change = changeOf("SIGNER", { keys: [fresh.bytes] });
      await proposeByGuardians(f, await guardiansProposal(f, patientId, group, change, { holders: [fresh] }));
      await complete(f, patientId, change);
      expect((await f.patients.patientOf(patientId)).signer).to.equal(fresh.bytes);
      for (const { bytes } of [fresh, signer]) {
        expect(await f.patients.patientOfKey(bytes)).to.deep.equal([patientId, KeyUse.SIGNER]);
      }
    });
  });

  describe("when it is guardians", () => {
    it("should put the whole set in the place of the former one", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians } = f.holder;
      const appointed = newGuardians(2);
      const keys = appointed.map(({ bytes }) => bytes);
      const until = (await now()) + YEAR;
      const change = changeOf("GUARDIANS", { keys, threshold: 1, until });
      await propose(f, patientId, change, appointed);
      const at = Number((await f.patients.pendingChangeOf(patientId)).readyAt);
      await nextBlockAt(at);
      await expect(send(f, patientId, change))
        .to.emit(f.patients, "GuardiansSet")
        .withArgs(patientId, 2, keys, 1, until, at);
      for (const key of keys) expect(await f.patients.isGuardian(patientId, key)).to.equal(true);
      for (const { bytes } of guardians) {
        expect(await f.patients.isGuardian(patientId, bytes)).to.equal(false);
      }
    });
  });
}
