// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id, toBeHex } from "ethers";
import { shouldOpenDutiesAndNothingElse } from "../behaviours/late-duties.js";
import { shouldRequireTwoSignatures } from "../behaviours/late-signatures.js";
import { shouldRequireReleaser } from "../behaviours/releaser.js";
import { LIMITS, Role, YEAR, networkHelpers, nextBlockAt, now, registerPatient } from "../consortium.js";
import { Verdict, breakGlass } from "../emergencies.js";
import { expectHeadAdvance } from "../heads.js";
import { fileLate, lateRelease, lateWindowId, loadWithReleaser as load } from "../late-releases.js";
import type { WithReleaser } from "../late-releases.js";
import { setDirective } from "../patient-acts.js";

/** IMemberRegistry.RevocationReason. */
const KEY_COMPROMISED = 2;

/** What somebody could do afterwards to keep a release from being filed. */
const SINCE: [string, (f: WithReleaser) => Promise<unknown>][] = [
  [
    "given the two were revoked since, or for a time before the release",
    async (f) => {
      await f.members.connect(f.adminB).revokeStaff(f.clinicianB, await now(), KEY_COMPROMISED);
      await f.members.connect(f.adminB).revokeStaff(f.colleagueB, 0, KEY_COMPROMISED);
    },
  ],
  [
    "given the two lost their role, or wait anew",
    async (f) => {
      const notAfter = (await now()) + YEAR;
      await f.members.connect(f.adminB).updateStaff(f.clinicianB, Role.OPERATOR, notAfter);
      await f.members.connect(f.adminB).updateStaff(f.colleagueB, Role.CLINICIAN | Role.REVIEWER, notAfter);
    },
  ],
  [
    "given their member was removed",
    async (f) => {
      await f.members.connect(f.governance).removeMember(2);
    },
  ],
  [
    "given an account of the two has code since",
    async (f) => {
      // EIP-7702: an ordinary account can take code at any time, which would answer for its signatures.
      await networkHelpers.setCode(f.colleagueB.address, "0x5f5ffd");
    },
  ],
  [
    "given the patient denies emergencies since",
    async (f) => {
      await setDirective(f, f.patient, { denyEmergency: true });
    },
  ],
  [
    "given the pair used up its windows, or owes a justification",
    async (f) => {
      for (let window = 0; window < LIMITS.personQuota; window++) await breakGlass(f);
    },
  ],
];

describe("BreakGlass.fileLate", () => {
  shouldRequireReleaser({
    load,
    releaser: (f) => f.releaser,
    act: async (f, as) => fileLate(f, await lateRelease(f), as),
  });
  shouldRequireTheCustodian();
  shouldRequireTwoSignatures();
  shouldFileOnce();
  shouldFile();
  shouldFileWhateverHappenedSince();
  shouldOpenDutiesAndNothingElse();
});

function shouldRequireTheCustodian(): void {
  describe("when the digest of the reason or of the release is zero", () => {
    it("should revert with DigestZero", async () => {
      const f = await load();
      for (const release of [
        await lateRelease(f, { reasonDigest: ZeroHash }),
        { ...(await lateRelease(f)), releaseDigest: ZeroHash },
      ]) {
        await expect(fileLate(f, release)).to.be.revertedWithCustomError(f.emergencies, "DigestZero");
      }
    });
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await load();
      const patientId = await f.patients.patientIdOf(1, toBeHex(1, 32));
      await expect(fileLate(f, await lateRelease(f, { patientId })))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(patientId);
    });
  });

  describe("given the patient is of another custodian", () => {
    it("should revert with ReleaserOfAnother", async () => {
      const f = await load();
      const { patientId } = await registerPatient(f, f.operatorB, 2);
      const release = await lateRelease(f, { patientId, initiator: f.clinicianC });
      await expect(fileLate(f, release))
        .to.be.revertedWithCustomError(f.emergencies, "ReleaserOfAnother")
        .withArgs(patientId, 1);
    });
  });

  describe("when the reader's own member files it", () => {
    it("should revert with ReleaserOfAnother", async () => {
      const f = await load();
      await f.members.connect(f.adminB).updateStaff(f.thirdB, Role.RELEASER, (await now()) + YEAR);
      await expect(fileLate(f, await lateRelease(f), f.thirdB))
        .to.be.revertedWithCustomError(f.emergencies, "ReleaserOfAnother")
        .withArgs(f.patient.patientId, 2);
    });
  });

  describe("given the initiator is of the patient's custodian", () => {
    it("should revert with OwnPatient", async () => {
      const f = await load();
      await expect(fileLate(f, await lateRelease(f, { initiator: f.clinicianA })))
        .to.be.revertedWithCustomError(f.emergencies, "OwnPatient")
        .withArgs(f.patient.patientId, 1);
    });
  });
}

