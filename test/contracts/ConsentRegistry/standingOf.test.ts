// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { networkHelpers, registerPatient } from "../consortium.js";
import { loadWithGrant } from "../fixtures.js";
import { revokeTerms, setDirective } from "../patient-acts.js";

describe("ConsentRegistry.standingOf", () => {
  describe("given the terms were never granted", () => {
    it("should revert with GrantUnknown", async () => {
      const f = await loadWithGrant();
      const other = await registerPatient(f);
      for (const [patientId, termsHash] of [
        [f.patient.patientId, id("other terms")],
        [other.patientId, f.termsHash],
      ] as const) {
        await expect(f.consents.standingOf(patientId, termsHash))
          .to.be.revertedWithCustomError(f.consents, "GrantUnknown")
          .withArgs(patientId, termsHash);
      }
    });
  });

  describe("given the terms are revoked, whether or not they were granted", () => {
    it("should revert with TermsRevoked", async () => {
      const f = await loadWithGrant();
      for (const termsHash of [f.termsHash, id("other terms")]) {
        const revokedAt = await revokeTerms(f, f.patient, termsHash);
        await expect(f.consents.standingOf(f.patient.patientId, termsHash))
          .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
          .withArgs(f.patient.patientId, termsHash, revokedAt);
      }
    });
  });

  describe("given a directive denies all", () => {
    it("should revert with DirectiveDeniesAll", async () => {
      const f = await loadWithGrant();
      await setDirective(f, f.patient, { denyAll: true });
      await expect(f.consents.standingOf(f.patient.patientId, f.termsHash))
        .to.be.revertedWithCustomError(f.consents, "DirectiveDeniesAll")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given no directive", () => {
    it("should return the custodian and deny no compartment", async () => {
      const f = await loadWithGrant();
      expect(await f.consents.standingOf(f.patient.patientId, f.termsHash)).to.deep.equal([1n, 0n]);
    });
  });

  describe("given a directive that denies compartments", () => {
    it("should return them", async () => {
      const f = await loadWithGrant();
      await setDirective(f, f.patient, { deniedCompartments: (1n << 63n) | 1n });
      expect(await f.consents.standingOf(f.patient.patientId, f.termsHash)).to.deep.equal([
        1n,
        (1n << 63n) | 1n,
      ]);
    });
  });

  describe("given the terms' period has ended", () => {
    it("should still return, for the caller checks what the terms say", async () => {
      const f = await loadWithGrant();
      await networkHelpers.time.increaseTo(f.terms.notAfter + 1);
      expect(await f.consents.standingOf(f.patient.patientId, f.termsHash)).to.deep.equal([1n, 0n]);
    });
  });
});
