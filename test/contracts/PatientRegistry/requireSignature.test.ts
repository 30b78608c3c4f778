// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { TypedDataEncoder, id } from "ethers";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import { carryOut, recover } from "../changes.js";
import { Actor, domain, ethers, keySigner, registerSigner } from "../consortium.js";
import type { Consortium, PatientSigner } from "../consortium.js";
import { loadWithPatient } from "../fixtures.js";
import { changeOf, loadWithGuardians, together } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";

const DIGEST = id("any digest");
const TYPES = { Statement: [{ name: "text", type: "string" }] };

async function statement(f: Consortium, patientId: string): Promise<SignedAct> {
  const text = {
    domain: await domain(f.consents, "ConsentRegistry"),
    types: TYPES,
    value: { text: "yes" },
  };
  const digest = TypedDataEncoder.hash(text.domain, text.types, text.value);
  return {
    patientId,
    ...text,
    act: (signature) => f.patients.requireSignature(patientId, digest, signature, { blockTag: "pending" }),
  };
}

/** Who counts as signing when `signer` signs the statement. */
async function ask(f: WithGuardians, patientId: string, signer: PatientSigner) {
  const { act, domain: where, types, value } = await statement(f, patientId);
  return await act(await signer.signTypedData(where, types, value));
}

describe("PatientRegistry.requireSignature", () => {
  shouldRequireSigningPatient(loadWithPatient, (f, patientId) =>
    f.patients.requireSignature(patientId, DIGEST, "0x"),
  );

  shouldRequireSignature(loadWithPatient, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    return await statement(f, patientId);
  });

  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => statement(f, ward.patientId),
  });

  describe("when the signature is over another digest", () => {
    it("should revert with SignatureInvalid", async () => {
      const { patients, patient } = await loadWithPatient();
      const signature = patient.wallet.signingKey.sign(DIGEST).serialized;
      await expect(patients.requireSignature(patient.patientId, id("another"), signature))
        .to.be.revertedWithCustomError(patients, "SignatureInvalid")
        .withArgs(patient.patientId);
    });
  });

  describe("given the custodian was removed", () => {
    it("should still return it", async () => {
      const { patients, patient, members, governance } = await loadWithPatient();
      await members.connect(governance).removeMember(1);
      const signature = patient.wallet.signingKey.sign(DIGEST).serialized;
      expect(await patients.requireSignature(patient.patientId, DIGEST, signature)).to.deep.equal([
        1n,
        Actor.PATIENT,
      ]);
    });
  });

  describe("when the patient signed the digest", () => {
    it("should return his custodian", async () => {
      const { patients, patient } = await loadWithPatient();
      const signature = patient.wallet.signingKey.sign(DIGEST).serialized;
      expect(await patients.requireSignature(patient.patientId, DIGEST, signature)).to.deep.equal([
        1n,
        Actor.PATIENT,
      ]);
    });
  });

  describe("given a patient without a key who has guardians", () => {
    it("should return that guardians signed", async () => {
      const f = await loadWithGuardians();
      expect(await ask(f, f.ward.patientId, f.ward.group)).to.deep.equal([1n, Actor.GUARDIANS]);
    });
  });

  describe("given a capable patient with key and guardians", () => {
    it("should return that the patient signed", async () => {
      const f = await loadWithGuardians();
      expect(await ask(f, f.holder.patientId, f.holder.signer)).to.deep.equal([1n, Actor.PATIENT]);
    });

    it("should revert with SignatureInvalid when his guardians signed, even all", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians } = f.holder;
      await expect(ask(f, patientId, together(...guardians)))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });

  describe("given the patient is incapable or dead", () => {
    it("should return that guardians signed", async () => {
      for (const kind of ["INCAPABLE", "DEAD"] as const) {
        const f = await loadWithGuardians();
        const { patientId, group } = f.holder;
        await carryOut(f, patientId, changeOf(kind));
        expect(await ask(f, patientId, group), kind).to.deep.equal([1n, Actor.GUARDIANS]);
      }
    });

    it("should not take the patient's own signature", async () => {
      for (const kind of ["INCAPABLE", "DEAD"] as const) {
        const f = await loadWithGuardians();
        const { patientId, signer } = f.holder;
        await carryOut(f, patientId, changeOf(kind));
        await expect(ask(f, patientId, signer), kind).to.be.revert(ethers);
      }
    });

    it("should revert with PatientHasNoSigner when he has no guardians", async () => {
      const f = await loadWithGuardians();
      const signer = keySigner();
      const { patientId } = await registerSigner(f, signer);
      await carryOut(f, patientId, changeOf("INCAPABLE"));
      await expect(ask(f, patientId, signer))
        .to.be.revertedWithCustomError(f.patients, "PatientHasNoSigner")
        .withArgs(patientId);
    });
  });

  describe("given the patient is capable again", () => {
    it("should return that the patient signed, and refuse his guardians", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer, group } = f.holder;
      await carryOut(f, patientId, changeOf("INCAPABLE"));
      await carryOut(f, patientId, changeOf("CAPABLE"));
      expect(await ask(f, patientId, signer)).to.deep.equal([1n, Actor.PATIENT]);
      await expect(ask(f, patientId, group))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });

  describe("given the patient's key was recovered a moment ago", () => {
    it("should take the new key and refuse the old one", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const fresh = keySigner();
      await recover(f, patientId, fresh);
      expect(await ask(f, patientId, fresh)).to.deep.equal([1n, Actor.PATIENT]);
      await expect(ask(f, patientId, signer))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });
});
