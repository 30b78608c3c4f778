// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Result } from "ethers";
import type { ActFile, OnPaper } from "../../src/acts/index.js";
import { makeOrderTerms, type Terms } from "../../src/consent/index.js";
import { LeafKind, type Hex } from "../../src/crypto/index.js";
import {
  DAY,
  IN_TEN_YEARS,
  actStage,
  carriedOut,
  pass,
  reasonOf,
  signedBy,
  withDevice,
  withGuardians,
  withoutDevice,
  type ActStage,
} from "../support/acts.js";
import { rejected } from "../support/rejected.js";
import { PatientDevice, newStaff } from "../support/sharing.js";

describe("what two persons of staff attest", function () {
  this.timeout(120_000);
  let s: ActStage;
  before(async () => {
    s = await actStage();
  });
  after(() => s[Symbol.asyncDispose]());

  const on = (patientId: Hex, changes: Partial<OnPaper> & { kind?: 1 | 2 } = {}): OnPaper => ({
    first: s.a.signer("operator").address,
    anchor: (ref) =>
      s.a.anchorDocument({
        kind: changes.kind ?? LeafKind.CONSENT_DOCUMENT,
        patientId,
        ref,
        mediaType: "application/pdf",
        label: "form",
        bytes: Buffer.from(`scan of ${ref}`),
      }),
    ...changes,
  });
  const orderOn = (patientId: Hex): OnPaper =>
    on(patientId, { kind: LeafKind.LEGAL_ORDER, first: s.reviewerA.signer.address });
  const terms = (patient: Hex): Terms =>
    s.a.consent.terms({ patient, grantee: s.b.memberId, purposes: ["TREAT"], notAfter: IN_TEN_YEARS }).terms;
  const hashOf = (of: Terms) => s.a.consent.prepared(of).termsHash;
  const relayAs = async (file: ActFile, chartseal = s.a) => await chartseal.acts().relay(file);

  describe("consent on paper", () => {
    it("stands for a patient for whom nobody can sign, and is revoked on paper", async () => {
      const patient = await withoutDevice(s);
      const given = terms(patient);
      await carriedOut(s, s.a.attestations.grant(given, on(patient)), s.witness.signer);
      expect((await s.a.chain.consents.grantOf(patient, hashOf(given))).givenBy).to.equal(3n);
      const other = on(patient, {
        anchor: (ref) =>
          s.a.anchorDocument({
            kind: LeafKind.CONSENT_DOCUMENT,
            patientId: patient,
            ref,
            mediaType: "application/pdf",
            label: "form",
            bytes: Buffer.from("the revocation's form"),
          }),
      });
      await carriedOut(s, s.a.attestations.revocation(patient, hashOf(given), other), s.witness.signer);
      expect((await s.a.chain.consents.grantOf(patient, hashOf(given))).revokedAt).not.to.equal(0n);
    });

    it("is used once", async () => {
      const patient = await withDevice(s);
      const { termsHash } = s.a.consent.prepared(terms(patient));
      const file = await s.a.attestations.revocation(patient, termsHash, on(patient));
      const signed = await signedBy(s, file, s.witness.signer);
      await relayAs(signed);
      expect(await reasonOf(relayAs(signed))).to.equal("DocumentUsed");
    });

    it("is nothing for a patient who can sign, or for whom guardians do", async () => {
      for (const patient of [await withDevice(s), await withGuardians(s, [new PatientDevice()])]) {
        const file = s.a.attestations.grant(terms(patient), on(patient));
        expect(await reasonOf(carriedOut(s, file, s.witness.signer))).to.equal("PatientCanSign");
      }
    });

    it("denies more for any patient, keeping what he denied himself", async () => {
      const device = new PatientDevice();
      const patient = await withDevice(s, device);
      await carriedOut(s, s.a.acts().directive({ patient, deniedCompartments: [3] }), device);
      const request = { patient, denyAll: true, deniedCompartments: [5] };
      await carriedOut(s, s.a.attestations.denial(request, on(patient)), s.witness.signer);
      const directive = (await s.a.chain.consents.directiveOf(patient)) as unknown as Result;
      expect(directive.toObject()).to.include({
        denyAll: true,
        denyEmergency: false,
        deniedCompartments: 40n,
      });
    });

    it("takes back no denial", async () => {
      const device = new PatientDevice();
      const patient = await withDevice(s, device);
      await carriedOut(s, s.a.acts().directive({ patient, denyAll: true }), device);
      const file = await s.a.attestations.denial({ patient }, on(patient));
      const loosened = { ...file, act: { ...file.act, denyAll: false } } as ActFile;
      expect(await reasonOf(carriedOut(s, loosened, s.witness.signer))).to.equal("WitnessesOnlyTighten");
    });

    it("needs two persons of the custodian's, both past their waiting time", async () => {
      const patient = await withoutDevice(s);
      const file = await s.a.attestations.grant(terms(patient), on(patient));
      const one = await rejected("ERR_ACT_INCOMPLETE", relayAs(file));
      expect(one.values).to.include({ struct: "Witnessing", missing: 1 });
      const relayed = async (signer: Parameters<typeof signedBy>[2]) =>
        await reasonOf(relayAs(await signedBy(s, file, signer)));
      expect(await relayed(s.a.signer("operator"))).to.equal("SamePerson");
      expect(await relayed(s.reviewerB.signer)).to.equal("NotOfCustodian");
      expect(await relayed(new PatientDevice())).to.equal("StaffUnknown");
      const { signer: fresh } = await newStaff(s.a, s.hospitals.a, ["CLINICIAN"]);
      expect(await relayed(fresh)).to.equal("StaffTooNew");
      // A colleague's signature takes the place of one that should not have been.
      await relayAs(await signedBy(s, file, s.reviewerB.signer, s.witness.signer));
    });

    it("is relayed by the first of the two only, before the second's deadline", async () => {
      const patient = await withoutDevice(s);
      const file = await s.a.attestations.grant(terms(patient), on(patient));
      const signed = await signedBy(s, file, s.witness.signer);
      const error = await rejected("ERR_ACT_INVALID", s.a.acts("releaser").relay(signed));
      expect(error.hint).to.contain("--as");
      await pass(s, 8 * DAY);
      expect(await reasonOf(relayAs(signed))).to.equal("CosignatureExpired");
    });

    it("rests on its own document, of this patient, for these terms", async () => {
      const [patient, other] = [await withoutDevice(s), await withoutDevice(s)];
      const given = terms(patient);
      const ofOther = { ...on(patient), anchor: on(other).anchor };
      const asOrder = { ...on(patient), anchor: orderOn(patient).anchor };
      const forOther = { ...on(patient), anchor: () => on(patient).anchor(hashOf(terms(patient))) };
      for (const paper of [ofOther, asOrder, forOther]) {
        const file = s.a.attestations.grant(given, paper);
        expect(await reasonOf(carriedOut(s, file, s.witness.signer))).to.equal("DocumentMismatch");
      }
    });
  });

  describe("a legal order", () => {
    const orderTerms = (patient: Hex) =>
      makeOrderTerms({ patient, grantee: s.b.memberId, notAfter: IN_TEN_YEARS });
    const relayed = async (file: ActFile) => {
      const { Acts } = await import("../../src/acts/index.js");
      await new Acts(s.a.chain, () => s.reviewerA.writer).relay(file);
    };

    it("is entered and lifted by reviewers of two members", async () => {
      const patient = await withDevice(s);
      const ordered = orderTerms(patient);
      const file = await s.a.attestations.order(ordered, orderOn(patient));
      await relayed(await signedBy(s, file, s.reviewerB.signer));
      const order = (await s.a.chain.orders.orderOf(patient, hashOf(ordered))) as unknown as Result;
      expect(order.toObject()).to.include({ custodian: BigInt(s.a.memberId), liftedAt: 0n });
      const lift = await s.a.attestations.orderLift(patient, hashOf(ordered), s.reviewerA.signer.address);
      await relayed(await signedBy(s, lift, s.reviewerB.signer));
      expect((await s.a.chain.orders.orderOf(patient, hashOf(ordered))).liftedAt).not.to.equal(0n);
    });

    it("is not entered by reviewers of one member, or by who is none", async () => {
      const patient = await withDevice(s);
      const file = await s.a.attestations.order(orderTerms(patient), orderOn(patient));
      const { signer: colleague } = await newStaff(s.a, s.hospitals.a, ["REVIEWER"]);
      await pass(s, 3_700);
      expect(await reasonOf(relayed(await signedBy(s, file, colleague)))).to.equal("ReviewersOfOneMember");
      expect(await reasonOf(relayed(await signedBy(s, file, s.witness.signer)))).to.equal("StaffRoleMissing");
      await rejected("ERR_ACT_INCOMPLETE", relayed(file));
    });

    it("has no other purpose than the order's", async () => {
      const patient = await withDevice(s);
      const file = s.a.attestations.order(terms(patient), orderOn(patient));
      const signed = await signedBy(s, await file, s.reviewerB.signer);
      expect(await reasonOf(relayed(signed))).to.match(/Purpose/);
    });
  });
});
