// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { AbiCoder, ZeroHash, id, keccak256, toBeHex } from "ethers";
import { shouldRequireColleague } from "../behaviours/emergency-colleague.js";
import { shouldKeepQuotas } from "../behaviours/emergency-quotas.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import {
  domain,
  networkHelpers,
  nextBlockAt,
  now,
  registerPatient,
  registerPatientWithoutSigner,
} from "../consortium.js";
import {
  Verdict,
  breakGlass,
  emergencyFor,
  loadWithEmergencies as load,
  openWindow,
  sendEmergency,
  signEmergency,
  windowTerms,
} from "../emergencies.js";
import type { WithEmergencies } from "../emergencies.js";
import { expectHeadAdvance } from "../heads.js";
import { setDirective } from "../patient-acts.js";

/** IPatientRegistry.Change. */
const CHANGE = "tuple(uint8 kind, bytes[] keys, uint8 threshold, uint48 until, bytes32 document)";

describe("BreakGlass.breakGlass", () => {
  describe("when the reader is checked", () => {
    shouldRequireStaff({
      load,
      staff: (f) => f.clinicianB,
      memberId: 2,
      role: "CLINICIAN",
      activity: "READING",
      act: (f, as) => breakGlass(f, as),
    });
  });

  describe("when the colleague is checked", () => {
    shouldRequireStaff({
      load,
      staff: (f) => f.clinicianA,
      memberId: 1,
      role: "CLINICIAN",
      activity: "READING",
      act: (f, as) => breakGlass(f, f.clinicianB, as),
    });
  });

  shouldRequireColleague();
  shouldRequireAPatientToOpen();
  shouldOpen();
  shouldKeepQuotas();
});

function shouldRequireAPatientToOpen(): void {
  describe("when the reason's digest is zero", () => {
    it("should revert with DigestZero", async () => {
      const f = await load();
      await expect(
        breakGlass(f, f.clinicianB, f.colleagueB, { reasonDigest: ZeroHash }),
      ).to.be.revertedWithCustomError(f.emergencies, "DigestZero");
    });
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await load();
      const patientId = await f.patients.patientIdOf(1, toBeHex(1, 32));
      await expect(breakGlass(f, f.clinicianB, f.colleagueB, { patientId }))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(patientId);
    });
  });

  describe("given the reader is of the patient's custodian", () => {
    it("should revert with OwnPatient", async () => {
      const f = await load();
      const { patientId } = await registerPatient(f, f.operatorB, 2);
      await expect(breakGlass(f, f.clinicianB, f.colleagueB, { patientId }))
        .to.be.revertedWithCustomError(f.emergencies, "OwnPatient")
        .withArgs(patientId, 2);
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead", async () => {
      const f = await load();
      await declareDead(f);
      await expect(breakGlass(f))
        .to.be.revertedWithCustomError(f.emergencies, "PatientIsDead")
        .withArgs(f.patient.patientId);
    });
  });

  for (const [given, directive] of [
    ["given the patient denies emergencies", { denyEmergency: true }],
    ["given the patient denies everything", { denyAll: true }],
  ] as const) {
    describe(given, () => {
      it("should revert with EmergencyDenied", async () => {
        const f = await load();
        await setDirective(f, f.patient, directive);
        await expect(breakGlass(f))
          .to.be.revertedWithCustomError(f.emergencies, "EmergencyDenied")
          .withArgs(f.patient.patientId);
      });
    });
  }

  describe("given the patient denies all compartments, but no emergency", () => {
    it("should pass", async () => {
      const f = await load();
      await setDirective(f, f.patient, { deniedCompartments: (1n << 64n) - 1n });
      await breakGlass(f);
    });
  });

  describe("given the patient cannot sign", () => {
    it("should pass", async () => {
      const f = await load();
      await breakGlass(f, f.clinicianB, f.colleagueB, { patientId: await registerPatientWithoutSigner(f) });
    });
  });
}

