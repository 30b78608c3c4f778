// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { shouldRequireOfficer } from "../behaviours/officer.js";
import { Role, WAITING_TIME, YEAR, ethers, networkHelpers, nextBlockAt, now } from "../consortium.js";
import {
  STATEMENT,
  Verdict,
  deployWithEmergencies,
  flagOverdue,
  loadWithEmergencies,
  openWindow,
} from "../emergencies.js";
import type { TestWindow, WithEmergencies } from "../emergencies.js";
import { expectHeadAdvance } from "../heads.js";

const FINDING = id("finding");

/** Clinician B opened two windows: one is justified, the other, with hospital C's colleague, is not. */
async function deployWithWindows() {
  const f = await deployWithEmergencies();
  const [window, open] = [await openWindow(f), await openWindow(f, f.clinicianB, f.clinicianC)];
  await f.emergencies.connect(f.reviewerB).justify(window.windowId, STATEMENT);
  return { ...f, window, open };
}
const load = () => networkHelpers.loadFixture(deployWithWindows);

function review(f: WithEmergencies, { windowId }: { windowId: string }, as = f.reviewerA) {
  return f.emergencies.connect(as).review(windowId, Verdict.APPROPRIATE, FINDING);
}

async function refusesReviewer(f: WithEmergencies, window: TestWindow, as = f.reviewerA, memberId = 1) {
  await expect(review(f, window, as))
    .to.be.revertedWithCustomError(f.emergencies, "NotReviewer")
    .withArgs(window.windowId, memberId);
}

describe("BreakGlass.review", () => {
  shouldRequireOfficer({
    load,
    officer: (f) => f.reviewerA,
    memberId: 1,
    act: (f, as) => review(f, f.window, as),
  });
  shouldRequireVerdict();
  shouldRequireReviewerOfCustodian();
  shouldEscalate();
  shouldRefuseTheTwo();
  shouldAwaitJustification();
  shouldStore();
});

function shouldRequireVerdict(): void {
  describe("given no such window", () => {
    it("should revert with WindowUnknown", async () => {
      const f = await loadWithEmergencies();
      await expect(review(f, { windowId: ZeroHash }))
        .to.be.revertedWithCustomError(f.emergencies, "WindowUnknown")
        .withArgs(ZeroHash);
    });
  });

  describe("when the verdict is NONE", () => {
    it("should revert with VerdictMissing", async () => {
      const f = await load();
      await expect(f.emergencies.connect(f.reviewerA).review(f.window.windowId, Verdict.NONE, FINDING))
        .to.be.revertedWithCustomError(f.emergencies, "VerdictMissing")
        .withArgs(f.window.windowId);
    });
  });

  describe("when the verdict is none of the three", () => {
    it("should revert without a reason", async () => {
      const f = await load();
      const args = [f.window.windowId, Verdict.INAPPROPRIATE, FINDING] as const;
      const data = f.emergencies.interface.encodeFunctionData("review", [...args]);
      const place = 2 + 2 * (4 + 32 + 32);
      const call = {
        to: await f.emergencies.getAddress(),
        data: `${data.slice(0, place - 1)}3${data.slice(place)}`,
      };
      await expect(f.reviewerA.call(call)).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the statement's digest is zero", () => {
    it("should revert with DigestZero", async () => {
      const f = await load();
      await expect(
        f.emergencies.connect(f.reviewerA).review(f.window.windowId, Verdict.APPROPRIATE, ZeroHash),
      ).to.be.revertedWithCustomError(f.emergencies, "DigestZero");
    });
  });

  describe("given the window is reviewed already", () => {
    it("should revert with AlreadyReviewed, whoever asks", async () => {
      const f = await load();
      await review(f, f.window);
      await networkHelpers.time.increaseTo(f.window.reviewBy + 1);
      for (const as of [f.reviewerA, f.reviewerC]) {
        await expect(f.emergencies.connect(as).review(f.window.windowId, Verdict.INAPPROPRIATE, FINDING))
          .to.be.revertedWithCustomError(f.emergencies, "AlreadyReviewed")
          .withArgs(f.window.windowId, Verdict.APPROPRIATE);
      }
    });
  });
}

function shouldRequireReviewerOfCustodian(): void {
  describe("when the REVIEWER is of the reader's member", () => {
    it("should revert with NotReviewer, also once the review is overdue", async () => {
      const f = await load();
      await refusesReviewer(f, f.window, f.reviewerB, 2);
      await networkHelpers.time.increaseTo(f.window.reviewBy + 1);
      await refusesReviewer(f, f.window, f.reviewerB, 2);
    });
  });

  describe("when the REVIEWER is of the colleague's member", () => {
    it("should revert with NotReviewer, also once the review is overdue", async () => {
      const f = await load();
      await refusesReviewer(f, f.open, f.reviewerC, 3);
      await networkHelpers.time.increaseTo(f.open.reviewBy + 1);
      await refusesReviewer(f, f.open, f.reviewerC, 3);
    });
  });

  describe("given the colleague is of the custodian", () => {
    it("should let the custodian's REVIEWER review", async () => {
      const f = await load();
      const window = await openWindow(f, f.clinicianB, f.clinicianA);
      await f.emergencies.connect(f.reviewerB).justify(window.windowId, STATEMENT);
      await review(f, window);
    });
  });
}

function shouldEscalate(): void {
  describe("when the REVIEWER is of a member without a part in it", () => {
    it("should revert with NotReviewer in the last second of the time for the review", async () => {
      const f = await load();
      await refusesReviewer(f, f.window, f.reviewerC, 3);
      await networkHelpers.time.increaseTo(f.window.reviewBy - 60);
      await nextBlockAt(f.window.reviewBy);
      await refusesReviewer(f, f.window, f.reviewerC, 3);
    });

    it("should pass a second later", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.window.reviewBy);
      await nextBlockAt(f.window.reviewBy + 1);
      await expect(review(f, f.window, f.reviewerC)).to.emit(f.emergencies, "WindowReviewed");
    });
  });

  describe("given the review is overdue", () => {
    it("should still take the custodian's", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.window.reviewBy + 1);
      await review(f, f.window);
    });

    it("should take that of a member without a part in it though nothing was justified", async () => {
      const f = await load();
      const window = await openWindow(f, f.thirdB, f.fourthB);
      await networkHelpers.time.increaseTo(window.reviewBy + 1);
      await review(f, window, f.reviewerC);
    });
  });
}

