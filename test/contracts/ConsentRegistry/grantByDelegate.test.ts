// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { shouldNotOutlast } from "../behaviours/outlasting.js";
import { shouldRequireSignature } from "../behaviours/signature.js";
import {
  GivenBy,
  Purpose,
  TERMS_TYPES,
  domain,
  keySigner,
  nextBlockAt,
  now,
  registerPatient,
  signTerms,
  termsFor,
} from "../consortium.js";
import type { PatientSigner } from "../consortium.js";
import { grantTerms, loadWithPatient, termsHashOf } from "../fixtures.js";
import type { WithPatient } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import { revokeTerms } from "../patient-acts.js";
import { appointDelegate, completeChange, registerGuarded } from "../proxies.js";
import { loadWithStaff } from "../witnesses.js";

/** Signs terms of the patient as `delegate` and sends them. */
async function grant(
  f: WithPatient,
  delegate: PatientSigner,
  changes: Record<string, unknown> = {},
  patientId = f.patient.patientId,
) {
  const terms = await termsFor(patientId, changes);
  const signature = await signTerms(f, delegate, terms);
  return {
    terms,
    act: () => f.consents.connect(f.relay).grantByDelegate(terms, delegate.bytes, signature),
  };
}

describe("ConsentRegistry.grantByDelegate", () => {
  shouldRequireSignature(loadWithPatient, async (f, signer) => {
    const { patientId } = f.patient;
    await appointDelegate(f, f.patient, { delegate: signer });
    const terms = await termsFor(patientId);
    return {
      patientId,
      domain: await domain(f.consents, "ConsentRegistry"),
      types: TERMS_TYPES,
      value: terms,
      act: (signature) => f.consents.connect(f.relay).grantByDelegate(terms, signer.bytes, signature),
    };
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithPatient();
      const { act } = await grant(f, keySigner(), {}, id("nobody"));
      await expect(act()).to.be.revertedWithCustomError(f.patients, "PatientUnknown").withArgs(id("nobody"));
    });
  });

  describe("given the key is nobody's delegate", () => {
    it("should revert with NotDelegate, for the patient's own key too", async () => {
      const f = await loadWithPatient();
      const { wallet, patientId } = f.patient;
      const own = { bytes: wallet.address.toLowerCase(), signTypedData: wallet.signTypedData.bind(wallet) };
      const { guardians } = await registerGuarded(f);
      for (const signer of [keySigner(), own, guardians[0]!, { ...own, bytes: "0x" }]) {
        const { act } = await grant(f, signer);
        await expect(act())
          .to.be.revertedWithCustomError(f.patients, "NotDelegate")
          .withArgs(patientId, signer.bytes, 0);
      }
    });
  });

  describe("given the key is another patient's delegate", () => {
    it("should revert with NotDelegate", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, await registerPatient(f));
      const { act } = await grant(f, delegate);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "NotDelegate")
        .withArgs(f.patient.patientId, delegate.bytes, 0);
    });
  });

  describe("when the patient himself signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, f.patient);
      const terms = await termsFor(f.patient.patientId);
      const signature = await signTerms(f, f.patient.wallet, terms);
      await expect(f.consents.grantByDelegate(terms, delegate.bytes, signature))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("when the delegate's signature is sent as the patient's", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, f.patient);
      const terms = await termsFor(f.patient.patientId);
      await expect(f.consents.grant(terms, await signTerms(f, delegate, terms)))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given the delegation ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithPatient();
      const until = (await now()) + 600;
      const delegate = await appointDelegate(f, f.patient, { until });
      const { act } = await grant(f, delegate, { notAfter: until });
      await nextBlockAt(until);
      await act();
    });
  });

  shouldNotOutlast("the delegation", async (seconds) => {
    const f = await loadWithPatient();
    const until = (await now()) + 86_400;
    const delegate = await appointDelegate(f, f.patient, { until });
    const { act } = await grant(f, delegate, { notAfter: until + seconds });
    return { f, patientId: f.patient.patientId, until, sent: act() };
  });

  describe("given the delegation ended a second ago", () => {
    it("should revert with NotDelegate", async () => {
      const f = await loadWithPatient();
      const until = (await now()) + 600;
      const delegate = await appointDelegate(f, f.patient, { until });
      const { act } = await grant(f, delegate);
      await nextBlockAt(until + 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "NotDelegate")
        .withArgs(f.patient.patientId, delegate.bytes, until);
    });
  });

  describe("given the patient ended the delegation", () => {
    it("should revert with NotDelegate, for what was signed before too", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, f.patient);
      const { act } = await grant(f, delegate);
      await appointDelegate(f, f.patient, { delegate, until: 0 });
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "NotDelegate")
        .withArgs(f.patient.patientId, delegate.bytes, 0);
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead", async () => {
      const f = await loadWithStaff();
      const delegate = await appointDelegate(f, f.patient);
      const { loosensFrom } = await completeChange(f, f.patient.patientId, { kind: "DEAD" });
      const { act } = await grant(f, delegate);
      await nextBlockAt(loosensFrom);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "PatientIsDead")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given a change of the patient took effect less than a delay ago", () => {
    it("should revert with LoosensLater until then", async () => {
      const f = await loadWithStaff();
      const delegate = await appointDelegate(f, f.patient);
      const { loosensFrom } = await completeChange(f, f.patient.patientId, { kind: "INCAPABLE" });
      const { act } = await grant(f, delegate);
      await nextBlockAt(loosensFrom - 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(f.patient.patientId, loosensFrom);
      await nextBlockAt(loosensFrom);
      await act();
    });
  });

  describe("when the terms may not be given", () => {
    it("should revert with the error of the terms", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, f.patient);
      const legal = 1 << Purpose.HLEGAL;
      for (const [changes, error, args] of [
        [{ format: 2 }, "TermsFormatUnsupported", [2]],
        [{ compartments: 0n }, "TermsCompartmentsEmpty", []],
        [{ purposes: legal }, "TermsPurposesInvalid", [legal]],
      ] as const) {
        const { act } = await grant(f, delegate, changes);
        await expect(act())
          .to.be.revertedWithCustomError(f.consents, error)
          .withArgs(...args);
      }
    });
  });

  describe("given the patient granted or revoked the terms", () => {
    it("should revert with TermsAlreadyGranted, later with TermsRevoked", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const delegate = await appointDelegate(f, f.patient);
      const { terms, termsHash } = await grantTerms(f, f.patient);
      const { act } = await grant(f, delegate, terms);
      await expect(act())
        .to.be.revertedWithCustomError(f.consents, "TermsAlreadyGranted")
        .withArgs(patientId, termsHash);
      const revokedAt = await revokeTerms(f, f.patient, termsHash);
      await expect(act())
        .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
        .withArgs(patientId, termsHash, revokedAt);
    });
  });

  describe("when a standing delegate signed", () => {
    it("should emit GrantGiven by the delegate, and store it with the custodian", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const { terms, act } = await grant(f, await appointDelegate(f, f.patient));
      const grantedAt = await nextBlockAt();
      await expect(act())
        .to.emit(f.consents, "GrantGiven")
        .withArgs(
          patientId,
          termsHashOf(terms),
          terms.grantee,
          Object.values(terms),
          GivenBy.DELEGATE,
          grantedAt,
        );
      expect(await f.consents.grantOf(patientId, termsHashOf(terms))).to.deep.equal([
        GivenBy.DELEGATE,
        BigInt(grantedAt),
        0n,
        1n,
      ]);
    });

    it("should return the terms hash", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, f.patient);
      const terms = await termsFor(f.patient.patientId);
      const signature = await signTerms(f, delegate, terms);
      const { grantByDelegate } = f.consents;
      expect(await grantByDelegate.staticCall(terms, delegate.bytes, signature)).to.equal(termsHashOf(terms));
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithPatient();
      const { act } = await grant(f, await appointDelegate(f, f.patient));
      await expectHeadAdvance(f.consents, f.patient.patientId, act);
    });
  });
});