function shouldOpen(): void {
  describe("when two clinicians open a window on another member's patient", () => {
    it("should emit GlassBroken with terms that end with the window", async () => {
      const f = await load();
      for (const [reader, colleague] of [
        [f.clinicianB, f.colleagueB],
        [f.colleagueB, f.clinicianC],
        [f.thirdB, f.clinicianA],
      ] as const) {
        const emergency = await emergencyFor(f, reader);
        const signature = await signEmergency(f, colleague, emergency);
        const { terms, windowId } = windowTerms(emergency, await nextBlockAt());
        await expect(sendEmergency(f, reader, emergency, colleague, signature))
          .to.emit(f.emergencies, "GlassBroken")
          .withArgs(
            windowId,
            f.patient.patientId,
            reader.address,
            Object.values(terms),
            colleague.address,
            emergency.reasonDigest,
          );
      }
    });

    it("should store the window", async () => {
      const f = await load();
      const { windowId, openedAt } = await openWindow(f, f.clinicianB, f.clinicianC);
      expect(await f.emergencies.windowOf(windowId)).to.deep.equal([
        f.patient.patientId,
        f.clinicianB.address,
        BigInt(openedAt),
        2n,
        f.clinicianC.address,
        3n,
        1n,
        false,
        false,
        BigInt(Verdict.NONE),
        id("person clinician B"),
        id("person clinician C"),
        ZeroHash,
      ]);
    });

    it("should return the window's id, which is the hash of its terms", async () => {
      const f = await load();
      const emergency = await emergencyFor(f, f.clinicianB);
      const { patientId, reasonDigest, nonce, deadline } = emergency;
      const signature = await signEmergency(f, f.colleagueB, emergency);
      const { terms, windowId } = windowTerms(emergency, await nextBlockAt());
      const cosigner = { account: f.colleagueB.address, deadline, signature };
      const returned = await f.emergencies
        .connect(f.clinicianB)
        .breakGlass.staticCall(patientId, reasonDigest, nonce, cosigner, { blockTag: "pending" });
      expect(returned).to.equal(windowId);
      expect(await f.consents.hashTerms(terms)).to.equal(windowId);
    });

    it("should advance the patient's head by its event, and no other patient's", async () => {
      const f = await load();
      const other = await registerPatient(f);
      for (const reader of [f.clinicianB, f.thirdB]) {
        await expectHeadAdvance(f.emergencies, f.patient.patientId, () => breakGlass(f, reader));
      }
      expect(await f.emergencies.headOf(other.patientId)).to.equal(0);
    });

    it("should open another at once, with terms of its own", async () => {
      const f = await load();
      const first = await openWindow(f);
      const second = await openWindow(f);
      expect(second.windowId).to.not.equal(first.windowId);
      for (const { windowId, openedAt } of [first, second]) {
        expect((await f.emergencies.windowOf(windowId)).openedAt).to.equal(openedAt);
      }
    });
  });
}

/** Hospital A and hospital B's reviewer report the patient's death; nobody objects. */
async function declareDead(f: WithEmergencies): Promise<void> {
  const { patientId } = f.patient;
  const change = { kind: 4, keys: [], threshold: 0, until: 0, document: id("death certificate") };
  const types = {
    PatientChange: [
      { name: "patientId", type: "bytes32" },
      { name: "changeHash", type: "bytes32" },
      { name: "nonce", type: "uint32" },
      { name: "deadline", type: "uint48" },
    ],
  };
  const deadline = (await now()) + 600;
  const { nonce } = await f.patients.patientOf(patientId);
  const signature = await f.reviewerB.signTypedData(await domain(f.patients, "PatientRegistry"), types, {
    patientId,
    changeHash: keccak256(AbiCoder.defaultAbiCoder().encode([CHANGE], [change])),
    nonce,
    deadline,
  });
  const reviewer = { account: f.reviewerB.address, deadline, signature };
  await f.patients.connect(f.operatorA).proposeByCustodian(patientId, change, [], reviewer);
  await networkHelpers.time.increaseTo((await f.patients.pendingChangeOf(patientId)).readyAt);
  await f.patients.completeChange(patientId, change);
}
