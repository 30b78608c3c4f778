// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { custodianProposal, proposeByCustodian } from "../changes.js";
import { Role, Suspension, WAITING_TIME, YEAR, domain, nextBlockAt, now } from "../consortium.js";
import { CHANGE_TYPES, changeOf, changeValue, loadWithGuardians } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";

const INCAPABLE = changeOf("INCAPABLE");

/** A change proposed by the custodian needs a REVIEWER of another member who signed just it. */
export function shouldRequireReviewer(): void {
  shouldRequireAnotherReviewer();
  shouldRequirePresentReviewer();
  shouldRequireSignedChange();
}

function holdersChange(f: WithGuardians) {
  return custodianProposal(f, f.holder.patientId, INCAPABLE);
}

async function refuses(
  f: WithGuardians,
  proposal: Awaited<ReturnType<typeof holdersChange>>,
  error: string,
  args: readonly unknown[],
  as = f.operatorA,
) {
  await expect(proposeByCustodian(f, proposal, as))
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

function shouldRequireAnotherReviewer(): void {
  describe("when a reviewer of the custodian itself signed", () => {
    it("should revert with ReviewerOfCustodian", async () => {
      const f = await loadWithGuardians();
      const p = await custodianProposal(f, f.holder.patientId, INCAPABLE, { reviewer: f.reviewerA });
      await refuses(f, p, "ReviewerOfCustodian", [f.reviewerA.address, 1]);
    });
  });

  describe("when the custodian's operator signed for himself", () => {
    it("should revert with StaffRoleMissing", async () => {
      const f = await loadWithGuardians();
      const p = await custodianProposal(f, f.holder.patientId, INCAPABLE, { reviewer: f.operatorA });
      await expect(proposeByCustodian(f, p))
        .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
        .withArgs(f.operatorA.address, Role.REVIEWER);
    });
  });

  describe("given the operator is the reviewer's other account, at the custodian", () => {
    it("should revert with SamePerson", async () => {
      const f = await loadWithGuardians();
      const person = id("person reviewer B");
      await f.members.connect(f.adminB).sharePerson(person, 1);
      await f.members
        .connect(f.adminA)
        .enrolStaff(1, f.outsider, Role.OPERATOR, (await now()) + YEAR, person);
      await refuses(f, await holdersChange(f), "SamePerson", [person], f.outsider);
    });
  });

  describe("given the reviewer is no staff, or of another role", () => {
    it("should revert with StaffUnknown or StaffRoleMissing", async () => {
      const f = await loadWithGuardians();
      for (const [reviewer, error, args] of [
        [f.outsider, "StaffUnknown", [f.outsider.address]],
        [f.clinicianB, "StaffRoleMissing", [f.clinicianB.address, Role.REVIEWER]],
      ] as const) {
        const p = await custodianProposal(f, f.holder.patientId, INCAPABLE, { reviewer });
        await expect(proposeByCustodian(f, p))
          .to.be.revertedWithCustomError(f.members, error)
          .withArgs(...args);
      }
    });
  });
}

function shouldRequirePresentReviewer(): void {
  describe("given the reviewer is revoked, expired or within his waiting time", () => {
    it("should revert with StaffIsRevoked, StaffExpired or StaffTooNew", async () => {
      for (const [error, change] of [
        ["StaffIsRevoked", revoked],
        ["StaffExpired", shortened],
        ["StaffTooNew", promoted],
      ] as const) {
        const f = await loadWithGuardians();
        const time = await change(f);
        const p = await holdersChange(f);
        await nextBlockAt((await now()) + 120);
        await expect(proposeByCustodian(f, p))
          .to.be.revertedWithCustomError(f.members, error)
          .withArgs(f.reviewerB.address, time);
      }
    });
  });

  describe("given the reviewer's waiting time ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const seasonedAt = await promoted(f);
      const p = await custodianProposal(f, f.holder.patientId, INCAPABLE, { deadline: seasonedAt });
      await nextBlockAt(seasonedAt);
      await proposeByCustodian(f, p);
    });
  });

  describe("given the reviewer's member is suspended", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      await f.members.connect(f.governance).setSuspension(2, Suspension.READING | Suspension.WRITING);
      await proposeByCustodian(f, await holdersChange(f));
    });
  });

  describe("given the reviewer's member was removed", () => {
    it("should revert with MemberSuspended", async () => {
      const f = await loadWithGuardians();
      await f.members.connect(f.governance).removeMember(2);
      await expect(proposeByCustodian(f, await holdersChange(f)))
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(2, 7);
    });
  });
}

/** Revokes hospital B's reviewer; returns since when. */
async function revoked(f: WithGuardians): Promise<number> {
  const since = await now();
  await f.members.connect(f.adminB).revokeStaff(f.reviewerB, since, 0);
  return since;
}

/** Lets hospital B's reviewer end in a minute; returns when. */
async function shortened(f: WithGuardians): Promise<number> {
  const notAfter = (await now()) + 60;
  await f.members.connect(f.adminB).updateStaff(f.reviewerB, Role.REVIEWER, notAfter);
  return notAfter;
}

/** Gives hospital B's reviewer one more role, so that his waiting time begins again; returns when it ends. */
async function promoted(f: WithGuardians): Promise<number> {
  const { notAfter } = await f.members.staffOf(f.reviewerB);
  await f.members.connect(f.adminB).updateStaff(f.reviewerB, Role.REVIEWER | Role.CLINICIAN, notAfter);
  return (await now()) + WAITING_TIME;
}

function shouldRequireSignedChange(): void {
  async function unsigned(f: WithGuardians, p: Awaited<ReturnType<typeof holdersChange>>) {
    await refuses(f, p, "CosignatureInvalid", [p.reviewer.account]);
  }

  describe("when the custodian proposes without a reviewer's signature", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const p = await holdersChange(f);
      await unsigned(f, { ...p, reviewer: { ...p.reviewer, signature: "0x" } });
      const { reviewer } = await custodianProposal(f, p.patientId, INCAPABLE, { reviewer: f.reviewerC });
      await unsigned(f, { ...p, reviewer: { ...p.reviewer, signature: reviewer.signature } });
    });
  });

  describe("when the reviewer signed another change, patient, deadline, chain or contract", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const p = await holdersChange(f);
      for (const change of [changeOf("DEAD"), changeOf("INCAPABLE", { document: id("another document") })]) {
        await unsigned(f, { ...p, change });
      }
      await unsigned(f, { ...p, patientId: f.ward.patientId });
      await unsigned(f, { ...p, reviewer: { ...p.reviewer, deadline: p.reviewer.deadline + 1 } });
      for (const elsewhere of [{ chainId: 1 }, { verifyingContract: await f.records.getAddress() }]) {
        const where = { ...(await domain(f.patients, "PatientRegistry")), ...elsewhere };
        const value = await changeValue(f, p.patientId, INCAPABLE, p.reviewer.deadline);
        const signature = await f.reviewerB.signTypedData(where, CHANGE_TYPES, value);
        await unsigned(f, { ...p, reviewer: { ...p.reviewer, signature } });
      }
    });
  });

  describe("given the nonce was used since the reviewer signed", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const p = await holdersChange(f);
      await proposeByCustodian(f, p);
      await f.patients.connect(f.operatorA).withdrawChange(p.patientId);
      await unsigned(f, p);
    });
  });
}
