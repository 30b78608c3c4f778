// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress, id } from "ethers";
import {
  RECOVERY_DELAY,
  RETENTION,
  Role,
  Status,
  WAITING_TIME,
  YEAR,
  anchorLeaves,
  domain,
  networkHelpers,
  nextBlockAt,
  now,
  registerSigner,
} from "../consortium.js";
import {
  ERASURE_TYPES,
  Ground,
  NO_COSIGNER,
  erase,
  eraseAfterRetention,
  erasureFor,
  indexRef,
  loadWithCertificate as load,
  signErasure,
} from "../erasures.js";
import type { WithCertificate } from "../erasures.js";
import { completeIncapacity, loadWithChild } from "../holds.js";
import { shouldRequireOfficer } from "./officer.js";
import { shouldRequireSignature } from "./signature.js";

const DAY = 86_400;
const CERTIFICATE = 4;

/** Whether the patient, another member's REVIEWER or the end of retention lets a record be erased. */
export function shouldRequireGround(): void {
  describe("when the ground is the patient's will", () => {
    shouldRequirePatient();
    shouldRequireWhatPatientSigned();
    shouldRequireCustodian();
    shouldWaitAfterAChange();
  });
  describe("when the ground is another member's REVIEWER", () => {
    shouldRequireOfficer({
      load,
      officer: (f) => f.reviewerB,
      memberId: 2,
      act: (f, as) => erase(f, Ground.REVIEWER, as),
    });
    shouldRequireReviewer();
  });
  describe("when the ground is the end of retention", shouldRequireEndOfRetention);
}

/** Fields of an erasure that a signature may be over by mistake. */
async function mistakes(f: WithCertificate) {
  return [
    { memberId: 2 },
    { index: f.other.leaf.index },
    { certificateIndex: f.entry.leaf.index },
    { deadline: (await now()) + 1_200 },
  ];
}

function shouldRequirePatient(): void {
  shouldRequireSignature(load, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const [entry] = await anchorLeaves(f, patientId, 1);
    const ref = indexRef(entry!.leaf.index);
    const [certificate] = await anchorLeaves(f, patientId, 1, () => ({ kind: 4, ref }));
    const [index, certificateIndex] = [entry!.leaf.index, certificate!.leaf.index];
    const value = { memberId: 1, index, certificateIndex, deadline: (await now()) + 600 };
    return {
      patientId,
      domain: await domain(f.records, "RecordRegistry"),
      types: ERASURE_TYPES,
      value,
      act: (signature) =>
        f.records.connect(f.operatorA).erase(entry!, certificate!, Ground.PATIENT, {
          account: ZeroAddress,
          deadline: value.deadline,
          signature,
        }),
    };
  });
}

function shouldRequireWhatPatientSigned(): void {
  describe("when the signature is over another member, entry, certificate or deadline", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const { deadline } = await erasureFor(f);
      for (const change of await mistakes(f)) {
        const signature = await signErasure(
          f,
          f.patient.wallet,
          await erasureFor(f, { deadline, ...change }),
        );
        const cosigner = { account: ZeroAddress, deadline, signature };
        await expect(f.records.connect(f.operatorA).erase(f.entry, f.certificate, Ground.PATIENT, cosigner))
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(f.patient.patientId);
      }
    });
  });

  describe("when a REVIEWER signed instead", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const erasure = await erasureFor(f);
      const signature = await signErasure(f, f.reviewerB, erasure);
      const cosigner = { account: f.reviewerB.address, deadline: erasure.deadline, signature };
      await expect(f.records.connect(f.operatorA).erase(f.entry, f.certificate, Ground.PATIENT, cosigner))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("when the patient's deadline passed a second ago", () => {
    it("should revert with DeadlinePassed, and pass in its last second", async () => {
      const f = await load();
      const deadline = (await now()) + 59;
      await nextBlockAt();
      await expect(erase(f, Ground.PATIENT, f.reviewerB, { deadline }))
        .to.be.revertedWithCustomError(f.records, "DeadlinePassed")
        .withArgs(deadline);
      await erase(f, Ground.PATIENT, f.reviewerB, { deadline: await nextBlockAt() });
      expect(await f.records.statusOf(1, f.entry.leaf.index)).to.equal(Status.ERASED);
    });
  });
}

function shouldRequireCustodian(): void {
  describe("given a member's log names another's patient", () => {
    it("should revert with NotCustodian", async () => {
      const f = await load();
      const { patientId } = await registerSigner(
        f,
        { bytes: f.outsider.address.toLowerCase(), signTypedData: (...m) => f.outsider.signTypedData(...m) },
        f.operatorB,
        2,
      );
      const [entry] = await anchorLeaves(f, patientId, 1);
      const ref = indexRef(entry!.leaf.index);
      const [certificate] = await anchorLeaves(f, patientId, 1, () => ({ kind: 4, ref }));
      const deadline = (await now()) + 600;
      const cosigner = { account: ZeroAddress, deadline, signature: "0x" };
      await expect(f.records.connect(f.operatorA).erase(entry!, certificate!, Ground.PATIENT, cosigner))
        .to.be.revertedWithCustomError(f.records, "NotCustodian")
        .withArgs(patientId, 1);
    });
  });
}

