// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, toBeHex } from "ethers";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import { shouldRequireSignature } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import {
  cancel,
  cancellationValue,
  carryOut,
  guardiansProposal,
  propose,
  proposeByGuardians,
  recover,
} from "../changes.js";
import { domain, keySigner, networkHelpers, nextBlockAt, registerSigner } from "../consortium.js";
import { CANCELLATION_TYPES, changeHashOf, changeOf, loadWithGuardians, signFor } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

const INCAPABLE = changeOf("INCAPABLE");
const DEAD = changeOf("DEAD");

/** INCAPABLE proposed for the patient, and what refuses it. */
async function refusal(f: WithGuardians, patientId: string): Promise<SignedAct> {
  await propose(f, patientId, INCAPABLE);
  return {
    patientId,
    domain: await domain(f.patients, "PatientRegistry"),
    types: CANCELLATION_TYPES,
    value: await cancellationValue(f, patientId),
    act: (signature) => f.patients.connect(f.relay).cancelChange(patientId, signature),
  };
}

async function isRefused(f: WithGuardians, patientId: string, sending: Promise<unknown>) {
  await expect(sending).to.be.revertedWithCustomError(f.patients, "SignatureInvalid").withArgs(patientId);
}

describe("PatientRegistry.cancelChange", () => {
  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithGuardians();
      await expect(f.patients.cancelChange(toBeHex(1, 32), "0x"))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(toBeHex(1, 32));
    });
  });

  describe("given no change is pending", () => {
    it("should revert with ChangeUnknown", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      await expect(cancel(f, patientId, signer))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(patientId, ZeroHash);
    });
  });

  shouldRequireSignature(loadWithGuardians, async (f, signer) =>
    refusal(f, (await registerSigner(f, signer)).patientId),
  );

  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => refusal(f, ward.patientId),
  });

  shouldRequireObjector();
  shouldRequireThisChange();
  shouldCancel();
});

function shouldRequireObjector(): void {
  describe("given the patient has neither signer nor guardians", () => {
    it("should revert with PatientHasNoSigner", async () => {
      const f = await loadWithGuardians();
      const { act } = await refusal(f, f.witnessed);
      await expect(act("0x"))
        .to.be.revertedWithCustomError(f.patients, "PatientHasNoSigner")
        .withArgs(f.witnessed);
    });
  });

  describe("given the patient has a signer", () => {
    it("should revert with SignatureInvalid when his guardians refuse", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.holder;
      await propose(f, patientId, INCAPABLE);
      await isRefused(f, patientId, cancel(f, patientId, group));
    });
  });

  describe("given the patient is said to be incapable or dead", () => {
    it("should pass with his own signature, and not with his guardians'", async () => {
      for (const said of [INCAPABLE, DEAD]) {
        const f = await loadWithGuardians();
        const { patientId, signer, group } = f.holder;
        await carryOut(f, patientId, said);
        await propose(f, patientId, changeOf("GUARDIANS"));
        await isRefused(f, patientId, cancel(f, patientId, group));
        await cancel(f, patientId, signer);
      }
    });
  });

  describe("when a thief with a new key proposed by false guardians is refused by the holder", () => {
    it("should leave the holder's key, and the thief's serving nobody", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer, group } = f.holder;
      const thief = keySigner();
      const change = changeOf("SIGNER", { keys: [thief.bytes] });
      await proposeByGuardians(f, await guardiansProposal(f, patientId, group, change, { holders: [thief] }));
      await isRefused(f, patientId, cancel(f, patientId, thief));
      await cancel(f, patientId, signer);
      expect((await f.patients.patientOf(patientId)).signer).to.equal(signer.bytes);
      expect((await f.patients.patientOfKey(thief.bytes)).patientId).to.equal(ZeroHash);
      await networkHelpers.time.increase(30 * 86_400);
      await expect(f.patients.completeChange(patientId, change))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(patientId, ZeroHash);
    });
  });

  describe("given the key was recovered", () => {
    it("should revert with SignatureInvalid when the former key refuses", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      await recover(f, patientId, keySigner());
      await propose(f, patientId, INCAPABLE);
      await isRefused(f, patientId, cancel(f, patientId, signer));
    });
  });
}

function shouldRequireThisChange(): void {
  describe("when the refusal was of an earlier proposal of the same change", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const { types, value, act } = await refusal(f, patientId);
      const signature = await signFor(f, signer, types, value);
      await act(signature);
      await propose(f, patientId, INCAPABLE);
      await isRefused(f, patientId, act(signature));
    });
  });

  describe("when the refusal is of another change or another time", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const { types, value, act } = await refusal(f, patientId);
      for (const other of [
        { ...value, changeHash: changeHashOf(DEAD) },
        { ...value, readyAt: 0 },
        { ...value, patientId: f.ward.patientId },
      ]) {
        await isRefused(f, patientId, act(await signFor(f, signer, types, other)));
      }
    });
  });
}

function shouldCancel(): void {
  describe("when who signs refuses", () => {
    it("should emit ChangeCancelled, not withdrawn", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const { types, value, act } = await refusal(f, patientId);
      const signature = await signFor(f, signer, types, value);
      const at = await nextBlockAt();
      await expect(act(signature))
        .to.emit(f.patients, "ChangeCancelled")
        .withArgs(patientId, changeHashOf(INCAPABLE), false, at);
    });

    it("should forget the change, and let another be proposed", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      await propose(f, patientId, INCAPABLE);
      const before = await f.patients.patientOf(patientId);
      await cancel(f, patientId, signer);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal([ZeroHash, 0n]);
      expect(await f.patients.patientOf(patientId)).to.deep.equal(before);
      await propose(f, patientId, DEAD);
    });

    it("should pass after the delay too, until the change is completed", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      await propose(f, patientId, INCAPABLE);
      await networkHelpers.time.increase(30 * 86_400);
      await cancel(f, patientId, signer);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      await propose(f, patientId, INCAPABLE);
      await expectHeadAdvance(f.patients, patientId, () => cancel(f, patientId, signer));
    });
  });
}
