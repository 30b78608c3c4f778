// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { ChangeRequest } from "../../src/acts/index.js";
import type { PatientSigner } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import {
  IN_TEN_YEARS,
  RECOVERY_DELAY,
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
import { PatientDevice } from "../support/sharing.js";

describe("changes that only time and two sides can make", function () {
  this.timeout(120_000);
  let s: ActStage;
  before(async () => {
    s = await actStage();
  });
  after(() => s[Symbol.asyncDispose]());

  const acts = () => s.a.acts();
  const grant = (patient: Hex, on: { delegate?: Hex } = {}) => {
    const request = { patient, grantee: s.b.memberId, purposes: ["TREAT"] as const, notAfter: IN_TEN_YEARS };
    return acts().grant(s.a.consent.terms(request).terms, on);
  };
  /** By the custodian and the reviewer of `b`. */
  const propose = async (patient: Hex, request: ChangeRequest, ...holders: PatientSigner[]) =>
    await carriedOut(s, acts().change(patient, request, "custodian"), ...holders, s.reviewerB.signer);
  const complete = async (patient: Hex) => {
    await pass(s, RECOVERY_DELAY);
    return await acts().complete(patient);
  };

  describe("a lost key", () => {
    it("comes back by the custodian with another member's reviewer, after the delay; what loosens waits one more", async () => {
      const [lost, next] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, lost);
      await propose(patient, { change: "SIGNER", keys: [next.signer] }, next);
      const { pending } = await acts().standing(patient);
      expect(pending).to.deep.include({
        change: "SIGNER",
        keys: [next.signer.toLowerCase()],
        reviewer: s.reviewerB.signer.address.toLowerCase(),
      });
      expect(await reasonOf(acts().complete(patient))).to.equal("ChangeNotReady");
      const standing = await complete(patient);
      expect(standing.signer).to.equal(next.signer.toLowerCase());
      expect(standing.pending).to.equal(undefined);
      expect(await reasonOf(carriedOut(s, grant(patient), next))).to.equal("LoosensLater");
      await carriedOut(s, acts().directive({ patient, denyAll: true }), next);
      await pass(s, RECOVERY_DELAY);
      await carriedOut(s, grant(patient), next);
    });

    it("is refused by who still holds it, and by nobody else", async () => {
      const [device, thief] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, device);
      await propose(patient, { change: "SIGNER", keys: [thief.signer] }, thief);
      const file = await acts().refusal(patient);
      await rejected("ERR_ACT_INVALID", signedBy(s, file, thief));
      await carriedOut(s, file, device);
      expect((await acts().standing(patient)).pending).to.equal(undefined);
      await rejected("ERR_ACT_INVALID", acts().complete(patient));
      await rejected("ERR_ACT_INVALID", acts().refusal(patient));
    });

    it("is not given by a reviewer of the custodian's own, nor by staff who are no reviewer, nor by the custodian alone", async () => {
      const next = new PatientDevice();
      const patient = await withDevice(s);
      const file = await acts().change(patient, { change: "SIGNER", keys: [next.signer] }, "custodian");
      expect(await reasonOf(carriedOut(s, file, next, s.reviewerA.signer))).to.equal("ReviewerOfCustodian");
      expect(await reasonOf(carriedOut(s, file, next, s.witness.signer))).to.equal("StaffRoleMissing");
      const alone = await rejected("ERR_ACT_INCOMPLETE", carriedOut(s, file, next));
      expect(alone.values["struct"]).to.equal("PatientChange");
      const others = s.b.acts().relay(await signedBy(s, file, next, s.reviewerB.signer));
      expect(await reasonOf(others)).to.equal("NotCustodian");
    });

    it("comes back by guardians", async () => {
      const [parent, first, next] = [new PatientDevice(), new PatientDevice(), new PatientDevice()];
      const patient = await withGuardians(s, [parent]);
      await carriedOut(s, acts().rotation(patient, first.signer), parent, first);
      const file = acts().change(patient, { change: "SIGNER", keys: [next.signer] }, "guardians");
      await carriedOut(s, file, parent, next);
      expect((await complete(patient)).signer).to.equal(next.signer.toLowerCase());
    });

    it("does not come back by guardians whom he does not have, nor while another change waits", async () => {
      const next = new PatientDevice();
      const patient = await withDevice(s);
      const request: ChangeRequest = { change: "SIGNER", keys: [next.signer] };
      await rejected("ERR_ACT_INVALID", acts().change(patient, request, "guardians"));
      await propose(patient, { change: "INCAPABLE" });
      const error = await rejected("ERR_ACT_INVALID", acts().change(patient, request, "custodian"));
      expect(error.values).to.include({ change: "INCAPABLE" });
      await acts().withdraw(patient);
      await acts().change(patient, request, "custodian");
    });
  });

  describe("guardians by a court", () => {
    it("sign for a patient without a device, after the delays", async () => {
      const [one, two] = [new PatientDevice(), new PatientDevice()];
      const patient = await withoutDevice(s);
      const keys = [one.signer, two.signer];
      const request: ChangeRequest = { change: "GUARDIANS", keys, threshold: 2, until: IN_TEN_YEARS };
      await propose(patient, request, one, two);
      expect((await complete(patient)).guardians).to.have.members(keys.map((key) => key.toLowerCase()));
      await pass(s, RECOVERY_DELAY);
      await carriedOut(s, grant(patient), two, one);
    });

    it("do not appoint each other", async () => {
      const parent = new PatientDevice();
      const patient = await withGuardians(s, [parent]);
      const request: ChangeRequest = {
        change: "GUARDIANS",
        keys: [parent.signer],
        threshold: 1,
        until: IN_TEN_YEARS,
      };
      const file = acts().change(patient, request, "guardians");
      expect(await reasonOf(carriedOut(s, file, parent))).to.equal("ChangeNotForGuardians");
    });
  });

  describe("incapacity and death", () => {
    it("have guardians sign though he has a key, until he is capable again", async () => {
      const [device, guardian] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, device);
      const request = { guardians: [guardian.signer], threshold: 1, until: IN_TEN_YEARS };
      await carriedOut(s, acts().guardians(patient, request), device, guardian);
      await propose(patient, { change: "INCAPABLE" });
      expect((await complete(patient)).condition).to.equal("INCAPABLE");
      await pass(s, RECOVERY_DELAY);
      const file = await grant(patient);
      expect(file.authority).to.equal("guardians");
      await carriedOut(s, file, guardian);
      await carriedOut(s, acts().change(patient, { change: "CAPABLE" }, "guardians"), guardian);
      expect((await complete(patient)).condition).to.equal("CAPABLE");
      expect((await grant(patient)).authority).to.equal("patient");
    });

    it("can be refused by him whom they are said of", async () => {
      const device = new PatientDevice();
      const patient = await withDevice(s, device);
      await propose(patient, { change: "DEAD" });
      await carriedOut(s, acts().refusal(patient), device);
      expect((await acts().standing(patient)).pending).to.equal(undefined);
    });

    it("end his own signature, and his delegate's; without guardians nobody signs", async () => {
      const [device, friend] = [new PatientDevice(), new PatientDevice()];
      const patient = await withDevice(s, device);
      await carriedOut(s, acts().delegation(patient, friend.signer, IN_TEN_YEARS), device, friend);
      await propose(patient, { change: "DEAD" });
      expect((await complete(patient)).condition).to.equal("DEAD");
      await pass(s, RECOVERY_DELAY);
      await rejected("ERR_ACT_INVALID", grant(patient));
      const file = grant(patient, { delegate: friend.signer });
      expect(await reasonOf(carriedOut(s, file, friend))).to.equal("PatientIsDead");
    });
  });

  it("name what fits their kind, or are refused before anybody signs", async () => {
    const patient = await withDevice(s);
    const key = new PatientDevice().signer;
    const wrong: ChangeRequest[] = [
      { change: "SIGNER" },
      { change: "SIGNER", keys: [key, new PatientDevice().signer] },
      { change: "DEAD", keys: [key] },
      { change: "CAPABLE", threshold: 1 },
      { change: "INCAPABLE", until: IN_TEN_YEARS },
      { change: "GUARDIANS", keys: [key], threshold: 1 },
      { change: "GUARDIANS", keys: [key], threshold: 2, until: IN_TEN_YEARS },
    ];
    for (const request of wrong) await rejected("ERR_USAGE", acts().change(patient, request, "custodian"));
  });
});
