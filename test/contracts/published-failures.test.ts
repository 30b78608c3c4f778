// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { LIMITS, Role, Suspension, YEAR, keySigner, now } from "./consortium.js";
import {
  breakGlass,
  emergencyFor,
  flagOverdue,
  loadWithEmergencies as load,
  openWindow,
  sendEmergency,
  signEmergency,
} from "./emergencies.js";
import { signedGuardianSet } from "./guardians.js";
import { countOf, headFromLogs } from "./heads.js";

/** What published systems of this kind let happen; the details are in the tests of each function. */
describe("Failures of published systems", () => {
  it("one person with two accounts is no pair", async () => {
    const f = await load();
    await expect(breakGlass(f, f.clinicianB, f.second))
      .to.be.revertedWithCustomError(f.emergencies, "SamePerson")
      .withArgs(id("person clinician B"));
  });

  it("an outsider reads nothing, alone or as a colleague", async () => {
    const f = await load();
    for (const act of [() => breakGlass(f, f.outsider), () => breakGlass(f, f.clinicianB, f.outsider)]) {
      await expect(act())
        .to.be.revertedWithCustomError(f.members, "StaffUnknown")
        .withArgs(f.outsider.address);
    }
  });

  it("a suspended member reads nothing", async () => {
    const f = await load();
    await f.members.connect(f.governance).setSuspension(2, Suspension.READING);
    await expect(breakGlass(f))
      .to.be.revertedWithCustomError(f.members, "MemberSuspended")
      .withArgs(2, Suspension.READING);
  });

  it("nobody registers himself as a doctor", async () => {
    const f = await load();
    const { address } = f.outsider;
    const enrol = f.members
      .connect(f.outsider)
      .enrolStaff(2, address, Role.CLINICIAN, (await now()) + YEAR, id("x"));
    await expect(enrol).to.be.revertedWithCustomError(f.members, "NotMemberAdmin").withArgs(2, address);
  });

  it("no stranger makes himself guardian", async () => {
    const f = await load();
    const { patientId } = f.patient;
    const stranger = keySigner();
    const { set, deadline, signature } = await signedGuardianSet(f, patientId, stranger, [stranger], {
      threshold: 1,
    });
    await expect(f.patients.connect(f.outsider).setGuardians(patientId, set, deadline, signature))
      .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
      .withArgs(patientId);
  });

  it("a pending transaction copied from the pool is worth nothing to another", async () => {
    const f = await load();
    const emergency = await emergencyFor(f, f.clinicianB);
    const signature = await signEmergency(f, f.colleagueB, emergency);
    await expect(sendEmergency(f, f.thirdB, emergency, f.colleagueB, signature))
      .to.be.revertedWithCustomError(f.emergencies, "CosignatureInvalid")
      .withArgs(f.colleagueB.address);
  });

  it("one malicious pair does not stop its hospital, by quota or by what it owes", async () => {
    const f = await load();
    const windows = [];
    for (let opened = 0; opened < LIMITS.personQuota; opened++) windows.push(await openWindow(f));
    await breakGlass(f, f.thirdB, f.fourthB);
    await flagOverdue(f, ...windows);
    await expect(breakGlass(f))
      .to.be.revertedWithCustomError(f.emergencies, "PersonOverdue")
      .withArgs(id("person clinician B"), LIMITS.personQuota);
    await breakGlass(f, f.thirdB, f.fourthB);
  });

  it("a hostile member does not stop another's clinicians by emergencies in their names", async () => {
    const f = await load();
    const victim = id("person clinician B");
    await expect(
      f.members.connect(f.adminC).enrolStaff(3, f.outsider, Role.CLINICIAN, (await now()) + YEAR, victim),
    )
      .to.be.revertedWithCustomError(f.members, "PersonOfAnotherMember")
      .withArgs(victim, 2);
    await expect(f.members.connect(f.adminC).sharePerson(victim, 3))
      .to.be.revertedWithCustomError(f.members, "NotMemberAdmin")
      .withArgs(2, f.adminC.address);
  });

  it("a colluding pair leaves a trace that cannot be hidden", async () => {
    const f = await load();
    const { patientId } = f.patient;
    await breakGlass(f);
    await f.members.connect(f.adminB).revokeStaff(f.clinicianB, 0, 0);
    await f.members.connect(f.governance).removeMember(2);
    const head = await f.emergencies.headOf(patientId);
    expect(countOf(head)).to.equal(1n);
    expect(head).to.equal(await headFromLogs(f.emergencies, patientId));
  });
});
