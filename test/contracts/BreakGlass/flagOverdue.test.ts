// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { networkHelpers, nextBlockAt } from "../consortium.js";
import { STATEMENT, deployWithEmergencies, flagOverdue, openWindow } from "../emergencies.js";
import type { WithEmergencies } from "../emergencies.js";
import { expectHeadAdvance } from "../heads.js";

/** Clinician B opened a window with his hospital's colleague. */
async function deployWithWindow() {
  const f = await deployWithEmergencies();
  return { ...f, window: await openWindow(f) };
}
const load = () => networkHelpers.loadFixture(deployWithWindow);

function flag(f: WithEmergencies, { windowId }: { windowId: string }) {
  return f.emergencies.connect(f.outsider).flagOverdue(windowId);
}

describe("BreakGlass.flagOverdue", () => {
  describe("given no such window", () => {
    it("should revert with WindowUnknown", async () => {
      const f = await load();
      await expect(flag(f, { windowId: ZeroHash }))
        .to.be.revertedWithCustomError(f.emergencies, "WindowUnknown")
        .withArgs(ZeroHash);
    });
  });

  describe("given the window is justified", () => {
    it("should revert with AlreadyJustified, in time or late", async () => {
      const f = await load();
      const late = await openWindow(f, f.thirdB, f.fourthB);
      await f.emergencies.connect(f.reviewerB).justify(f.window.windowId, STATEMENT);
      await networkHelpers.time.increaseTo(late.justifyBy + 1);
      await f.emergencies.connect(f.reviewerB).justify(late.windowId, STATEMENT);
      for (const window of [f.window, late]) {
        await expect(flag(f, window))
          .to.be.revertedWithCustomError(f.emergencies, "AlreadyJustified")
          .withArgs(window.windowId);
      }
    });
  });

  describe("given the window is flagged already", () => {
    it("should revert with AlreadyFlagged", async () => {
      const f = await load();
      await flagOverdue(f, f.window);
      await expect(flag(f, f.window))
        .to.be.revertedWithCustomError(f.emergencies, "AlreadyFlagged")
        .withArgs(f.window.windowId);
    });
  });

  describe("given it is the last second of the time for the justification", () => {
    it("should revert with NotOverdue", async () => {
      const f = await load();
      await nextBlockAt(f.window.justifyBy);
      await expect(flag(f, f.window))
        .to.be.revertedWithCustomError(f.emergencies, "NotOverdue")
        .withArgs(f.window.windowId, f.window.justifyBy);
    });
  });

  shouldFlag();
  shouldCountPersonsOnce();
});

function shouldFlag(): void {
  describe("given that time ended a second ago", () => {
    it("should emit WindowOverdue", async () => {
      const f = await load();
      const flaggedAt = await nextBlockAt(f.window.justifyBy + 1);
      await expect(flag(f, f.window))
        .to.emit(f.emergencies, "WindowOverdue")
        .withArgs(f.window.windowId, f.patient.patientId, flaggedAt);
    });

    it("should mark the window, and change nothing else of it", async () => {
      const f = await load();
      const before = Array.from<unknown>(await f.emergencies.windowOf(f.window.windowId));
      await flagOverdue(f, f.window);
      expect(await f.emergencies.windowOf(f.window.windowId)).to.deep.equal(before.with(7, true));
    });

    it("should advance the patient's head by its event", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.window.justifyBy + 1);
      await expectHeadAdvance(f.emergencies, f.patient.patientId, () => flag(f, f.window));
    });
  });

  describe("given the window was reviewed without a justification", () => {
    it("should still mark it", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.window.justifyBy + 1);
      await f.emergencies.connect(f.reviewerA).review(f.window.windowId, 1, STATEMENT);
      await flag(f, f.window);
      expect(await f.emergencies.overdueOfPerson(id("person clinician B"))).to.equal(1);
    });
  });
}

function shouldCountPersonsOnce(): void {
  describe("given a pair has several overdue windows", () => {
    it("should count each for both persons, and each person once for the member", async () => {
      const f = await load();
      // Another account of the reader's person, and the two in turned parts.
      const windows = [f.window, await openWindow(f, f.second), await openWindow(f, f.colleagueB, f.second)];
      for (const [at, window] of windows.entries()) {
        await flagOverdue(f, window);
        for (const person of ["person clinician B", "person colleague B"]) {
          expect(await f.emergencies.overdueOfPerson(id(person))).to.equal(at + 1);
        }
        expect(await f.emergencies.overdueOfMember(2)).to.equal(2);
      }
    });
  });

  describe("given the colleague is of another member", () => {
    it("should count each person for the own member", async () => {
      const f = await load();
      const window = await openWindow(f, f.thirdB, f.clinicianC);
      await flagOverdue(f, window);
      expect(await f.emergencies.overdueOfMember(1)).to.equal(0);
      expect(await f.emergencies.overdueOfMember(2)).to.equal(1);
      expect(await f.emergencies.overdueOfMember(3)).to.equal(1);
    });
  });
}
