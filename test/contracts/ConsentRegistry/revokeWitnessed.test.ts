// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { LeafKind } from "../../../src/crypto/index.js";
import { shouldRequireDocument } from "../behaviours/document.js";
import { shouldRequirePair } from "../behaviours/pair.js";
import { GivenBy, nextBlockAt } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { grantTerms } from "../fixtures.js";
import { countOf, headFromLogs } from "../heads.js";
import type { PairChanges } from "../pairs.js";
import { revokeTerms } from "../patient-acts.js";
import { completeChange } from "../proxies.js";
import { WitnessedAct, anchorDocument, attest, loadWithStaff, witnessesOf } from "../witnesses.js";
import type { WithStaff } from "../witnesses.js";

const NEVER_GRANTED = id("terms that were never granted");

async function prepareRevocation(
  f: WithStaff,
  patientId: string,
  termsHash: string,
  changes: PairChanges = {},
) {
  const second = await attest(f, WitnessedAct.REVOCATION, patientId, termsHash, changes);
  const first = f.consents.connect(changes.first ?? witnessesOf(f).first);
  return (document: TestEntry) => first.revokeWitnessed(patientId, termsHash, document, second);
}

/** Revokes with a document of its own; returns when, in Unix seconds. */
async function revokeWitnessed(f: WithStaff, patientId: string, termsHash: string) {
  const document = await anchorDocument(f, patientId, termsHash);
  const act = await prepareRevocation(f, patientId, termsHash);
  const revokedAt = await nextBlockAt();
  await act(document);
  return { document, revokedAt };
}

