// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { dataSlice, id } from "ethers";
import { LIMITS, Role, YEAR, domain, nextBlockAt, now, registerPatient } from "../consortium.js";
import { contractAccount } from "../contract-signers.js";
import { emergencyFor, sendEmergency, signEmergency } from "../emergencies.js";
import {
  EMERGENCY_RELEASE_TYPES,
  fileLate,
  lateRelease,
  loadWithReleaser as load,
  signRelease,
} from "../late-releases.js";
import type { EmergencyRelease, LateRelease, WithReleaser } from "../late-releases.js";

const HOUR = 3_600;

/** A late release is filed with two persons' own signatures over the very same, and in time. */
export function shouldRequireTwoSignatures(): void {
  shouldRequireTime();
  shouldRequireBothSignatures();
  shouldRequireTwoPersons();
}

function shouldRequireTime(): void {
  describe("when the release is said to be after the deadline, or more than an hour before it", () => {
    it("should revert with ReleaseOutsideSignature", async () => {
      const f = await load();
      const release = await lateRelease(f, { deadline: await now() });
      for (const releasedAt of [release.deadline + 1, release.deadline - HOUR - 1, 0]) {
        await expect(fileLate(f, { ...release, releasedAt }))
          .to.be.revertedWithCustomError(f.emergencies, "ReleaseOutsideSignature")
          .withArgs(releasedAt, release.deadline);
      }
    });
  });

  describe("when the release is said to be at the deadline, or an hour before it", () => {
    it("should pass", async () => {
      const f = await load();
      for (const before of [0, HOUR]) {
        const release = await lateRelease(f, { deadline: await now() });
        await fileLate(f, { ...release, releasedAt: release.deadline - before });
      }
    });
  });

  describe("when the release is said to be a second from now", () => {
    it("should revert with ReleaseInFuture, and pass a second later", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const time = await nextBlockAt();
      const early = { ...release, releasedAt: time + 1 };
      await expect(fileLate(f, early))
        .to.be.revertedWithCustomError(f.emergencies, "ReleaseInFuture")
        .withArgs(time + 1);
      await nextBlockAt(time + 1);
      await fileLate(f, early);
    });
  });

  describe("given the time for filing ended a second ago", () => {
    it("should revert with FiledTooLate", async () => {
      const f = await load();
      const release = await lateRelease(f);
      await nextBlockAt(release.releasedAt + LIMITS.fileWithin + 1);
      await expect(fileLate(f, release))
        .to.be.revertedWithCustomError(f.emergencies, "FiledTooLate")
        .withArgs(release.releasedAt, LIMITS.fileWithin);
    });
  });

  describe("given the time for filing ends this second", () => {
    it("should pass", async () => {
      const f = await load();
      const release = await lateRelease(f);
      await nextBlockAt(release.releasedAt + LIMITS.fileWithin);
      await fileLate(f, release);
    });
  });
}

/** Expects CosignatureInvalid of `account` for a release with these signatures in place of the right ones. */
async function refusesSignature(
  f: WithReleaser,
  release: LateRelease,
  account: string,
  changes: Partial<LateRelease>,
) {
  await expect(fileLate(f, { ...release, ...changes }))
    .to.be.revertedWithCustomError(f.emergencies, "CosignatureInvalid")
    .withArgs(account);
}

