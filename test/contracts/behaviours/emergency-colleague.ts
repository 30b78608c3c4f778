// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { dataSlice, id } from "ethers";
import {
  LIMITS,
  Role,
  Suspension,
  WAITING_TIME,
  YEAR,
  domain,
  networkHelpers,
  nextBlockAt,
  now,
  registerPatient,
} from "../consortium.js";
import { contractAccount } from "../contract-signers.js";
import type { Emergency, WithEmergencies } from "../emergencies.js";
import {
  EMERGENCY_TYPES,
  breakGlass,
  emergencyFor,
  loadWithEmergencies as load,
  openWindow,
  sendEmergency,
  signEmergency,
} from "../emergencies.js";

/** An emergency needs two seasoned persons; the colleague's signature opens one window for one reader. */
export function shouldRequireColleague(): void {
  shouldRequireTwoSeasoned();
  shouldRequireTheColleague();
  shouldRequireTime();
  shouldUseASignatureOnce();
}

/** Expects CosignatureInvalid for an emergency of clinician B with a colleague's signature made some other way. */
async function refusesSignature(
  f: WithEmergencies,
  forge: (emergency: Emergency) => Promise<string>,
  colleague: { address: string } = f.colleagueB,
) {
  const emergency = await emergencyFor(f, f.clinicianB);
  await expect(sendEmergency(f, f.clinicianB, emergency, colleague, await forge(emergency)))
    .to.be.revertedWithCustomError(f.emergencies, "CosignatureInvalid")
    .withArgs(colleague.address);
}

/** Enrols `spare` as a clinician of hospital B; returns when he may act. */
async function enrolSpare(f: WithEmergencies, person = "person new B"): Promise<number> {
  const since = await nextBlockAt();
  await f.members.connect(f.adminB).enrolStaff(2, f.spare, Role.CLINICIAN, since + YEAR, id(person));
  return since + WAITING_TIME;
}

function shouldRequireTwoSeasoned(): void {
  describe("given the reader or the colleague is a second short of the waiting time", () => {
    it("should revert with StaffTooNew", async () => {
      const f = await load();
      const seasonedAt = await enrolSpare(f);
      for (const act of [() => breakGlass(f, f.spare), () => breakGlass(f, f.clinicianB, f.spare)]) {
        const snapshot = await networkHelpers.takeSnapshot();
        await networkHelpers.time.increaseTo(seasonedAt - 60);
        await nextBlockAt(seasonedAt - 1);
        await expect(act())
          .to.be.revertedWithCustomError(f.members, "StaffTooNew")
          .withArgs(f.spare.address, seasonedAt);
        await snapshot.restore();
      }
    });
  });

  describe("given the reader's waiting time ends this second", () => {
    it("should pass", async () => {
      const f = await load();
      const seasonedAt = await enrolSpare(f);
      await networkHelpers.time.increaseTo(seasonedAt - 1);
      await nextBlockAt(seasonedAt);
      await breakGlass(f, f.spare);
    });
  });

  describe("when reader and colleague are one account", () => {
    it("should revert with SamePerson", async () => {
      const f = await load();
      await expect(breakGlass(f, f.clinicianB, f.clinicianB))
        .to.be.revertedWithCustomError(f.emergencies, "SamePerson")
        .withArgs(id("person clinician B"));
    });
  });

  describe("when reader and colleague are two accounts of one person", () => {
    it("should revert with SamePerson, in one member or in two", async () => {
      const f = await load();
      await f.members.connect(f.adminB).sharePerson(id("person clinician B"), 3);
      await f.members
        .connect(f.adminC)
        .enrolStaff(3, f.spare, Role.CLINICIAN, (await now()) + YEAR, id("person clinician B"));
      await networkHelpers.time.increase(WAITING_TIME);
      for (const [reader, colleague] of [
        [f.clinicianB, f.second],
        [f.second, f.clinicianB],
        [f.clinicianB, f.spare],
        [f.spare, f.clinicianB],
      ] as const) {
        await expect(breakGlass(f, reader, colleague))
          .to.be.revertedWithCustomError(f.emergencies, "SamePerson")
          .withArgs(id("person clinician B"));
      }
    });
  });

  describe("given the colleague's member is suspended from reading", () => {
    it("should revert with MemberSuspended", async () => {
      const f = await load();
      await f.members.connect(f.governance).setSuspension(3, Suspension.READING);
      await expect(breakGlass(f, f.clinicianB, f.clinicianC))
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(3, Suspension.READING);
    });
  });
}

