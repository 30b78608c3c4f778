// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldNotOutlast } from "../behaviours/outlasting.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import {
  Purpose,
  TERMS_TYPES,
  YEAR,
  GivenBy,
  domain,
  ethers,
  keySigner,
  nextBlockAt,
  now,
  registerSigner,
  signTerms,
  termsFor,
} from "../consortium.js";
import { TERMS_WORDS, callDirtied } from "../dirty-words.js";
import { grantTerms, loadConsortium, loadWithPatient, termsHashOf } from "../fixtures.js";
import type { WithPatient } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import { revokeTerms, signRevocation } from "../patient-acts.js";
import { together } from "../guardians.js";
import { completeChange, registerGuarded } from "../proxies.js";
import { loadWithStaff } from "../witnesses.js";

const GIVEN_BY_PATIENT = 1;
const MOST_DAY = 0xffff_ffff;

/** Signs terms as the patient and grants them. */
async function grant(f: WithPatient, changes: Record<string, unknown> = {}) {
  const terms = await termsFor(f.patient.patientId, changes);
  return await f.consents.connect(f.relay).grant(terms, await signTerms(f, f.patient.wallet, terms));
}

describe("ConsentRegistry.grant", () => {
  shouldRequireSigningPatient(loadWithPatient, async (f, patientId) =>
    f.consents.grant(await termsFor(patientId), "0x"),
  );

  shouldRequireSignature(loadConsortium, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const terms = await termsFor(patientId);
    return {
      patientId,
      domain: await domain(f.consents, "ConsentRegistry"),
      types: TERMS_TYPES,
      value: terms,
      act: (signature) => f.consents.connect(f.relay).grant(terms, signature),
    };
  });

  describe("when any field differs from what was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId);
      const signature = await signTerms(f, f.patient.wallet, terms);
      for (const change of [
        { grantee: 3 },
        { compartments: 1n },
        { purposes: 2 },
        { notBefore: terms.notBefore - 1 },
        { notAfter: terms.notAfter + 1 },
        { recordedFrom: 1 },
        { recordedTo: terms.recordedTo + 1 },
        { salt: f.patient.seed },
      ]) {
        await expect(f.consents.grant({ ...terms, ...change }, signature), Object.keys(change)[0])
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(f.patient.patientId);
      }
    });
  });

  describe("when the signature is the patient's over a revocation of the terms", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId);
      await expect(f.consents.grant(terms, await signRevocation(f, f.patient, termsHashOf(terms))))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("when the format is not 1", () => {
    it("should revert with TermsFormatUnsupported", async () => {
      const f = await loadWithPatient();
      for (const format of [0, 2]) {
        await expect(grant(f, { format }))
          .to.be.revertedWithCustomError(f.consents, "TermsFormatUnsupported")
          .withArgs(format);
      }
    });
  });

  describe("when the period ends before it begins", () => {
    it("should revert with TermsPeriodInvalid", async () => {
      const f = await loadWithPatient();
      const notAfter = (await now()) + YEAR;
      await expect(grant(f, { notBefore: notAfter + 1, notAfter }))
        .to.be.revertedWithCustomError(f.consents, "TermsPeriodInvalid")
        .withArgs(notAfter + 1, notAfter);
    });
  });

  describe("when the period ended a second ago", () => {
    it("should revert with TermsPeriodInvalid", async () => {
      const f = await loadWithPatient();
      const notAfter = (await nextBlockAt()) - 1;
      await expect(grant(f, { notBefore: 0, notAfter }))
        .to.be.revertedWithCustomError(f.consents, "TermsPeriodInvalid")
        .withArgs(0, notAfter);
    });
  });

  describe("when the period ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithPatient();
      const second = await nextBlockAt();
      await grant(f, { notBefore: second, notAfter: second });
    });
  });

  describe("when the recorded days end before they begin", () => {
    it("should revert with TermsRecordedPeriodInvalid", async () => {
      const f = await loadWithPatient();
      await expect(grant(f, { recordedFrom: 2, recordedTo: 1 }))
        .to.be.revertedWithCustomError(f.consents, "TermsRecordedPeriodInvalid")
        .withArgs(2, 1);
    });
  });

  describe("when the terms hold no compartment", () => {
    it("should revert with TermsCompartmentsEmpty", async () => {
      const f = await loadWithPatient();
      await expect(grant(f, { compartments: 0 })).to.be.revertedWithCustomError(
        f.consents,
        "TermsCompartmentsEmpty",
      );
    });
  });

  describe("when the terms hold no purpose, or one that no patient grants", () => {
    it("should revert with TermsPurposesInvalid", async () => {
      const f = await loadWithPatient();
      const refused = [Purpose.PATRQT, Purpose.HLEGAL, Purpose.BTG, 10, 15].map((purpose) => 1 << purpose);
      for (const purposes of [0, ...refused, 0xffff]) {
        await expect(grant(f, { purposes }))
          .to.be.revertedWithCustomError(f.consents, "TermsPurposesInvalid")
          .withArgs(purposes);
      }
    });
  });

  describe("when the grantee is no member", () => {
    it("should revert with MemberUnknown", async () => {
      const f = await loadWithPatient();
      for (const grantee of [0, 4]) {
        await expect(grant(f, { grantee }))
          .to.be.revertedWithCustomError(f.members, "MemberUnknown")
          .withArgs(grantee);
      }
    });
  });

  describe("given the terms are granted already", () => {
    it("should revert with TermsAlreadyGranted", async () => {
      const f = await loadWithPatient();
      const { terms, termsHash } = await grantTerms(f, f.patient);
      await expect(f.consents.grant(terms, await signTerms(f, f.patient.wallet, terms)))
        .to.be.revertedWithCustomError(f.consents, "TermsAlreadyGranted")
        .withArgs(f.patient.patientId, termsHash);
    });
  });

  describe("given the terms were granted and revoked", () => {
    it("should revert with TermsRevoked", async () => {
      const f = await loadWithPatient();
      const { terms, termsHash } = await grantTerms(f, f.patient);
      const revokedAt = await revokeTerms(f, f.patient, termsHash);
      await expect(f.consents.grant(terms, await signTerms(f, f.patient.wallet, terms)))
        .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
        .withArgs(f.patient.patientId, termsHash, revokedAt);
    });
  });

  describe("given the terms were revoked before they were granted", () => {
    it("should revert with TermsRevoked", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId);
      const revokedAt = await revokeTerms(f, f.patient, termsHashOf(terms));
      await expect(f.consents.grant(terms, await signTerms(f, f.patient.wallet, terms)))
        .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
        .withArgs(f.patient.patientId, termsHashOf(terms), revokedAt);
    });
  });

  describe("given the same terms with another salt were revoked", () => {
    it("should pass", async () => {
      const f = await loadWithPatient();
      const { terms, termsHash } = await grantTerms(f, f.patient);
      await revokeTerms(f, f.patient, termsHash);
      await grant(f, { ...terms, salt: f.patient.seed });
    });
  });

  describe("when a word of the terms has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId, { compartments: 1n });
      const signature = await signTerms(f, f.patient.wallet, terms);
      const data = f.consents.interface.encodeFunctionData("grant", [terms, signature]);
      const call = { from: f.relay, to: await f.consents.getAddress(), data };
      for (const [word, field] of TERMS_WORDS.entries()) {
        if (["patientId", "salt"].includes(field)) continue; // whole words
        await expect(callDirtied(call, word), field).to.be.revertedWithoutReason(ethers);
      }
    });
  });

  describe("when the patient signed well-formed terms", () => {
    it("should store who gave it, when, and the custodian", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId);
      const signature = await signTerms(f, f.patient.wallet, terms);
      const grantedAt = await nextBlockAt();
      await f.consents.connect(f.outsider).grant(terms, signature);
      expect(await f.consents.grantOf(terms.patientId, termsHashOf(terms))).to.deep.equal(
        [GIVEN_BY_PATIENT, grantedAt, 0, 1].map(BigInt),
      );
    });

    it("should emit GrantGiven with the terms, and return their hash", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId);
      const signature = await signTerms(f, f.patient.wallet, terms);
      expect(await f.consents.grant.staticCall(terms, signature)).to.equal(termsHashOf(terms));
      const grantedAt = await nextBlockAt();
      await expect(f.consents.grant(terms, signature))
        .to.emit(f.consents, "GrantGiven")
        .withArgs(terms.patientId, termsHashOf(terms), 2, Object.values(terms), GIVEN_BY_PATIENT, grantedAt);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithPatient();
      for (let grants = 0; grants < 2; grants += 1) {
        await expectHeadAdvance(f.consents, f.patient.patientId, () => grant(f));
      }
    });

    it("should take every purpose a patient may grant, and the widest limits", async () => {
      const f = await loadWithPatient();
      await grant(f, {
        purposes: (1 << Purpose.PATRQT) - 1,
        notBefore: 0,
        notAfter: 2 ** 48 - 1,
        recordedFrom: MOST_DAY,
        recordedTo: MOST_DAY,
      });
    });

    it("should take a suspended, a removed and the own member as grantee", async () => {
      const f = await loadWithPatient();
      await f.members.connect(f.governance).setSuspension(2, 3);
      await f.members.connect(f.governance).removeMember(3);
      for (const grantee of [1, 2, 3]) await grant(f, { grantee });
    });
  });

  describe("given guardians sign for the patient", () => {
    it("should emit GrantGiven by the guardians, and store it", async () => {
      const f = await loadWithStaff();
      const { patientId, wallet } = await registerGuarded(f);
      const terms = await termsFor(patientId);
      const signature = await signTerms(f, wallet, terms);
      const grantedAt = await nextBlockAt();
      await expect(f.consents.connect(f.relay).grant(terms, signature))
        .to.emit(f.consents, "GrantGiven")
        .withArgs(patientId, termsHashOf(terms), 2, Object.values(terms), GivenBy.GUARDIANS, grantedAt);
      expect(await f.consents.grantOf(patientId, termsHashOf(terms))).to.deep.equal([
        GivenBy.GUARDIANS,
        BigInt(grantedAt),
        0n,
        1n,
      ]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithStaff();
      const { patientId, wallet } = await registerGuarded(f);
      const terms = await termsFor(patientId);
      const signature = await signTerms(f, wallet, terms);
      await expectHeadAdvance(f.consents, patientId, () => f.consents.grant(terms, signature));
    });
  });

  describe("when fewer guardians signed than must", () => {
    it("should revert with GuardiansTooFew, or with SignatureInvalid for one who signed twice", async () => {
      const f = await loadWithStaff();
      const { patientId, guardians } = await registerGuarded(f);
      const terms = await termsFor(patientId);
      const [one] = guardians;
      await expect(f.consents.grant(terms, await signTerms(f, together(one!), terms)))
        .to.be.revertedWithCustomError(f.patients, "GuardiansTooFew")
        .withArgs(1, 2);
      await expect(f.consents.grant(terms, await signTerms(f, together(one!, one!), terms)))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });

  describe("when somebody signed among the guardians who is none", () => {
    it("should revert with NotGuardian, for another patient's guardian too", async () => {
      const f = await loadWithStaff();
      const { patientId, guardians } = await registerGuarded(f);
      const others = await registerGuarded(f);
      const terms = await termsFor(patientId);
      for (const stranger of [keySigner(), others.guardians[0]!]) {
        const signature = await signTerms(f, together(...guardians, stranger), terms);
        await expect(f.consents.grant(terms, signature))
          .to.be.revertedWithCustomError(f.patients, "NotGuardian")
          .withArgs(patientId, stranger.bytes);
      }
    });
  });

  shouldNotOutlast("the guardians' time", async (seconds) => {
    const f = await loadWithStaff();
    const until = (await now()) + 86_400;
    const { patientId, wallet } = await registerGuarded(f, { until });
    const terms = await termsFor(patientId, { notAfter: until + seconds });
    const sent = f.consents.grant(terms, await signTerms(f, wallet, terms));
    return { f, patientId, until, sent };
  });

  describe("given the guardians' time ended a second ago", () => {
    it("should revert with GuardiansExpired", async () => {
      const f = await loadWithStaff();
      const until = (await now()) + 600;
      const { patientId, wallet } = await registerGuarded(f, { until });
      const terms = await termsFor(patientId);
      const signature = await signTerms(f, wallet, terms);
      await nextBlockAt(until + 1);
      await expect(f.consents.grant(terms, signature))
        .to.be.revertedWithCustomError(f.patients, "GuardiansExpired")
        .withArgs(patientId, until);
    });
  });

  describe("given a change of the patient took effect less than a delay ago", () => {
    it("should revert with LoosensLater until then, also when the new key signed", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      const signer = keySigner();
      const { loosensFrom } = await completeChange(f, patientId, { kind: "SIGNER", signer });
      const terms = await termsFor(patientId);
      const signature = await signTerms(f, signer, terms);
      await nextBlockAt(loosensFrom - 1);
      await expect(f.consents.grant(terms, signature))
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, loosensFrom);
      await nextBlockAt(loosensFrom);
      await f.consents.grant(terms, signature);
    });
  });

  describe("given a change replaced the patient's key", () => {
    it("should revert with SignatureInvalid for what the old key signed", async () => {
      const f = await loadWithStaff();
      const { patientId, wallet } = f.patient;
      const terms = await termsFor(patientId);
      const signature = await signTerms(f, wallet, terms);
      const { loosensFrom } = await completeChange(f, patientId, { kind: "SIGNER", signer: keySigner() });
      await nextBlockAt(loosensFrom);
      await expect(f.consents.grant(terms, signature))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });

  describe("given the patient is incapable or dead and has no guardians", () => {
    it("should revert with PatientHasNoSigner for his own signature", async () => {
      for (const kind of ["INCAPABLE", "DEAD"] as const) {
        const f = await loadWithStaff();
        const { patientId, wallet } = f.patient;
        const { loosensFrom } = await completeChange(f, patientId, { kind });
        const terms = await termsFor(patientId);
        const signature = await signTerms(f, wallet, terms);
        await nextBlockAt(loosensFrom);
        await expect(f.consents.grant(terms, signature))
          .to.be.revertedWithCustomError(f.patients, "PatientHasNoSigner")
          .withArgs(patientId);
      }
    });
  });
});