function shouldRequireBothSignatures(): void {
  describe("when another than the named person signed", () => {
    it("should revert with CosignatureInvalid, for either of the two", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const anothers = await signRelease(f, f.thirdB, release);
      const { initiator, colleague, initiatorSignature, colleagueSignature } = release;
      await refusesSignature(f, release, initiator, { initiatorSignature: anothers });
      await refusesSignature(f, release, colleague, { colleagueSignature: anothers });
      // One person signs for both, or the two are exchanged.
      await refusesSignature(f, release, colleague, { colleagueSignature: initiatorSignature });
      await refusesSignature(f, release, initiator, { initiatorSignature: colleagueSignature });
      await refusesSignature(f, release, colleague, { initiator: colleague, colleague: initiator });
    });
  });

  describe("when a signature is over another initiator, colleague, patient, reason, nonce or deadline", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const { patientId } = await registerPatient(f);
      for (const change of [
        { initiator: f.thirdB.address },
        { colleague: f.thirdB.address },
        { patientId },
        { reasonDigest: id("another reason") },
        { nonce: id("another nonce") },
        { deadline: release.deadline + 60 },
      ]) {
        const colleagueSignature = await signRelease(f, f.colleagueB, { ...release, ...change });
        await refusesSignature(f, release, release.colleague, { colleagueSignature });
      }
    });
  });

  describe("when a signature is for another chain, contract or version", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const ours = await domain(f.emergencies, "BreakGlass");
      const value = onlySigned(release);
      for (const change of [
        { chainId: 1 },
        { verifyingContract: await f.accessLog.getAddress() },
        { version: "2" },
        { name: "chartseal AccessLog" },
      ]) {
        const colleagueSignature = await f.colleagueB.signTypedData(
          { ...ours, ...change },
          EMERGENCY_RELEASE_TYPES,
          value,
        );
        await refusesSignature(f, release, release.colleague, { colleagueSignature });
      }
    });
  });

  describe("when the signatures are over an emergency on chain, or the other way round", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const onChain = await emergencyFor(f, f.clinicianB, {
        reasonDigest: release.reasonDigest,
        nonce: release.nonce,
        deadline: release.deadline,
      });
      const colleagueSignature = await signEmergency(f, f.colleagueB, onChain);
      await refusesSignature(f, release, release.colleague, { colleagueSignature });
      await expect(sendEmergency(f, f.clinicianB, onChain, f.colleagueB, release.colleagueSignature))
        .to.be.revertedWithCustomError(f.emergencies, "CosignatureInvalid")
        .withArgs(f.colleagueB.address);
    });
  });

  describe("when a signature is cut short or empty", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const release = await lateRelease(f);
      for (const initiatorSignature of [dataSlice(release.initiatorSignature, 0, 64), "0x"]) {
        await refusesSignature(f, release, release.initiator, { initiatorSignature });
      }
    });
  });

  describe("given a contract account, which could disown its signature later", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await load();
      const { signer } = await contractAccount();
      const address = signer.bytes;
      await f.members
        .connect(f.adminB)
        .enrolStaff(2, address, Role.CLINICIAN, (await now()) + YEAR, id("person contract B"));
      const release = await lateRelease(f, { colleague: { address, signTypedData: signer.signTypedData } });
      await expect(fileLate(f, release)).to.be.revertedWithCustomError(f.emergencies, "CosignatureInvalid");
    });
  });
}

function shouldRequireTwoPersons(): void {
  describe("given an account that never was staff", () => {
    it("should revert with StaffNeverKnown, for either of the two", async () => {
      const f = await load();
      for (const who of [{ initiator: f.outsider }, { colleague: f.outsider }, { colleague: f.adminB }]) {
        const { address } = who.initiator ?? who.colleague;
        await expect(fileLate(f, await lateRelease(f, who)))
          .to.be.revertedWithCustomError(f.emergencies, "StaffNeverKnown")
          .withArgs(address);
      }
    });
  });

  describe("when initiator and colleague are one account, or two of one person", () => {
    it("should revert with SamePerson", async () => {
      const f = await load();
      for (const colleague of [f.clinicianB, f.second]) {
        await expect(fileLate(f, await lateRelease(f, { colleague })))
          .to.be.revertedWithCustomError(f.emergencies, "SamePerson")
          .withArgs(id("person clinician B"));
      }
    });
  });
}

function onlySigned(release: LateRelease): EmergencyRelease {
  const { initiator, colleague, patientId, reasonDigest, nonce, deadline } = release;
  return { initiator, colleague, patientId, reasonDigest, nonce, deadline };
}