describe("ConsentRegistry.revokeWitnessed", () => {
  shouldRequirePair({
    load: loadWithStaff,
    contract: (f) => f.consents,
    pair: witnessesOf,
    twin: (f) => f.twinOfClinicianA,
    contractStaff: (f) => f.contractStaff,
    role: 0,
    otherFields: (f) => ({
      act: WitnessedAct.GRANT,
      patientId: f.patient.patientId,
      ref: id("other terms"),
    }),
    prepare: async (f, changes) => {
      const document = await anchorDocument(f, f.unable, NEVER_GRANTED);
      const act = await prepareRevocation(f, f.unable, NEVER_GRANTED, changes);
      return () => act(document);
    },
  });

  shouldRequireDocument({
    load: loadWithStaff,
    contract: (f) => f.consents,
    kind: LeafKind.CONSENT_DOCUMENT,
    prepare: async (f) => ({
      patientId: f.unable,
      ref: NEVER_GRANTED,
      act: await prepareRevocation(f, f.unable, NEVER_GRANTED),
    }),
    document: anchorDocument,
  });

  describe("when a witness is another member's", () => {
    it("should revert with NotOfCustodian", async () => {
      const f = await loadWithStaff();
      const document = await anchorDocument(f, f.unable, NEVER_GRANTED);
      for (const changes of [{ first: f.clinicianB }, { second: f.clinicianB }]) {
        const act = await prepareRevocation(f, f.unable, NEVER_GRANTED, changes);
        await expect(act(document))
          .to.be.revertedWithCustomError(f.consents, "NotOfCustodian")
          .withArgs(f.clinicianB.address, 2, 1);
      }
    });
  });

  describe("when another of the custodian's staff sends the witnesses' transaction", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithStaff();
      const document = await anchorDocument(f, f.unable, NEVER_GRANTED);
      const second = await attest(f, WitnessedAct.REVOCATION, f.unable, NEVER_GRANTED);
      const copied = f.consents
        .connect(f.releaserA)
        .revokeWitnessed(f.unable, NEVER_GRANTED, document, second);
      await expect(copied)
        .to.be.revertedWithCustomError(f.consents, "CosignatureInvalid")
        .withArgs(second.account);
    });
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithStaff();
      const document = await anchorDocument(f, id("nobody"), NEVER_GRANTED);
      const act = await prepareRevocation(f, id("nobody"), NEVER_GRANTED);
      await expect(act(document))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(id("nobody"));
    });
  });

  describe("given the document attested this revocation before", () => {
    it("should revert with DocumentUsed", async () => {
      const f = await loadWithStaff();
      const { document } = await revokeWitnessed(f, f.unable, NEVER_GRANTED);
      const again = await prepareRevocation(f, f.unable, NEVER_GRANTED);
      await expect(again(document))
        .to.be.revertedWithCustomError(f.consents, "DocumentUsed")
        .withArgs(document.leaf.index);
    });
  });

  describe("given the terms are revoked already", () => {
    it("should log the testimony alone and keep the time", async () => {
      const f = await loadWithStaff();
      const { termsHash, terms } = await grantTerms(f, f.patient);
      const revokedAt = await revokeTerms(f, f.patient, termsHash);
      const document = await anchorDocument(f, terms.patientId, termsHash);
      const act = await prepareRevocation(f, terms.patientId, termsHash);
      const repeat = act(document);
      await expect(repeat).to.emit(f.consents, "Witnessed");
      await expect(repeat).to.not.emit(f.consents, "GrantRevoked");
      expect((await f.consents.grantOf(terms.patientId, termsHash)).revokedAt).to.equal(revokedAt);
      expect(await f.consents.headOf(terms.patientId)).to.equal(
        await headFromLogs(f.consents, terms.patientId),
      );
    });
  });

  describe("given a patient who signs for himself granted the terms", () => {
    it("should emit Witnessed, then GrantRevoked", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      const { termsHash } = await grantTerms(f, f.patient);
      const document = await anchorDocument(f, patientId, termsHash);
      const act = await prepareRevocation(f, patientId, termsHash);
      const { first, second } = witnessesOf(f);
      const revokedAt = await nextBlockAt();
      const revoked = act(document);
      await expect(revoked)
        .to.emit(f.consents, "Witnessed")
        .withArgs(
          patientId,
          termsHash,
          WitnessedAct.REVOCATION,
          first.address,
          second.address,
          document.leaf.index,
        );
      await expect(revoked)
        .to.emit(f.consents, "GrantRevoked")
        .withArgs(patientId, termsHash, GivenBy.WITNESSES, revokedAt);
    });

    it("should store the time and keep the rest of the grant", async () => {
      const f = await loadWithStaff();
      const { termsHash, terms } = await grantTerms(f, f.patient);
      const [givenBy, grantedAt, , custodian] = await f.consents.grantOf(terms.patientId, termsHash);
      const { revokedAt } = await revokeWitnessed(f, terms.patientId, termsHash);
      expect(await f.consents.grantOf(terms.patientId, termsHash)).to.deep.equal([
        givenBy,
        grantedAt,
        BigInt(revokedAt),
        custodian,
      ]);
    });

    it("should advance the patient's head by both events", async () => {
      const f = await loadWithStaff();
      const { termsHash, terms } = await grantTerms(f, f.patient);
      const before = countOf(await f.consents.headOf(terms.patientId));
      await revokeWitnessed(f, terms.patientId, termsHash);
      const head = await f.consents.headOf(terms.patientId);
      expect(countOf(head)).to.equal(before + 2n);
      expect(head).to.equal(await headFromLogs(f.consents, terms.patientId));
    });
  });

  describe("given the terms were never granted", () => {
    it("should store nothing but the time", async () => {
      const f = await loadWithStaff();
      const { revokedAt } = await revokeWitnessed(f, f.unable, NEVER_GRANTED);
      expect(await f.consents.grantOf(f.unable, NEVER_GRANTED)).to.deep.equal([
        0n,
        0n,
        BigInt(revokedAt),
        0n,
      ]);
    });
  });

  describe("given a change of the patient took effect just now", () => {
    it("should pass: it tightens", async () => {
      const f = await loadWithStaff();
      await completeChange(f, f.patient.patientId, { kind: "INCAPABLE" });
      await revokeWitnessed(f, f.patient.patientId, NEVER_GRANTED);
    });
  });
});
