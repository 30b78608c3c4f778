// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { shouldRequireSignature } from "../behaviours/signature.js";
import {
  GivenBy,
  REVOCATION_TYPES,
  domain,
  keySigner,
  nextBlockAt,
  now,
  registerPatient,
  signTerms,
} from "../consortium.js";
import type { PatientSigner } from "../consortium.js";
import { grantTerms, loadWithPatient } from "../fixtures.js";
import type { WithPatient } from "../fixtures.js";
import { expectHeadAdvance, expectNoTrace } from "../heads.js";
import { revokeTerms, signRevocation } from "../patient-acts.js";
import { appointDelegate, completeChange } from "../proxies.js";
import { loadWithStaff } from "../witnesses.js";

const NEVER_GRANTED = id("terms that were never granted");

/** Signs a revocation as `delegate`; what it returns sends it. */
async function revocation(
  f: WithPatient,
  delegate: PatientSigner,
  termsHash = NEVER_GRANTED,
  patientId = f.patient.patientId,
) {
  const separator = await domain(f.consents, "ConsentRegistry");
  const signature = await delegate.signTypedData(separator, REVOCATION_TYPES, { patientId, termsHash });
  const relayed = f.consents.connect(f.relay);
  return () => relayed.revokeByDelegate(patientId, termsHash, delegate.bytes, signature);
}

describe("ConsentRegistry.revokeByDelegate", () => {
  shouldRequireSignature(loadWithPatient, async (f, signer) => {
    const { patientId } = f.patient;
    await appointDelegate(f, f.patient, { delegate: signer });
    return {
      patientId,
      domain: await domain(f.consents, "ConsentRegistry"),
      types: REVOCATION_TYPES,
      value: { patientId, termsHash: NEVER_GRANTED },
      act: (signature) => f.consents.revokeByDelegate(patientId, NEVER_GRANTED, signer.bytes, signature),
    };
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithPatient();
      const act = await revocation(f, keySigner(), NEVER_GRANTED, id("nobody"));
      await expect(act()).to.be.revertedWithCustomError(f.patients, "PatientUnknown").withArgs(id("nobody"));
    });
  });

  describe("given the key is nobody's or another patient's delegate", () => {
    it("should revert with NotDelegate", async () => {
      const f = await loadWithPatient();
      for (const signer of [keySigner(), await appointDelegate(f, await registerPatient(f))]) {
        const act = await revocation(f, signer);
        await expect(act())
          .to.be.revertedWithCustomError(f.patients, "NotDelegate")
          .withArgs(f.patient.patientId, signer.bytes, 0);
      }
    });
  });

  describe("when the patient himself signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const { bytes } = await appointDelegate(f, f.patient);
      const signature = await signRevocation(f, f.patient, NEVER_GRANTED);
      await expect(f.consents.revokeByDelegate(f.patient.patientId, NEVER_GRANTED, bytes, signature))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("when the delegate signed other terms, or their grant", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const delegate = await appointDelegate(f, f.patient);
      const { terms, termsHash } = await grantTerms(f, f.patient);
      const separator = await domain(f.consents, "ConsentRegistry");
      for (const signature of [
        await delegate.signTypedData(separator, REVOCATION_TYPES, { patientId, termsHash: NEVER_GRANTED }),
        await signTerms(f, delegate, terms),
      ]) {
        await expect(f.consents.revokeByDelegate(patientId, termsHash, delegate.bytes, signature))
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(patientId);
      }
    });
  });

  describe("given the delegation ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithPatient();
      const until = (await now()) + 600;
      const act = await revocation(f, await appointDelegate(f, f.patient, { until }));
      await nextBlockAt(until);
      await act();
    });
  });

  describe("given the delegation ended a second ago", () => {
    it("should revert with NotDelegate", async () => {
      const f = await loadWithPatient();
      const until = (await now()) + 600;
      const delegate = await appointDelegate(f, f.patient, { until });
      const act = await revocation(f, delegate);
      await nextBlockAt(until + 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "NotDelegate")
        .withArgs(f.patient.patientId, delegate.bytes, until);
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead", async () => {
      const f = await loadWithStaff();
      const delegate = await appointDelegate(f, f.patient);
      await completeChange(f, f.patient.patientId, { kind: "DEAD" });
      const act = await revocation(f, delegate);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "PatientIsDead")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given a change of the patient took effect just now", () => {
    it("should pass: it tightens", async () => {
      const f = await loadWithStaff();
      const delegate = await appointDelegate(f, f.patient);
      await completeChange(f, f.patient.patientId, { kind: "INCAPABLE" });
      const act = await revocation(f, delegate);
      await act();
    });
  });

  describe("given the terms are revoked already", () => {
    it("should neither emit an event nor move the head nor change the time", async () => {
      const f = await loadWithPatient();
      const revokedAt = await revokeTerms(f, f.patient, NEVER_GRANTED);
      const act = await revocation(f, await appointDelegate(f, f.patient));
      await expectNoTrace(f.consents, f.patient.patientId, act);
      const { revokedAt: stored } = await f.consents.grantOf(f.patient.patientId, NEVER_GRANTED);
      expect(stored).to.equal(revokedAt);
    });
  });

  describe("given the patient granted the terms", () => {
    it("should emit GrantRevoked by the delegate, and keep the rest of the grant", async () => {
      const f = await loadWithPatient();
      const { patientId } = f.patient;
      const delegate = await appointDelegate(f, f.patient);
      const { termsHash } = await grantTerms(f, f.patient);
      const [givenBy, grantedAt, , custodian] = await f.consents.grantOf(patientId, termsHash);
      const act = await revocation(f, delegate, termsHash);
      const revokedAt = await nextBlockAt();
      await expect(act())
        .to.emit(f.consents, "GrantRevoked")
        .withArgs(patientId, termsHash, GivenBy.DELEGATE, revokedAt);
      expect(await f.consents.grantOf(patientId, termsHash)).to.deep.equal([
        givenBy,
        grantedAt,
        BigInt(revokedAt),
        custodian,
      ]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithPatient();
      const delegate = await appointDelegate(f, f.patient);
      const { termsHash } = await grantTerms(f, f.patient);
      await expectHeadAdvance(f.consents, f.patient.patientId, await revocation(f, delegate, termsHash));
    });
  });
});
