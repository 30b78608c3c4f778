// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { LeafKind } from "../../../src/crypto/index.js";
import { shouldRequireDocument } from "../behaviours/document.js";
import { shouldRequirePair } from "../behaviours/pair.js";
import { GivenBy, Purpose, nextBlockAt, now, termsFor } from "../consortium.js";
import type { TestEntry } from "../consortium.js";
import { termsHashOf } from "../fixtures.js";
import { countOf, headFromLogs } from "../heads.js";
import type { PairChanges } from "../pairs.js";
import { completeChange, registerGuarded } from "../proxies.js";
import { WitnessedAct, anchorDocument, attest, loadWithStaff, witnessesOf } from "../witnesses.js";
import type { WithStaff } from "../witnesses.js";

type TestTerms = Awaited<ReturnType<typeof termsFor>>;

async function prepareGrant(f: WithStaff, terms: TestTerms, changes: PairChanges = {}) {
  const second = await attest(f, WitnessedAct.GRANT, terms.patientId, termsHashOf(terms), changes);
  const first = changes.first ?? witnessesOf(f).first;
  return (document: TestEntry) => f.consents.connect(first).grantWitnessed(terms, document, second);
}

/** Grants with a fitting document; `changes` alter the terms. */
async function grantWitnessed(f: WithStaff, patientId = f.unable, changes: Record<string, unknown> = {}) {
  const terms = await termsFor(patientId, changes);
  const document = await anchorDocument(f, patientId, termsHashOf(terms));
  const act = await prepareGrant(f, terms);
  return { terms, document, termsHash: termsHashOf(terms), act: () => act(document) };
}