function shouldRequireTheColleague(): void {
  describe("when another clinician than the named colleague signed", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      await refusesSignature(f, (emergency) => signEmergency(f, f.thirdB, emergency));
    });
  });

  describe("when the reader signed for the colleague", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      await refusesSignature(f, (emergency) => signEmergency(f, f.clinicianB, emergency));
    });
  });

  describe("when the signature is over another initiator, patient, reason, nonce or deadline", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const { patientId } = await registerPatient(f);
      for (const change of [
        { initiator: f.thirdB.address },
        { patientId },
        { reasonDigest: id("another reason") },
        { nonce: id("another nonce") },
        { deadline: (await now()) + 1_200 },
      ]) {
        await refusesSignature(f, (emergency) => signEmergency(f, f.colleagueB, { ...emergency, ...change }));
      }
    });
  });

  describe("when the deadline that was signed is more than an hour ahead", () => {
    it("should revert with DeadlineTooFar, and pass at the hour", async () => {
      const f = await load();
      const at = (await now()) + 60;
      for (const deadline of [2 ** 48 - 1, at + 3_601]) {
        const emergency = await emergencyFor(f, f.clinicianB, { deadline });
        const signature = await signEmergency(f, f.colleagueB, emergency);
        await nextBlockAt(at);
        await expect(sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature))
          .to.be.revertedWithCustomError(f.emergencies, "DeadlineTooFar")
          .withArgs(deadline, at + 3_600);
      }
      await nextBlockAt(at + 1);
      await breakGlass(f, f.clinicianB, f.colleagueB, { deadline: at + 3_601 });
    });
  });

  describe("when the signature is for another chain, contract or version", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const ours = await domain(f.emergencies, "BreakGlass");
      for (const change of [
        { chainId: 1 },
        { verifyingContract: await f.accessLog.getAddress() },
        { version: "2" },
        { name: "chartseal AccessLog" },
      ]) {
        await refusesSignature(f, (emergency) =>
          f.colleagueB.signTypedData({ ...ours, ...change }, EMERGENCY_TYPES, emergency),
        );
      }
    });
  });

  describe("when the signature is cut short or empty", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      await refusesSignature(f, async (emergency) =>
        dataSlice(await signEmergency(f, f.colleagueB, emergency), 0, 64),
      );
      await refusesSignature(f, () => Promise.resolve("0x"));
    });
  });

  describe("when another sender copies a pending transaction", () => {
    it("should revert with CosignatureInvalid and leave the signature to the first", async () => {
      const f = await load();
      const emergency = await emergencyFor(f, f.clinicianB);
      const signature = await signEmergency(f, f.colleagueB, emergency);
      for (const thief of [f.thirdB, f.clinicianC]) {
        await expect(sendEmergency(f, thief, emergency, f.colleagueB, signature))
          .to.be.revertedWithCustomError(f.emergencies, "CosignatureInvalid")
          .withArgs(f.colleagueB.address);
      }
      await sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature);
    });
  });

  describe("given the colleague is a contract account", () => {
    it("should pass when the account's key signed", async () => {
      const f = await load();
      const { signer } = await contractAccount();
      const account = { address: signer.bytes };
      await f.members
        .connect(f.adminB)
        .enrolStaff(2, account.address, Role.CLINICIAN, (await now()) + YEAR, id("person contract B"));
      await networkHelpers.time.increase(WAITING_TIME);
      const emergency = await emergencyFor(f, f.clinicianB);
      await sendEmergency(f, f.clinicianB, emergency, account, await signEmergency(f, signer, emergency));
    });
  });
}

function shouldRequireTime(): void {
  describe("when the deadline passed a second ago", () => {
    it("should revert with CosignatureExpired", async () => {
      const f = await load();
      const emergency = await emergencyFor(f, f.clinicianB);
      const signature = await signEmergency(f, f.colleagueB, emergency);
      await nextBlockAt(emergency.deadline + 1);
      await expect(sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature))
        .to.be.revertedWithCustomError(f.emergencies, "CosignatureExpired")
        .withArgs(emergency.deadline);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await load();
      const emergency = await emergencyFor(f, f.clinicianB);
      const signature = await signEmergency(f, f.colleagueB, emergency);
      await nextBlockAt(emergency.deadline);
      await sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature);
    });
  });
}

function shouldUseASignatureOnce(): void {
  describe("given the signature opened a window", () => {
    it("should revert with SignatureUsed, also after that window's end", async () => {
      const f = await load();
      const emergency = await emergencyFor(f, f.clinicianB, { deadline: (await now()) + 3_600 });
      const signature = await signEmergency(f, f.colleagueB, emergency);
      await sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature);
      for (const later of [1, LIMITS.windowLength + 86_400]) {
        await networkHelpers.time.increase(later);
        await expect(sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature))
          .to.be.revertedWithCustomError(f.emergencies, "SignatureUsed")
          .withArgs(emergency.nonce);
      }
    });
  });

  describe("given another colleague signed the same", () => {
    it("should revert with SignatureUsed", async () => {
      const f = await load();
      const emergency = await emergencyFor(f, f.clinicianB);
      const signature = await signEmergency(f, f.colleagueB, emergency);
      await sendEmergency(f, f.clinicianB, emergency, f.colleagueB, signature);
      const other = await signEmergency(f, f.thirdB, emergency);
      await expect(sendEmergency(f, f.clinicianB, emergency, f.thirdB, other))
        .to.be.revertedWithCustomError(f.emergencies, "SignatureUsed")
        .withArgs(emergency.nonce);
    });
  });

  describe("given another reader used the same nonce and reason", () => {
    it("should open a window of his own", async () => {
      const f = await load();
      const { emergency, windowId } = await openWindow(f, f.clinicianB, f.colleagueB);
      const { nonce, reasonDigest } = emergency;
      const other = await openWindow(f, f.thirdB, f.fourthB, { nonce, reasonDigest });
      expect(other.windowId).to.not.equal(windowId);
      expect((await f.emergencies.windowOf(other.windowId)).reader).to.equal(f.thirdB.address);
    });
  });
}