function shouldWaitAfterAChange(): void {
  describe("given what loosens must wait after a change of who signs", () => {
    it("should revert with LoosensLater until the delay's last second, and pass at its end", async () => {
      const f = await loadWithChild();
      const { patientId, records, guardian } = f.child;
      const index = records[0]!.leaf.index;
      const ref = indexRef(index);
      const [certificate] = await anchorLeaves(f, patientId, 1, () => ({ kind: CERTIFICATE, ref }));
      await completeIncapacity(f);
      const from = (await now()) + RECOVERY_DELAY;
      const deadline = from + 600;
      const certificateIndex = certificate!.leaf.index;
      const erasure = { memberId: 1, index, certificateIndex, deadline };
      const signature = await signErasure(f, guardian, erasure);
      const act = () =>
        f.records.connect(f.operatorA).erase(records[0]!, certificate!, Ground.PATIENT, {
          account: ZeroAddress,
          deadline,
          signature,
        });
      await nextBlockAt(from - 1);
      await expect(act()).to.be.revertedWithCustomError(f.patients, "LoosensLater").withArgs(patientId, from);
      await nextBlockAt(from);
      await act();
    });
  });
}

function shouldRequireReviewer(): void {
  describe("when the REVIEWER is of the custodian", () => {
    it("should revert with ReviewerOfCustodian", async () => {
      const f = await load();
      await expect(erase(f, Ground.REVIEWER, f.reviewerA))
        .to.be.revertedWithCustomError(f.records, "ReviewerOfCustodian")
        .withArgs(f.reviewerA.address, 1);
    });
  });

  describe("given the REVIEWER is the operator's other account, at another member", () => {
    it("should revert with SamePerson", async () => {
      const f = await load();
      const person = id("person operator A");
      await f.members.connect(f.adminA).sharePerson(person, 3);
      await f.members
        .connect(f.adminC)
        .enrolStaff(3, f.outsider, Role.REVIEWER, (await now()) + YEAR, person);
      await networkHelpers.time.increase(WAITING_TIME);
      await expect(erase(f, Ground.REVIEWER, f.outsider))
        .to.be.revertedWithCustomError(f.records, "SamePerson")
        .withArgs(person);
    });
  });

  describe("when the signature is over another member, entry, certificate or deadline, or is another's", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const { deadline } = await erasureFor(f);
      const signatures = [await signErasure(f, f.reviewerC, await erasureFor(f, { deadline })), "0x"];
      for (const change of await mistakes(f)) {
        signatures.push(await signErasure(f, f.reviewerB, await erasureFor(f, { deadline, ...change })));
      }
      for (const signature of signatures) {
        const cosigner = { account: f.reviewerB.address, deadline, signature };
        await expect(f.records.connect(f.operatorA).erase(f.entry, f.certificate, Ground.REVIEWER, cosigner))
          .to.be.revertedWithCustomError(f.records, "CosignatureInvalid")
          .withArgs(f.reviewerB.address);
      }
    });
  });

  describe("when the REVIEWER's deadline passed a second ago", () => {
    it("should revert with CosignatureExpired, and pass in its last second", async () => {
      const f = await load();
      const deadline = (await now()) + 59;
      await nextBlockAt();
      await expect(erase(f, Ground.REVIEWER, f.reviewerB, { deadline }))
        .to.be.revertedWithCustomError(f.records, "CosignatureExpired")
        .withArgs(deadline);
      await erase(f, Ground.REVIEWER, f.reviewerB, { deadline: await nextBlockAt() });
      expect(await f.records.statusOf(1, f.entry.leaf.index)).to.equal(Status.ERASED);
    });
  });
}

function shouldRequireEndOfRetention(): void {
  describe("given it is the last second of the last day", () => {
    it("should revert with RetentionLasts", async () => {
      const f = await load();
      const lastDay = f.entry.leaf.recordedDay + RETENTION;
      // Ten years on, the operator's term must last.
      await f.members.connect(f.adminA).updateStaff(f.operatorA, 1, f.keptUntil + DAY);
      for (const time of [(await now()) + 60, f.keptUntil]) {
        await nextBlockAt(time);
        await expect(eraseAfterRetention(f))
          .to.be.revertedWithCustomError(f.records, "RetentionLasts")
          .withArgs(f.entry.leaf.index, lastDay);
      }
    });
  });

  describe("given that day ended a second ago", () => {
    it("should pass, signed by nobody", async () => {
      const f = await load();
      await f.members.connect(f.adminA).updateStaff(f.operatorA, 1, f.keptUntil + DAY);
      await nextBlockAt(f.keptUntil + 1);
      await eraseAfterRetention(f);
      expect(await f.records.statusOf(1, f.entry.leaf.index)).to.equal(Status.ERASED);
    });
  });

  describe("given the record is dated as late as can be", () => {
    it("should revert with RetentionLasts", async () => {
      const f = await load();
      const recordedDay = 2 ** 32 - 1;
      const [entry] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ recordedDay }));
      const ref = indexRef(entry!.leaf.index);
      const [certificate] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ kind: 4, ref }));
      await expect(f.records.connect(f.operatorA).erase(entry!, certificate!, Ground.RETENTION, NO_COSIGNER))
        .to.be.revertedWithCustomError(f.records, "RetentionLasts")
        .withArgs(entry!.leaf.index, recordedDay + RETENTION);
    });
  });
}
