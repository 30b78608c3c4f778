// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import {
  LIMITS,
  Purpose,
  Role,
  Suspension,
  WAITING_TIME,
  YEAR,
  networkHelpers,
  nextBlockAt,
  now,
} from "../consortium.js";
import { STATEMENT, Verdict, breakGlass, windowTerms } from "../emergencies.js";
import { fileLate, lateRelease, lateWindowId, loadWithReleaser as load } from "../late-releases.js";
import type { LateRelease } from "../late-releases.js";

/** A late release must be accounted for like any emergency, and lets nobody in. */
export function shouldOpenDutiesAndNothingElse(): void {
  describe("given it is filed", () => {
    it("should not let anyone read through it", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const filedAt = await nextBlockAt();
      await fileLate(f, release);
      const windowId = lateWindowId(release);
      for (const reader of [f.clinicianB, f.colleagueB, f.releaser]) {
        await expect(f.emergencies.standingOf(windowId, reader))
          .to.be.revertedWithCustomError(f.emergencies, "WindowIsLate")
          .withArgs(windowId);
      }
      const { terms, windowId: onChain } = windowTerms(onlyEmergency(release), filedAt);
      const all = { compartments: 1n, recordedFrom: 0, recordedTo: 1, upTo: 0 };
      await expect(f.accessLog.connect(f.clinicianB).requestScope(terms, Purpose.BTG, 0, all))
        .to.be.revertedWithCustomError(f.emergencies, "WindowUnknown")
        .withArgs(onChain);
    });

    it("should leave the day's quotas as they were", async () => {
      const f = await load();
      for (let filed = 0; filed <= LIMITS.personQuota; filed++) await fileLate(f, await lateRelease(f));
      for (let window = 0; window < LIMITS.personQuota; window++) await breakGlass(f);
    });

    it("should stop both persons when its justification is overdue, counted from the filing", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const windowId = lateWindowId(release);
      await nextBlockAt(release.releasedAt + LIMITS.fileWithin);
      await fileLate(f, release);
      const dueAt = (await now()) + LIMITS.justifyWithin;
      await nextBlockAt(dueAt);
      await expect(f.emergencies.flagOverdue(windowId))
        .to.be.revertedWithCustomError(f.emergencies, "NotOverdue")
        .withArgs(windowId, dueAt);
      await networkHelpers.time.increaseTo(dueAt + 1);
      await f.emergencies.flagOverdue(windowId);
      await expect(breakGlass(f))
        .to.be.revertedWithCustomError(f.emergencies, "PersonOverdue")
        .withArgs(id("person clinician B"), 1);
      await f.emergencies.connect(f.reviewerB).justify(windowId, STATEMENT);
      await breakGlass(f);
    });

    it("should be reviewed by the custodian, once it is justified", async () => {
      const f = await load();
      const release = await lateRelease(f);
      const windowId = lateWindowId(release);
      await fileLate(f, release);
      const review = () =>
        f.emergencies.connect(f.reviewerA).review(windowId, Verdict.APPROPRIATE, STATEMENT);
      await expect(review())
        .to.be.revertedWithCustomError(f.emergencies, "NotYetJustified")
        .withArgs(windowId);
      await f.emergencies.connect(f.reviewerB).justify(windowId, STATEMENT);
      await review();
      expect((await f.emergencies.windowOf(windowId)).verdict).to.equal(Verdict.APPROPRIATE);
    });
  });

  describe("given the custodian is suspended from reading and writing", () => {
    it("should still file what it owes", async () => {
      const f = await load();
      const release = await lateRelease(f);
      await f.members.connect(f.governance).setSuspension(1, Suspension.READING | Suspension.WRITING);
      await fileLate(f, release);
    });
  });

  describe("given the pair was enrolled a second ago", () => {
    it("should file it: whether they had waited, the agent asked", async () => {
      const f = await load();
      const { members, adminB } = f;
      await members.connect(adminB).updateStaff(f.thirdB, Role.OPERATOR, (await now()) + YEAR);
      await members.connect(adminB).updateStaff(f.thirdB, Role.CLINICIAN, (await now()) + YEAR);
      expect((await members.staffOf(f.thirdB)).since + BigInt(WAITING_TIME) > BigInt(await now())).to.equal(
        true,
      );
      await fileLate(f, await lateRelease(f, { initiator: f.thirdB }));
    });
  });
}

function onlyEmergency({ initiator, patientId, reasonDigest, nonce, deadline }: LateRelease) {
  return { initiator, patientId, reasonDigest, nonce, deadline };
}
