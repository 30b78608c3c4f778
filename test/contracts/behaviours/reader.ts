// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { dataSlice } from "ethers";
import { Purpose, YEAR, ethers, nextBlockAt, now, termsFor } from "../consortium.js";
import { revokeTerms, setDirective } from "../patient-acts.js";
import { TERMS_WORDS, callDirtied, dirtied } from "../dirty-words.js";
import type { RawCall } from "../dirty-words.js";
import { grantTerms, hashTermsWords, loadWithGrant, termsHashOf } from "../fixtures.js";
import type { WithGrant } from "../fixtures.js";
import { shouldRequireStaff } from "./staff.js";

/** A request under a grant: `act` succeeds for a clinician of hospital B with the fixture's terms. */
export interface ReaderCase {
  act: (
    f: WithGrant,
    request?: { as?: HardhatEthersSigner; terms?: WithGrant["terms"]; purpose?: number },
  ) => Promise<unknown>;
  /** The call by hand; the terms are its first ten argument words, the purpose the eleventh. */
  raw: (f: WithGrant) => Promise<RawCall>;
}

/** Everything that reader, terms, grant and directive must meet before anything is said about records. */
export function shouldRequireReader(test: ReaderCase): void {
  shouldRequireStaff({
    load: loadWithGrant,
    staff: (f) => f.clinicianB,
    memberId: 2,
    role: "CLINICIAN",
    activity: "READING",
    act: (f, as) => test.act(f, { as }),
  });
  shouldRequirePermittingTerms(test);
  shouldRequireStandingGrant(test);
  shouldObeyPeriod(test);
  shouldRefuseDirtyTerms(test);
}

function shouldRequirePermittingTerms({ act }: ReaderCase): void {
  describe("when the reader's member is not the grantee", () => {
    it("should revert with GranteeMismatch", async () => {
      const f = await loadWithGrant();
      await expect(act(f, { as: f.clinicianA }))
        .to.be.revertedWithCustomError(f.accessLog, "GranteeMismatch")
        .withArgs(2, 1);
    });
  });

  describe("when the purpose is not among the granted", () => {
    it("should revert with PurposeNotGranted", async () => {
      const f = await loadWithGrant();
      for (const purpose of [
        Purpose.ETREAT,
        Purpose.HRESCH,
        Purpose.PATRQT,
        Purpose.HLEGAL,
        Purpose.BTG,
        15,
      ]) {
        await expect(act(f, { purpose }))
          .to.be.revertedWithCustomError(f.accessLog, "PurposeNotGranted")
          .withArgs(purpose, f.terms.purposes);
      }
    });
  });

  describe("when the purpose is 16 or more", () => {
    it("should revert with PurposeNotGranted", async () => {
      const f = await loadWithGrant();
      for (const purpose of [16, 32, 255]) {
        await expect(act(f, { purpose }))
          .to.be.revertedWithCustomError(f.accessLog, "PurposeNotGranted")
          .withArgs(purpose, f.terms.purposes);
      }
    });
  });
}

