// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { LeafKind } from "../../../src/crypto/index.js";
import { shouldRequireDocument } from "../behaviours/document.js";
import { shouldRequirePair } from "../behaviours/pair.js";
import { GivenBy, nextBlockAt } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { countOf, headFromLogs } from "../heads.js";
import type { PairChanges } from "../pairs.js";
import { directiveFor, sendDirective, setDirective, signDirective } from "../patient-acts.js";
import { completeChange } from "../proxies.js";
import { WitnessedAct, anchorDocument, attest, denialRef, loadWithStaff, witnessesOf } from "../witnesses.js";
import type { WithStaff } from "../witnesses.js";

type Denial = [denyAll: boolean, denyEmergency: boolean, deniedCompartments: bigint];
const ALL: Denial = [true, false, 0n];
/** What ALL refers to while the patient has set no directive. */
const REF_OF_ALL = denialRef(...ALL, 0n);

async function prepareDenial(
  f: WithStaff,
  patientId: string,
  denial: Denial,
  { nonce = 0n, ...changes }: PairChanges & { nonce?: bigint } = {},
) {
  const second = await attest(f, WitnessedAct.DENIAL, patientId, denialRef(...denial, nonce), changes);
  const first = f.consents.connect(changes.first ?? witnessesOf(f).first);
  return (document: TestEntry) => first.denyWitnessed(patientId, ...denial, document, second);
}

/** Denies with a document that fits the directive's next nonce; returns when, in Unix seconds. */
async function denyWitnessed(f: WithStaff, patientId: string, denial: Denial) {
  const { nonce } = await f.consents.directiveOf(patientId);
  const document = await anchorDocument(f, patientId, denialRef(...denial, nonce));
  const act = await prepareDenial(f, patientId, denial, { nonce });
  const setAt = await nextBlockAt();
  return { document, nonce, setAt, act: () => act(document) };
}