function shouldRefuseTheTwo(): void {
  describe("given the REVIEWER is one of the two persons", () => {
    it("should revert with OwnEmergency, also with another account at the custodian or elsewhere", async () => {
      const f = await load();
      const own = await openWindow(f, f.thirdB, f.clinicianA);
      const notAfter = (await now()) + YEAR;
      await f.members.connect(f.adminA).updateStaff(f.clinicianA, Role.CLINICIAN | Role.REVIEWER, notAfter);
      for (const member of [1, 3])
        await f.members.connect(f.adminB).sharePerson(id("person third B"), member);
      await f.members.connect(f.adminA).enrolStaff(1, f.spare, Role.REVIEWER, notAfter, id("person third B"));
      await f.members
        .connect(f.adminC)
        .enrolStaff(3, f.outsider, Role.REVIEWER, notAfter, id("person third B"));
      await networkHelpers.time.increaseTo(own.reviewBy + WAITING_TIME);
      for (const [as, person] of [
        [f.clinicianA, "person clinician A"],
        [f.spare, "person third B"],
        [f.outsider, "person third B"],
      ] as const) {
        await expect(review(f, own, as))
          .to.be.revertedWithCustomError(f.emergencies, "OwnEmergency")
          .withArgs(own.windowId, id(person));
      }
    });
  });
}

function shouldAwaitJustification(): void {
  describe("given the window is not justified", () => {
    it("should revert with NotYetJustified until the justification's last second", async () => {
      const f = await load();
      for (const time of [await nextBlockAt(), f.open.justifyBy]) {
        await nextBlockAt(time);
        await expect(review(f, f.open))
          .to.be.revertedWithCustomError(f.emergencies, "NotYetJustified")
          .withArgs(f.open.windowId);
      }
    });

    it("should pass a second later, flagged or not", async () => {
      const f = await load();
      await nextBlockAt(f.open.justifyBy + 1);
      await review(f, f.open);
      const window = await openWindow(f, f.thirdB, f.fourthB);
      await flagOverdue(f, window);
      await review(f, window);
    });

    it("should leave the two persons stopped", async () => {
      const f = await load();
      await flagOverdue(f, f.open);
      await review(f, f.open);
      expect(await f.emergencies.overdueOfPerson(id("person clinician B"))).to.equal(1);
    });
  });
}

function shouldStore(): void {
  describe("when the custodian's REVIEWER reviews it", () => {
    it("should emit WindowReviewed with the verdict", async () => {
      const f = await load();
      for (const verdict of [Verdict.APPROPRIATE, Verdict.INAPPROPRIATE]) {
        const { windowId, emergency } = await openWindow(f, f.thirdB, f.fourthB);
        await f.emergencies.connect(f.reviewerB).justify(windowId, STATEMENT);
        const reviewedAt = await nextBlockAt();
        await expect(f.emergencies.connect(f.reviewerA).review(windowId, verdict, FINDING))
          .to.emit(f.emergencies, "WindowReviewed")
          .withArgs(windowId, emergency.patientId, f.reviewerA.address, verdict, FINDING, reviewedAt);
        expect((await f.emergencies.windowOf(windowId)).verdict).to.equal(verdict);
      }
    });

    it("should change nothing else of the window", async () => {
      const f = await load();
      const before = Array.from<unknown>(await f.emergencies.windowOf(f.window.windowId));
      await review(f, f.window);
      expect(await f.emergencies.windowOf(f.window.windowId)).to.deep.equal(
        before.with(9, BigInt(Verdict.APPROPRIATE)),
      );
    });

    it("should advance the patient's head by its event", async () => {
      const f = await load();
      await expectHeadAdvance(f.emergencies, f.patient.patientId, () => review(f, f.window));
    });
  });
}
