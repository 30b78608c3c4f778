// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { TypedDataEncoder, id, toBeHex } from "ethers";
import { shouldRequireSignature } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import { carryOut, recover } from "../changes.js";
import { YEAR, domain, keySigner, nextBlockAt, now } from "../consortium.js";
import type { PatientSigner } from "../consortium.js";
import { delegation, setDelegate } from "../delegates.js";
import { changeOf, loadWithGuardians } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";

const DIGEST = id("any digest");
const TYPES = { Statement: [{ name: "text", type: "string" }] };

/** A statement that `delegate` is to sign for the patient. */
async function statement(
  f: WithGuardians,
  patientId: string,
  delegate: PatientSigner,
  loosens: boolean,
): Promise<SignedAct> {
  const text = {
    domain: await domain(f.consents, "ConsentRegistry"),
    types: TYPES,
    value: { text: "yes" },
  };
  const digest = TypedDataEncoder.hash(text.domain, text.types, text.value);
  const pending = { blockTag: "pending" };
  return {
    patientId,
    ...text,
    act: (signature) =>
      f.patients.requireDelegate(patientId, digest, delegate.bytes, signature, loosens, pending),
  };
}

async function ask(f: WithGuardians, patientId: string, delegate: PatientSigner, loosens = true) {
  const { act, domain: where, types, value } = await statement(f, patientId, delegate, loosens);
  return await act(await delegate.signTypedData(where, types, value));
}

/** The holder with a delegate, for a year if not said; and until when, in Unix seconds. */
async function withDelegate(lasting = YEAR) {
  const f = await loadWithGuardians();
  const { patientId, signer } = f.holder;
  const delegate = keySigner();
  const d = await delegation(f, patientId, signer, delegate, { until: (await now()) + lasting });
  await setDelegate(f, d);
  return { f, patientId, signer, delegate, until: d.until };
}

async function isNoDelegate(f: WithGuardians, patientId: string, delegate: PatientSigner, until: number) {
  for (const loosens of [true, false]) {
    await expect(ask(f, patientId, delegate, loosens))
      .to.be.revertedWithCustomError(f.patients, "NotDelegate")
      .withArgs(patientId, delegate.bytes, until);
  }
}

describe("PatientRegistry.requireDelegate", () => {
  shouldRequireSignature(loadWithGuardians, async (f, delegate) => {
    const { patientId, signer } = f.holder;
    await setDelegate(f, await delegation(f, patientId, signer, delegate));
    return await statement(f, patientId, delegate, true);
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const { patients } = await loadWithGuardians();
      await expect(patients.requireDelegate(toBeHex(1, 32), DIGEST, "0x", "0x", false))
        .to.be.revertedWithCustomError(patients, "PatientUnknown")
        .withArgs(toBeHex(1, 32));
    });
  });

  describe("when a stranger, the patient, his guardian or another patient's delegate signs", () => {
    it("should revert with NotDelegate", async () => {
      const { f, patientId, signer, delegate } = await withDelegate();
      for (const other of [keySigner(), signer, f.holder.guardians[0]!]) {
        await isNoDelegate(f, patientId, other, 0);
      }
      await isNoDelegate(f, f.ward.patientId, delegate, 0);
    });
  });

  describe("when another key signs in the delegate's name", () => {
    it("should revert with SignatureInvalid", async () => {
      const { f, patientId, signer, delegate } = await withDelegate();
      const forged = { ...signer, bytes: delegate.bytes };
      await expect(ask(f, patientId, forged))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });

  describe("given the delegate's time ended a second ago", () => {
    it("should revert with NotDelegate", async () => {
      const { f, patientId, delegate, until } = await withDelegate(7_200);
      await nextBlockAt(until + 1);
      await isNoDelegate(f, patientId, delegate, until);
    });
  });

  describe("given the delegate's time ends this second", () => {
    it("should return the custodian", async () => {
      const { f, patientId, delegate, until } = await withDelegate(7_200);
      await nextBlockAt(until);
      expect(await ask(f, patientId, delegate)).to.equal(1);
    });
  });

  describe("given the delegation was ended", () => {
    it("should revert with NotDelegate", async () => {
      const { f, patientId, signer, delegate } = await withDelegate();
      await setDelegate(f, await delegation(f, patientId, signer, delegate, { until: 0 }));
      await isNoDelegate(f, patientId, delegate, 0);
    });
  });

  describe("given a delegate whose time lasts", () => {
    it("should return the custodian, whether the act loosens or not", async () => {
      const { f, patientId, delegate } = await withDelegate();
      for (const loosens of [true, false]) {
        expect(await ask(f, patientId, delegate, loosens)).to.equal(1);
      }
    });
  });

  describe("given a delegate named by guardians", () => {
    it("should return the custodian", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.ward;
      const delegate = keySigner();
      await setDelegate(f, await delegation(f, patientId, group, delegate));
      expect(await ask(f, patientId, delegate)).to.equal(1);
    });
  });

  describe("given the patient's key was recovered", () => {
    it("should revert with LoosensLater for an act that loosens, until exactly loosensFrom", async () => {
      const { f, patientId, delegate } = await withDelegate();
      const from = await recover(f, patientId, keySigner());
      await nextBlockAt(from - 1);
      await expect(ask(f, patientId, delegate, true))
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, from);
      await nextBlockAt(from);
      expect(await ask(f, patientId, delegate, true)).to.equal(1);
    });

    it("should return the custodian for an act that does not loosen", async () => {
      const { f, patientId, delegate } = await withDelegate();
      await recover(f, patientId, keySigner());
      expect(await ask(f, patientId, delegate, false)).to.equal(1);
    });
  });

  describe("given the patient is incapable", () => {
    it("should return the custodian: whom he trusted acts for him", async () => {
      const { f, patientId, delegate } = await withDelegate();
      await carryOut(f, patientId, changeOf("INCAPABLE"));
      expect(await ask(f, patientId, delegate, false)).to.equal(1);
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead", async () => {
      const { f, patientId, delegate } = await withDelegate();
      await nextBlockAt(await carryOut(f, patientId, changeOf("DEAD")));
      for (const loosens of [true, false]) {
        await expect(ask(f, patientId, delegate, loosens))
          .to.be.revertedWithCustomError(f.patients, "PatientIsDead")
          .withArgs(patientId);
      }
    });
  });
});