describe("ConsentRegistry.denyWitnessed", () => {
  shouldRequirePair({
    load: loadWithStaff,
    contract: (f) => f.consents,
    pair: witnessesOf,
    twin: (f) => f.twinOfClinicianA,
    contractStaff: (f) => f.contractStaff,
    role: 0,
    otherFields: (f) => ({
      act: WitnessedAct.REVOCATION,
      patientId: f.patient.patientId,
      ref: denialRef(false, true, 0n, 0n),
    }),
    prepare: async (f, changes) => {
      const document = await anchorDocument(f, f.unable, REF_OF_ALL);
      const act = await prepareDenial(f, f.unable, ALL, changes);
      return () => act(document);
    },
  });

  shouldRequireDocument({
    load: loadWithStaff,
    contract: (f) => f.consents,
    kind: LeafKind.CONSENT_DOCUMENT,
    prepare: async (f) => ({
      patientId: f.unable,
      ref: REF_OF_ALL,
      act: await prepareDenial(f, f.unable, ALL),
    }),
    document: anchorDocument,
  });

  describe("when a witness is another member's", () => {
    it("should revert with NotOfCustodian", async () => {
      const f = await loadWithStaff();
      const document = await anchorDocument(f, f.unable, REF_OF_ALL);
      for (const changes of [{ first: f.clinicianB }, { second: f.clinicianB }]) {
        const act = await prepareDenial(f, f.unable, ALL, changes);
        await expect(act(document))
          .to.be.revertedWithCustomError(f.consents, "NotOfCustodian")
          .withArgs(f.clinicianB.address, 2, 1);
      }
    });
  });

  describe("when another of the custodian's staff sends the witnesses' transaction", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithStaff();
      const document = await anchorDocument(f, f.unable, REF_OF_ALL);
      const second = await attest(f, WitnessedAct.DENIAL, f.unable, REF_OF_ALL);
      await expect(f.consents.connect(f.releaserA).denyWitnessed(f.unable, ...ALL, document, second))
        .to.be.revertedWithCustomError(f.consents, "CosignatureInvalid")
        .withArgs(second.account);
    });
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithStaff();
      const { act } = await denyWitnessed(f, id("nobody"), ALL);
      await expect(act()).to.be.revertedWithCustomError(f.patients, "PatientUnknown").withArgs(id("nobody"));
    });
  });

  describe("when any denial of the directive would be dropped", () => {
    it("should revert with WitnessesOnlyTighten, whatever is added", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      await setDirective(f, f.patient, { denyAll: true, denyEmergency: true, deniedCompartments: 5n });
      for (const denial of [
        [false, true, 5n],
        [true, false, 5n],
        [true, true, 4n],
        [true, true, 2n ** 64n - 2n],
        [false, false, 0n],
      ] as Denial[]) {
        const { act } = await denyWitnessed(f, patientId, denial);
        await expect(act(), denial.join())
          .to.be.revertedWithCustomError(f.consents, "WitnessesOnlyTighten")
          .withArgs(patientId);
      }
    });
  });

  describe("given the directive was replaced since the paper was signed", () => {
    it("should revert with CosignatureInvalid, and with DocumentMismatch for a new signature", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      const { document, act } = await denyWitnessed(f, patientId, ALL);
      await setDirective(f, f.patient);
      const ref = denialRef(...ALL, 1n);
      await expect(act())
        .to.be.revertedWithCustomError(f.consents, "CosignatureInvalid")
        .withArgs(witnessesOf(f).second.address);
      const attestedAnew = await prepareDenial(f, patientId, ALL, { nonce: 1n });
      await expect(attestedAnew(document))
        .to.be.revertedWithCustomError(f.consents, "DocumentMismatch")
        .withArgs(document.leaf.index, ref);
    });
  });

  describe("given the same denial was attested and taken back by the patient", () => {
    it("should revert with CosignatureInvalid when it is sent again", async () => {
      const f = await loadWithStaff();
      const { act } = await denyWitnessed(f, f.patient.patientId, ALL);
      await act();
      await setDirective(f, f.patient);
      await expect(act())
        .to.be.revertedWithCustomError(f.consents, "CosignatureInvalid")
        .withArgs(witnessesOf(f).second.address);
    });
  });

  describe("given the document attested another act before", () => {
    it("should revert with DocumentUsed", async () => {
      const f = await loadWithStaff();
      // Terms with this hash do not exist; the paper could still be spent on their revocation.
      const { document, act } = await denyWitnessed(f, f.unable, ALL);
      const second = await attest(f, WitnessedAct.REVOCATION, f.unable, REF_OF_ALL);
      const first = f.consents.connect(witnessesOf(f).first);
      await first.revokeWitnessed(f.unable, REF_OF_ALL, document, second);
      await expect(act())
        .to.be.revertedWithCustomError(f.consents, "DocumentUsed")
        .withArgs(document.leaf.index);
    });
  });

  describe("when it adds denials to the directive, or leaves it as it is", () => {
    it("should emit Witnessed, then DirectiveSet", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      const { first, second } = witnessesOf(f);
      for (const denial of [
        [false, true, 4n],
        [false, true, 4n],
        [true, true, 5n],
      ] as Denial[]) {
        const { document, nonce, setAt, act } = await denyWitnessed(f, patientId, denial);
        const denied = act();
        await expect(denied)
          .to.emit(f.consents, "Witnessed")
          .withArgs(
            patientId,
            denialRef(...denial, nonce),
            WitnessedAct.DENIAL,
            first.address,
            second.address,
            document.leaf.index,
          );
        await expect(denied)
          .to.emit(f.consents, "DirectiveSet")
          .withArgs(patientId, ...denial, nonce, GivenBy.WITNESSES, setAt);
      }
    });

    it("should store it with the following nonce", async () => {
      const f = await loadWithStaff();
      const { setAt, act } = await denyWitnessed(f, f.unable, [true, true, 1n << 63n]);
      await act();
      expect(await f.consents.directiveOf(f.unable)).to.deep.equal([
        true,
        true,
        1n << 63n,
        1n,
        BigInt(setAt),
      ]);
    });

    it("should advance the patient's head by both events", async () => {
      const f = await loadWithStaff();
      const { act } = await denyWitnessed(f, f.unable, ALL);
      await act();
      const head = await f.consents.headOf(f.unable);
      expect(countOf(head)).to.equal(2n);
      expect(head).to.equal(await headFromLogs(f.consents, f.unable));
    });

    it("should void what the patient signed for the same nonce, and leave him the next", async () => {
      const f = await loadWithStaff();
      const directive = await directiveFor(f, f.patient.patientId);
      const signature = await signDirective(f, f.patient, directive);
      await (await denyWitnessed(f, f.patient.patientId, ALL)).act();
      await expect(sendDirective(f, directive, signature))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
      await setDirective(f, f.patient);
      expect((await f.consents.directiveOf(f.patient.patientId)).denyAll).to.equal(false);
    });
  });

  describe("given a change of the patient took effect just now", () => {
    it("should pass: it tightens", async () => {
      const f = await loadWithStaff();
      await completeChange(f, f.unable, { kind: "DEAD" });
      const { act } = await denyWitnessed(f, f.unable, ALL);
      await act();
    });
  });
});
