// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import {
  GivenBy,
  REVOCATION_TYPES,
  domain,
  keySigner,
  nextBlockAt,
  registerPatient,
  registerSigner,
  signTerms,
} from "../consortium.js";
import { grantTerms, loadConsortium, loadWithPatient } from "../fixtures.js";
import { expectHeadAdvance, expectNoTrace } from "../heads.js";
import { revokeTerms, signRevocation } from "../patient-acts.js";
import { together } from "../guardians.js";
import { completeChange, registerGuarded } from "../proxies.js";
import { loadWithStaff } from "../witnesses.js";

const NEVER_GRANTED = id("terms that were never granted");

describe("ConsentRegistry.revoke", () => {
  shouldRequireSigningPatient(loadWithPatient, (f, patientId) =>
    f.consents.revoke(patientId, NEVER_GRANTED, "0x"),
  );

  shouldRequireSignature(loadConsortium, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    return {
      patientId,
      domain: await domain(f.consents, "ConsentRegistry"),
      types: REVOCATION_TYPES,
      value: { patientId, termsHash: NEVER_GRANTED },
      act: (signature) => f.consents.connect(f.relay).revoke(patientId, NEVER_GRANTED, signature),
    };
  });

  describe("when the signature is over other terms", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const signature = await signRevocation(f, f.patient, NEVER_GRANTED);
      await expect(f.consents.revoke(f.patient.patientId, id("other terms"), signature))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("when the signature is the one that granted the terms", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const { terms, termsHash } = await grantTerms(f, f.patient);
      await expect(f.consents.revoke(terms.patientId, termsHash, await signTerms(f, f.patient.wallet, terms)))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(terms.patientId);
    });
  });

  describe("when a repeat has a wrong signature", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      await revokeTerms(f, f.patient, NEVER_GRANTED);
      await expect(f.consents.revoke(f.patient.patientId, NEVER_GRANTED, "0x"))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given the terms are revoked already", () => {
    it("should neither emit an event nor move the head nor change the time", async () => {
      const f = await loadWithPatient();
      const { termsHash } = await grantTerms(f, f.patient);
      const revokedAt = await revokeTerms(f, f.patient, termsHash);
      await expectNoTrace(f.consents, f.patient.patientId, () => revokeTerms(f, f.patient, termsHash));
      expect((await f.consents.grantOf(f.patient.patientId, termsHash)).revokedAt).to.equal(revokedAt);
    });
  });

  describe("given the terms are granted", () => {
    it("should emit GrantRevoked", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const { termsHash } = await grantTerms(f, f.patient);
      const signature = await signRevocation(f, f.patient, termsHash);
      const revokedAt = await nextBlockAt();
      await expect(f.consents.connect(f.outsider).revoke(patientId, termsHash, signature))
        .to.emit(f.consents, "GrantRevoked")
        .withArgs(patientId, termsHash, GivenBy.PATIENT, revokedAt);
    });

    it("should store the time and keep the rest of the grant", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const { termsHash } = await grantTerms(f, f.patient);
      const [givenBy, grantedAt, , custodian] = await f.consents.grantOf(patientId, termsHash);
      const revokedAt = await revokeTerms(f, f.patient, termsHash);
      expect(await f.consents.grantOf(patientId, termsHash)).to.deep.equal([
        givenBy,
        grantedAt,
        BigInt(revokedAt),
        custodian,
      ]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithPatient();
      const { termsHash } = await grantTerms(f, f.patient);
      await expectHeadAdvance(f.consents, f.patient.patientId, () => revokeTerms(f, f.patient, termsHash));
    });
  });

  describe("given the terms were never granted", () => {
    it("should emit GrantRevoked and store nothing but the time", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const signature = await signRevocation(f, f.patient, NEVER_GRANTED);
      const revokedAt = await nextBlockAt();
      await expect(f.consents.revoke(patientId, NEVER_GRANTED, signature))
        .to.emit(f.consents, "GrantRevoked")
        .withArgs(patientId, NEVER_GRANTED, GivenBy.PATIENT, revokedAt);
      expect(await f.consents.grantOf(patientId, NEVER_GRANTED)).to.deep.equal([
        0n,
        0n,
        BigInt(revokedAt),
        0n,
      ]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithPatient();
      await expectHeadAdvance(f.consents, f.patient.patientId, () =>
        revokeTerms(f, f.patient, NEVER_GRANTED),
      );
    });
  });

  describe("given another patient's terms", () => {
    it("should leave them granted", async () => {
      const f = await loadWithPatient();
      const { termsHash } = await grantTerms(f, f.patient);
      await revokeTerms(f, await registerPatient(f), termsHash);
      expect((await f.consents.grantOf(f.patient.patientId, termsHash)).revokedAt).to.equal(0);
    });
  });

  describe("given guardians sign for the patient", () => {
    it("should emit GrantRevoked by the guardians, and store the time", async () => {
      const f = await loadWithStaff();
      const { patientId, wallet } = await registerGuarded(f);
      const signature = await wallet.signTypedData(
        await domain(f.consents, "ConsentRegistry"),
        REVOCATION_TYPES,
        { patientId, termsHash: NEVER_GRANTED },
      );
      const revokedAt = await nextBlockAt();
      await expect(f.consents.revoke(patientId, NEVER_GRANTED, signature))
        .to.emit(f.consents, "GrantRevoked")
        .withArgs(patientId, NEVER_GRANTED, GivenBy.GUARDIANS, revokedAt);
      expect((await f.consents.grantOf(patientId, NEVER_GRANTED)).revokedAt).to.equal(revokedAt);
    });

    it("should revert with GuardiansTooFew when one of two signed", async () => {
      const f = await loadWithStaff();
      const { patientId, guardians } = await registerGuarded(f);
      const signature = await together(...guardians.slice(0, 1)).signTypedData(
        await domain(f.consents, "ConsentRegistry"),
        REVOCATION_TYPES,
        { patientId, termsHash: NEVER_GRANTED },
      );
      await expect(f.consents.revoke(patientId, NEVER_GRANTED, signature))
        .to.be.revertedWithCustomError(f.patients, "GuardiansTooFew")
        .withArgs(1, 2);
    });
  });

  describe("given a change of the patient took effect just now", () => {
    it("should pass: it tightens", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      const signer = keySigner();
      const { termsHash } = await grantTerms(f, f.patient);
      await completeChange(f, patientId, { kind: "SIGNER", signer });
      const signature = await signer.signTypedData(
        await domain(f.consents, "ConsentRegistry"),
        REVOCATION_TYPES,
        { patientId, termsHash },
      );
      await f.consents.revoke(patientId, termsHash, signature);
    });
  });
});
