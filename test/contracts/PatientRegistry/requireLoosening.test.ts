// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { TypedDataEncoder, id } from "ethers";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import { carryOut, propose, recover } from "../changes.js";
import { Actor, domain, keySigner, nextBlockAt, registerSigner, signTerms, termsFor } from "../consortium.js";
import type { Consortium, PatientSigner } from "../consortium.js";
import { changeOf, loadWithGuardians } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";

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
    act: (signature) => f.patients.requireLoosening(patientId, digest, signature, { blockTag: "pending" }),
  };
}

/** Who counts as signing when `signer` signs the statement. */
async function ask(f: WithGuardians, patientId: string, signer: PatientSigner) {
  const { act, domain: where, types, value } = await statement(f, patientId);
  return await act(await signer.signTypedData(where, types, value));
}

async function isLater(f: WithGuardians, patientId: string, signer: PatientSigner, from: number) {
  await expect(ask(f, patientId, signer))
    .to.be.revertedWithCustomError(f.patients, "LoosensLater")
    .withArgs(patientId, from);
}

describe("PatientRegistry.requireLoosening", () => {
  shouldRequireSigningPatient(loadWithGuardians, (f, patientId) =>
    f.patients.requireLoosening(patientId, id("any digest"), "0x"),
  );

  shouldRequireSignature(loadWithGuardians, async (f, signer) =>
    statement(f, (await registerSigner(f, signer)).patientId),
  );

  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => statement(f, ward.patientId),
  });

  describe("given no change was ever made", () => {
    it("should return custodian and who signed", async () => {
      const f = await loadWithGuardians();
      expect(await ask(f, f.holder.patientId, f.holder.signer)).to.deep.equal([1n, Actor.PATIENT]);
      expect(await ask(f, f.ward.patientId, f.ward.group)).to.deep.equal([1n, Actor.GUARDIANS]);
    });
  });

  describe("given a change is only pending", () => {
    it("should return custodian and who signed", async () => {
      const f = await loadWithGuardians();
      await propose(f, f.holder.patientId, changeOf("INCAPABLE"));
      expect(await ask(f, f.holder.patientId, f.holder.signer)).to.deep.equal([1n, Actor.PATIENT]);
    });
  });

  describe("given the key was recovered a moment ago", () => {
    it("should revert with LoosensLater for the new key, as for any other", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const fresh = keySigner();
      const from = await recover(f, patientId, fresh);
      for (const key of [fresh, signer]) await isLater(f, patientId, key, from);
    });
  });

  describe("given the delay after a recovery ends in a second", () => {
    it("should revert with LoosensLater", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const fresh = keySigner();
      const from = await recover(f, patientId, fresh);
      await nextBlockAt(from - 1);
      await isLater(f, patientId, fresh, from);
    });
  });

  describe("given the delay after a recovery ends this second", () => {
    it("should return custodian and who signed", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const fresh = keySigner();
      const from = await recover(f, patientId, fresh);
      await nextBlockAt(from);
      expect(await ask(f, patientId, fresh)).to.deep.equal([1n, Actor.PATIENT]);
    });
  });

  describe("when a recovered key grants terms at once", () => {
    it("should revert with LoosensLater until the delay after the recovery ends", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const thief = keySigner();
      const terms = await termsFor(patientId);
      const from = await recover(f, patientId, thief);
      const signature = await signTerms(f, thief, terms);
      await nextBlockAt(from - 1);
      await expect(f.consents.grant(terms, signature))
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, from);
      await nextBlockAt(from);
      await f.consents.grant(terms, signature);
    });
  });

  describe("given the patient was said to be incapable or dead, or capable again", () => {
    it("should make his guardians, and himself, wait for as long", async () => {
      const f = await loadWithGuardians();
      const { patientId, group, signer } = f.holder;
      for (const [kind, actor] of [
        ["INCAPABLE", group],
        ["DEAD", group],
        ["CAPABLE", signer],
      ] as const) {
        const from = await carryOut(f, patientId, changeOf(kind));
        await isLater(f, patientId, actor, from);
        await nextBlockAt(from);
        await ask(f, patientId, actor);
      }
    });
  });

  describe("given a second change follows within the delay after the first", () => {
    it("should count the delay from the second", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.holder;
      const first = await carryOut(f, patientId, changeOf("INCAPABLE"));
      const from = await carryOut(f, patientId, changeOf("DEAD"));
      expect(from).to.be.greaterThan(first);
      await nextBlockAt(from - 1);
      await isLater(f, patientId, group, from);
    });
  });

  describe("given another patient's key was recovered", () => {
    it("should not make this patient wait", async () => {
      const f = await loadWithGuardians();
      await recover(f, f.holder.patientId, keySigner());
      expect(await ask(f, f.ward.patientId, f.ward.group)).to.deep.equal([1n, Actor.GUARDIANS]);
    });
  });
});
