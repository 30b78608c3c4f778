// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { ActFile } from "../../src/acts/index.js";
import type { Hex } from "../../src/crypto/index.js";
import {
  IN_TEN_YEARS,
  DAY,
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
import { IN_A_YEAR, PatientDevice } from "../support/sharing.js";

describe("acts of several people", function () {
  this.timeout(120_000);
  let s: ActStage;
  before(async () => {
    s = await actStage();
  });
  after(() => s[Symbol.asyncDispose]());

  const acts = () => s.a.acts();
  const terms = (patient: Hex) =>
    s.a.consent.terms({ patient, grantee: s.b.memberId, purposes: ["TREAT"], notAfter: IN_A_YEAR }).terms;
  const givenBy = async (patient: Hex, file: ActFile) => {
    const hash = s.a.consent.prepared((file.act as { terms: ReturnType<typeof terms> }).terms).termsHash;
    return Number((await s.b.chain.consents.grantOf(patient, hash)).givenBy);
  };

  describe("another key", () => {
    it("takes the place of the first, which signs no more", async () => {
      const [old, next] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, old);
      await carriedOut(s, acts().rotation(patient, next.signer), old, next);
      expect((await acts().standing(patient)).signer).to.equal(next.signer.toLowerCase());
      await carriedOut(s, acts().grant(terms(patient)), next);
      const late = await acts().grant(terms(patient));
      await rejected("ERR_ACT_INVALID", signedBy(s, late, old));
    });

    it("is refused without its own signature, and without the patient's", async () => {
      const [old, next] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, old);
      const file = await acts().rotation(patient, next.signer);
      const byOld = await rejected("ERR_ACT_INCOMPLETE", carriedOut(s, file, old));
      expect(byOld.values).to.include({ struct: "PatientSigner", key: next.signer.toLowerCase() });
      const byNew = await rejected("ERR_ACT_INCOMPLETE", carriedOut(s, file, next));
      expect(byNew.values).to.include({ struct: "SignerRotation", missing: 1 });
    });

    it("serves no second patient", async () => {
      const [device, other] = [new PatientDevice(), new PatientDevice()];
      await withDevice(s, device);
      const patient = await withDevice(s, other);
      const file = acts().rotation(patient, device.signer);
      expect(await reasonOf(carriedOut(s, file, other, device))).to.equal("KeyInUse");
    });
  });

  describe("guardians", () => {
    const [mother, father, worker] = [new PatientDevice(), new PatientDevice(), new PatientDevice()];
    let child: Hex;
    before(async () => {
      child = await withGuardians(s, [mother, father, worker], 2);
    });

    it("grant, revoke and deny for a child, as many as must sign, one after the other", async () => {
      const granted = await acts().grant(terms(child));
      expect(granted).to.include({ authority: "guardians", threshold: 2 });
      await carriedOut(s, granted, worker, mother);
      expect(await givenBy(child, granted)).to.equal(2);
      const { termsHash } = s.a.consent.prepared((granted.act as { terms: ReturnType<typeof terms> }).terms);
      await carriedOut(s, acts().revocation(child, termsHash), mother, father);
      expect((await s.a.chain.consents.grantOf(child, termsHash)).revokedAt).not.to.equal(0n);
      await carriedOut(s, acts().directive({ patient: child, denyAll: true }), mother, father, worker);
      expect((await s.a.chain.consents.directiveOf(child)).denyAll).to.be.true;
      await carriedOut(s, acts().directive({ patient: child }), father, worker);
    });

    it("are too few alone, and one of them counts once", async () => {
      const file = await acts().grant(terms(child));
      const alone = await rejected("ERR_ACT_INCOMPLETE", carriedOut(s, file, mother, mother));
      expect(alone.values).to.deep.include({ struct: "Terms", missing: 1 });
      const lying = { ...file, threshold: 1 };
      expect(await reasonOf(carriedOut(s, lying, mother))).to.equal("GuardiansTooFew");
    });

    it("are none but those whom the chain has", async () => {
      const stranger = new PatientDevice();
      const file = await acts().grant(terms(child));
      await rejected("ERR_ACT_INVALID", signedBy(s, file, stranger));
      const signers = [...file.signers, stranger.signer.toLowerCase() as Hex];
      expect(await reasonOf(carriedOut(s, { ...file, signers }, mother, stranger))).to.equal("NotGuardian");
    });

    it("replace each other together, and the new ones show that they have their keys", async () => {
      const aunt = new PatientDevice();
      const keys = [mother.signer, aunt.signer];
      const request = { guardians: keys, threshold: 2, until: IN_TEN_YEARS };
      const file = await acts().guardians(child, request);
      const lacks = await rejected("ERR_ACT_INCOMPLETE", carriedOut(s, file, mother, father));
      expect(lacks.values).to.include({ struct: "PatientGuardian", key: aunt.signer.toLowerCase() });
      await carriedOut(s, file, mother, father, aunt);
      expect((await acts().standing(child)).guardians).to.have.members(keys.map((key) => key.toLowerCase()));
      const late = await acts().grant(terms(child));
      await rejected("ERR_ACT_INVALID", signedBy(s, late, father));
      const back = { guardians: [mother, father, worker].map(({ signer }) => signer), threshold: 2 };
      const again = acts().guardians(child, { ...back, until: IN_TEN_YEARS });
      await carriedOut(s, again, mother, aunt, father, worker);
    });

    it("name nobody who outlasts them", async () => {
      const later = new Date(IN_TEN_YEARS.getTime() + DAY * 1000);
      const request = { guardians: [mother.signer], threshold: 1, until: later };
      const file = acts().guardians(child, request);
      expect(await reasonOf(carriedOut(s, file, mother, father))).to.equal("GuardiansOutlasted");
    });

    it("give a first key, and no second one", async () => {
      const parent = new PatientDevice();
      const [first, second] = [new PatientDevice(), new PatientDevice()];
      const youth = await withGuardians(s, [parent]);
      await carriedOut(s, acts().rotation(youth, first.signer), parent, first);
      const standing = await acts().standing(youth);
      expect(standing).to.include({ signer: first.signer.toLowerCase(), threshold: 1 });
      const file = await acts().rotation(youth, second.signer);
      expect(file.authority).to.equal("patient");
      await rejected("ERR_ACT_INVALID", signedBy(s, file, parent));
    });

    it("end, and then nobody signs", async () => {
      const parent = new PatientDevice();
      const orphan = await withGuardians(s, [parent]);
      await carriedOut(
        s,
        acts().guardians(orphan, { guardians: [], threshold: 0, until: new Date(0) }),
        parent,
      );
      const error = await rejected("ERR_ACT_INVALID", acts().grant(terms(orphan)));
      expect(error.hint).to.contain("witnesses");
    });

    it("are refused as no set before anybody signs", async () => {
      const [key, other] = [mother.signer, father.signer];
      for (const [guardians, threshold] of [
        [[key], 2],
        [[key], 0],
        [[key, key], 1],
        [Array.from({ length: 9 }, () => new PatientDevice().signer), 1],
        [[`${other}00`.slice(0, 41) as Hex], 1],
      ] as const) {
        await rejected("ERR_USAGE", acts().guardians(child, { guardians, threshold, until: IN_TEN_YEARS }));
      }
    });
  });

  describe("a delegate", () => {
    it("grants and revokes until his day, and not after it is taken back", async () => {
      const [device, friend] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, device);
      await carriedOut(s, acts().delegation(patient, friend.signer, IN_TEN_YEARS), device, friend);
      const granted = await acts().grant(terms(patient), { delegate: friend.signer });
      await carriedOut(s, granted, friend);
      expect(await givenBy(patient, granted)).to.equal(4);
      const { termsHash } = s.a.consent.prepared(terms(patient));
      await carriedOut(s, acts().revocation(patient, termsHash, { delegate: friend.signer }), friend);
      await carriedOut(s, acts().delegation(patient, friend.signer, null), device);
      const late = acts().grant(terms(patient), { delegate: friend.signer });
      expect(await reasonOf(carriedOut(s, late, friend))).to.equal("NotDelegate");
    });

    it("is nobody whom the patient did not name", async () => {
      const patient = await withDevice(s);
      const stranger = new PatientDevice();
      const file = acts().grant(terms(patient), { delegate: stranger.signer });
      expect(await reasonOf(carriedOut(s, file, stranger))).to.equal("NotDelegate");
    });
  });

  describe("relaying", () => {
    it("is for anyone, once, and not after the deadline", async () => {
      const device = new PatientDevice();
      const patient = await withDevice(s, device);
      const first = await signedBy(s, await acts().directive({ patient, denyEmergency: true }), device);
      await s.b.acts("clinician").relay(first);
      const again = await rejected("ERR_ACT_INVALID", acts().relay(first));
      expect(again.values).to.deep.include({ nonce: 0, next: 1 });
      const second = await signedBy(s, await acts().directive({ patient }), device);
      await pass(s, 8 * DAY);
      expect(await reasonOf(acts().relay(second))).to.equal("DeadlinePassed");
    });

    it("refuses what was changed after it was signed, and a signature under another's name", async () => {
      const device = new PatientDevice();
      const patient = await withDevice(s, device);
      const file = await signedBy(s, await acts().directive({ patient, denyAll: true }), device);
      const changed = { ...file, act: { ...file.act, denyAll: false } } as ActFile;
      const error = await rejected("ERR_ACT_INVALID", acts().relay(changed));
      expect(error.values).to.include({ key: device.signer.toLowerCase(), struct: "Directive" });
      const another = new PatientDevice().signer.toLowerCase() as Hex;
      const signatures = [{ ...file.signatures[0]!, key: another }];
      await rejected("ERR_ACT_INVALID", acts().relay({ ...file, signers: [another], signatures }));
    });

    it("refuses an act of another chain", async () => {
      const file = await acts().grant(terms(await withDevice(s)));
      await rejected("ERR_CHAIN_MISMATCH", acts().relay({ ...file, chainId: 1 }));
    });

    it("registers a patient for his custodian only", async () => {
      const device = new PatientDevice();
      const pseudonym = await s.a.patients.reserve({ identifiers: [{ system: "urn:x", value: "acts" }] });
      const file = await signedBy(s, await acts().enrolment(pseudonym, { key: device.signer }), device);
      // Another member's operator would register another pseudonym, which the device did not sign.
      expect(await reasonOf(s.b.acts().relay(file))).to.equal("SignatureInvalid");
      await acts().relay(file);
      expect(await acts().standing(pseudonym.patientId)).to.include({ custodian: s.a.memberId });
    });
  });

  it("has nobody to ask for a patient without key and guardians, or one whom nobody knows", async () => {
    await rejected("ERR_ACT_INVALID", acts().grant(terms(await withoutDevice(s))));
    await rejected("ERR_PATIENT_UNKNOWN", acts().standing(`0x${"ab".repeat(32)}`));
  });
});