function shouldRequireStandingGrant({ act }: ReaderCase): void {
  describe("given the terms were never granted", () => {
    it("should revert with GrantUnknown", async () => {
      const f = await loadWithGrant();
      for (const change of [{ salt: f.termsHash }, { notAfter: f.terms.notAfter + YEAR }, { format: 2 }]) {
        const terms = { ...f.terms, ...change };
        await expect(act(f, { terms }))
          .to.be.revertedWithCustomError(f.consents, "GrantUnknown")
          .withArgs(terms.patientId, termsHashOf(terms));
      }
    });
  });

  describe("given the grant was revoked", () => {
    it("should revert with TermsRevoked", async () => {
      const f = await loadWithGrant();
      const revokedAt = await revokeTerms(f, f.patient, f.termsHash);
      await expect(act(f))
        .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
        .withArgs(f.terms.patientId, f.termsHash, revokedAt);
    });
  });

  describe("given the terms were revoked and never granted", () => {
    it("should revert with TermsRevoked", async () => {
      const f = await loadWithGrant();
      const terms = await termsFor(f.patient.patientId);
      const revokedAt = await revokeTerms(f, f.patient, termsHashOf(terms));
      await expect(act(f, { terms }))
        .to.be.revertedWithCustomError(f.consents, "TermsRevoked")
        .withArgs(terms.patientId, termsHashOf(terms), revokedAt);
    });
  });

  describe("given the patient's directive denies all", () => {
    it("should revert with DirectiveDeniesAll", async () => {
      const f = await loadWithGrant();
      await setDirective(f, f.patient, { denyAll: true });
      await expect(act(f))
        .to.be.revertedWithCustomError(f.consents, "DirectiveDeniesAll")
        .withArgs(f.patient.patientId);
    });
  });

  describe("given a later directive no longer denies", () => {
    it("should pass", async () => {
      const f = await loadWithGrant();
      await setDirective(f, f.patient, { denyAll: true });
      await setDirective(f, f.patient, {});
      await act(f);
    });
  });

  describe("given a directive that denies emergency access only", () => {
    it("should pass", async () => {
      const f = await loadWithGrant();
      await setDirective(f, f.patient, { denyEmergency: true });
      await act(f);
    });
  });
}

function shouldObeyPeriod({ act }: ReaderCase): void {
  describe("given the grant begins in a second", () => {
    it("should revert with GrantNotYetValid", async () => {
      const f = await loadWithGrant();
      const notBefore = (await now()) + 600;
      const { terms } = await grantTerms(f, f.patient, { notBefore });
      await nextBlockAt(notBefore - 1);
      await expect(act(f, { terms }))
        .to.be.revertedWithCustomError(f.accessLog, "GrantNotYetValid")
        .withArgs(notBefore);
    });
  });

  describe("given the grant begins this second", () => {
    it("should pass", async () => {
      const f = await loadWithGrant();
      const notBefore = (await now()) + 600;
      const { terms } = await grantTerms(f, f.patient, { notBefore });
      await nextBlockAt(notBefore);
      await act(f, { terms });
    });
  });

  describe("given the grant ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithGrant();
      const { terms } = await grantTerms(f, f.patient, { notAfter: (await now()) + 600 });
      await nextBlockAt(terms.notAfter);
      await act(f, { terms });
    });
  });

  describe("given the grant ended a second ago", () => {
    it("should revert with GrantExpired", async () => {
      const f = await loadWithGrant();
      const { terms } = await grantTerms(f, f.patient, { notAfter: (await now()) + 600 });
      await nextBlockAt(terms.notAfter + 1);
      await expect(act(f, { terms }))
        .to.be.revertedWithCustomError(f.accessLog, "GrantExpired")
        .withArgs(terms.notAfter);
    });
  });
}

function shouldRefuseDirtyTerms({ raw }: ReaderCase): void {
  describe("when a word of the terms has bits outside its type", () => {
    it("should revert without a reason, or with GrantUnknown for the hash that it gives", async () => {
      const f = await loadWithGrant();
      const call = await raw(f);
      for (const field of TERMS_WORDS) {
        if (["patientId", "salt"].includes(field)) continue; // whole words
        const result = expect(callDirtied(call, TERMS_WORDS.indexOf(field)), field);
        if (["format", "compartments", "recordedFrom", "recordedTo"].includes(field)) {
          const dirty = dirtied(call.data, TERMS_WORDS.indexOf(field));
          await result.to.be
            .revertedWithCustomError(f.consents, "GrantUnknown")
            .withArgs(f.terms.patientId, hashTermsWords(dataSlice(dirty, 4, 4 + 32 * TERMS_WORDS.length)));
        } else {
          await result.to.be.revertedWithoutReason(ethers);
        }
      }
    });
  });

  describe("when the purpose has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithGrant();
      await expect(callDirtied(await raw(f), TERMS_WORDS.length)).to.be.revertedWithoutReason(ethers);
    });
  });
}