function shouldFileOnce(): void {
  describe("given it is filed already", () => {
    it("should revert with AlreadyFiled, whatever else is said of the release", async () => {
      const f = await load();
      const release = await lateRelease(f);
      await fileLate(f, release);
      for (const again of [
        release,
        { ...release, releaseDigest: id("another release"), releasedAt: release.releasedAt + 1 },
      ]) {
        await expect(fileLate(f, again))
          .to.be.revertedWithCustomError(f.emergencies, "AlreadyFiled")
          .withArgs(lateWindowId(release));
      }
    });
  });

  describe("given another release by the same two", () => {
    it("should file it beside the first", async () => {
      const f = await load();
      const [first, second] = [await lateRelease(f), await lateRelease(f)];
      await fileLate(f, first);
      await fileLate(f, second);
      expect(lateWindowId(first)).to.not.equal(lateWindowId(second));
    });
  });
}

function shouldFile(): void {
  describe("when the custodian's agent files what two clinicians signed", () => {
    it("should emit LateReleaseFiled", async () => {
      const f = await load();
      for (const colleague of [f.colleagueB, f.clinicianC, f.clinicianA]) {
        const release = await lateRelease(f, { colleague });
        const filedAt = await nextBlockAt();
        await expect(fileLate(f, release))
          .to.emit(f.emergencies, "LateReleaseFiled")
          .withArgs(
            lateWindowId(release),
            f.patient.patientId,
            f.clinicianB.address,
            2,
            colleague.address,
            release.reasonDigest,
            release.releaseDigest,
            release.releasedAt,
            filedAt,
          );
      }
    });

    it("should store the window as late, from the filing on", async () => {
      const f = await load();
      const release = await lateRelease(f, { colleague: f.clinicianC });
      const filedAt = await nextBlockAt();
      await fileLate(f, release);
      expect(await f.emergencies.windowOf(lateWindowId(release))).to.deep.equal([
        f.patient.patientId,
        f.clinicianB.address,
        BigInt(filedAt),
        2n,
        f.clinicianC.address,
        3n,
        1n,
        false,
        true,
        BigInt(Verdict.NONE),
        id("person clinician B"),
        id("person clinician C"),
        ZeroHash,
      ]);
    });

    it("should return the window's id, which is the hash of what was signed", async () => {
      const f = await load();
      const release = await lateRelease(f);
      expect(await f.emergencies.connect(f.releaser).fileLate.staticCall(release)).to.equal(
        lateWindowId(release),
      );
    });

    it("should advance the patient's head by its event, and no other patient's", async () => {
      const f = await load();
      const other = await registerPatient(f);
      const release = await lateRelease(f);
      await expectHeadAdvance(f.emergencies, f.patient.patientId, () => fileLate(f, release));
      expect(await f.emergencies.headOf(other.patientId)).to.equal(0);
    });
  });
}

function shouldFileWhateverHappenedSince(): void {
  for (const [given, happens] of SINCE) {
    describe(given, () => {
      it("should file it all the same", async () => {
        const f = await load();
        const release = await lateRelease(f);
        await happens(f);
        await fileLate(f, release);
        expect((await f.emergencies.windowOf(lateWindowId(release))).late).to.equal(true);
      });
    });
  }
}