describe("ConsentRegistry.grantWitnessed", () => {
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
      ref: id("other terms"),
    }),
    prepare: async (f, changes) => {
      const terms = await termsFor(f.unable);
      const document = await anchorDocument(f, f.unable, termsHashOf(terms));
      const act = await prepareGrant(f, terms, changes);
      return () => act(document);
    },
  });

  shouldRequireDocument({
    load: loadWithStaff,
    contract: (f) => f.consents,
    kind: LeafKind.CONSENT_DOCUMENT,
    prepare: async (f) => {
      const terms = await termsFor(f.unable);
      return { patientId: f.unable, ref: termsHashOf(terms), act: await prepareGrant(f, terms) };
    },
    document: anchorDocument,
  });

  describe("when a witness is another member's", () => {
    it("should revert with NotOfCustodian", async () => {
      const f = await loadWithStaff();
      const terms = await termsFor(f.unable);
      const document = await anchorDocument(f, f.unable, termsHashOf(terms));
      for (const [changes, stranger] of [
        [{ first: f.clinicianB }, f.clinicianB],
        [{ second: f.clinicianB }, f.clinicianB],
        [{ first: f.clinicianB, second: f.operatorB }, f.clinicianB],
      ] as const) {
        const act = await prepareGrant(f, terms, changes);
        await expect(act(document))
          .to.be.revertedWithCustomError(f.consents, "NotOfCustodian")
          .withArgs(stranger.address, 2, 1);
      }
    });
  });

  describe("when anybody else sends the witnesses' transaction", () => {
    it("should revert with CosignatureInvalid for another of the custodian's staff too", async () => {
      const f = await loadWithStaff();
      const terms = await termsFor(f.unable);
      const document = await anchorDocument(f, f.unable, termsHashOf(terms));
      const second = await attest(f, WitnessedAct.GRANT, f.unable, termsHashOf(terms));
      await expect(f.consents.connect(f.releaserA).grantWitnessed(terms, document, second))
        .to.be.revertedWithCustomError(f.consents, "CosignatureInvalid")
        .withArgs(second.account);
    });
  });

  describe("given the document attested a grant before", () => {
    it("should revert with DocumentUsed for a revocation", async () => {
      const f = await loadWithStaff();
      const { terms, document, termsHash, act } = await grantWitnessed(f);
      await act();
      const revocation = await attest(f, WitnessedAct.REVOCATION, f.unable, termsHash);
      await expect(
        f.consents
          .connect(witnessesOf(f).first)
          .revokeWitnessed(terms.patientId, termsHash, document, revocation),
      )
        .to.be.revertedWithCustomError(f.consents, "DocumentUsed")
        .withArgs(document.leaf.index);
    });
  });

  describe("given the document attested a revocation before", () => {
    it("should revert with TermsRevoked", async () => {
      const f = await loadWithStaff();
      const { document, termsHash, act } = await grantWitnessed(f);
      const second = await attest(f, WitnessedAct.REVOCATION, f.unable, termsHash);
      const revokedAt = await nextBlockAt();
      await f.consents.connect(witnessesOf(f).first).revokeWitnessed(f.unable, termsHash, document, second);
      await expect(act())
        .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
        .withArgs(f.unable, termsHash, revokedAt);
    });
  });

  describe("given the terms are granted already", () => {
    it("should revert with TermsAlreadyGranted, with another document too", async () => {
      const f = await loadWithStaff();
      const { terms, termsHash, act } = await grantWitnessed(f);
      await act();
      const again = await prepareGrant(f, terms);
      const document = await anchorDocument(f, f.unable, termsHash);
      await expect(again(document))
        .to.be.revertedWithCustomError(f.consents, "TermsAlreadyGranted")
        .withArgs(f.unable, termsHash);
    });
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithStaff();
      const { act } = await grantWitnessed(f, id("nobody"));
      await expect(act()).to.be.revertedWithCustomError(f.patients, "PatientUnknown").withArgs(id("nobody"));
    });
  });

  describe("given the patient has a signer", () => {
    it("should revert with PatientCanSign", async () => {
      const f = await loadWithStaff();
      const { act } = await grantWitnessed(f, f.patient.patientId);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "PatientCanSign")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given the patient has guardians", () => {
    it("should revert with PatientCanSign until their last second, and pass after it", async () => {
      const f = await loadWithStaff();
      const until = (await now()) + 6_000;
      const { patientId } = await registerGuarded(f, { until });
      const { act } = await grantWitnessed(f, patientId);
      await nextBlockAt(until);
      await expect(act()).to.be.revertedWithCustomError(f.patients, "PatientCanSign").withArgs(patientId);
      await nextBlockAt(until + 1);
      await act();
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead", async () => {
      const f = await loadWithStaff();
      await completeChange(f, f.unable, { kind: "DEAD" });
      const { act } = await grantWitnessed(f);
      await expect(act()).to.be.revertedWithCustomError(f.patients, "PatientIsDead").withArgs(f.unable);
    });
  });

  describe("given the custodian took the patient's guardians away", () => {
    it("should revert with LoosensLater until a delay after that, and pass then", async () => {
      const f = await loadWithStaff();
      const { patientId } = await registerGuarded(f);
      const { loosensFrom } = await completeChange(f, patientId, { kind: "GUARDIANS" });
      const { act } = await grantWitnessed(f, patientId);
      await nextBlockAt(loosensFrom - 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, loosensFrom);
      await nextBlockAt(loosensFrom);
      await act();
    });
  });

  describe("when the terms are not well formed or hold a purpose that no patient grants", () => {
    it("should revert with the error of the terms", async () => {
      const f = await loadWithStaff();
      for (const [changes, error, args] of [
        [{ format: 2 }, "TermsFormatUnsupported", [2]],
        [{ notBefore: 2, notAfter: 1 }, "TermsPeriodInvalid", [2, 1]],
        [{ recordedFrom: 2, recordedTo: 1 }, "TermsRecordedPeriodInvalid", [2, 1]],
        [{ compartments: 0n }, "TermsCompartmentsEmpty", []],
        [{ purposes: 1 << Purpose.HLEGAL }, "TermsPurposesInvalid", [1 << Purpose.HLEGAL]],
        [{ purposes: 1 << Purpose.BTG }, "TermsPurposesInvalid", [1 << Purpose.BTG]],
      ] as const) {
        const { act } = await grantWitnessed(f, f.unable, changes);
        await expect(act())
          .to.be.revertedWithCustomError(f.consents, error)
          .withArgs(...args);
      }
    });
  });

  describe("when the grantee is no member", () => {
    it("should revert with MemberUnknown", async () => {
      const f = await loadWithStaff();
      const { act } = await grantWitnessed(f, f.unable, { grantee: 4 });
      await expect(act()).to.be.revertedWithCustomError(f.members, "MemberUnknown").withArgs(4);
    });
  });

  describe("when two of the custodian's staff attest the paper", () => {
    it("should emit Witnessed, then GrantGiven, and return the terms hash", async () => {
      const f = await loadWithStaff();
      const { terms, document, termsHash } = await grantWitnessed(f);
      const second = await attest(f, WitnessedAct.GRANT, f.unable, termsHash);
      const first = f.consents.connect(f.clinicianA);
      expect(await first.grantWitnessed.staticCall(terms, document, second)).to.equal(termsHash);
      const grantedAt = await nextBlockAt();
      const granted = first.grantWitnessed(terms, document, second);
      const { address } = f.clinicianA;
      await expect(granted)
        .to.emit(f.consents, "Witnessed")
        .withArgs(f.unable, termsHash, WitnessedAct.GRANT, address, second.account, document.leaf.index);
      await expect(granted)
        .to.emit(f.consents, "GrantGiven")
        .withArgs(f.unable, termsHash, 2, Object.values(terms), GivenBy.WITNESSES, grantedAt);
    });

    it("should store who gave it, when, and the custodian", async () => {
      const f = await loadWithStaff();
      const { termsHash, act } = await grantWitnessed(f);
      const grantedAt = await nextBlockAt();
      await act();
      expect(await f.consents.grantOf(f.unable, termsHash)).to.deep.equal([
        GivenBy.WITNESSES,
        BigInt(grantedAt),
        0n,
        1n,
      ]);
    });

    it("should advance the patient's head by both events", async () => {
      const f = await loadWithStaff();
      for (const count of [2n, 4n]) {
        const { act } = await grantWitnessed(f);
        await act();
        const head = await f.consents.headOf(f.unable);
        expect(countOf(head)).to.equal(count);
        expect(head).to.equal(await headFromLogs(f.consents, f.unable));
      }
    });

    it("should take any two roles of the custodian's staff", async () => {
      const f = await loadWithStaff();
      for (const changes of [
        { first: f.releaserA, second: f.reviewerA },
        { first: f.twinOfClinicianA, second: f.releaserA },
      ]) {
        const terms = await termsFor(f.unable);
        const document = await anchorDocument(f, f.unable, termsHashOf(terms));
        await (
          await prepareGrant(f, terms, changes)
        )(document);
      }
    });
  });
});
