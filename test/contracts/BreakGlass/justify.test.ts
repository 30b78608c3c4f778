// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { shouldRequireOfficer } from "../behaviours/officer.js";
import { Role, YEAR, WAITING_TIME, networkHelpers, nextBlockAt, now } from "../consortium.js";
import {
  STATEMENT,
  deployWithEmergencies,
  flagOverdue,
  loadWithEmergencies,
  openWindow,
} from "../emergencies.js";
import type { WithEmergencies } from "../emergencies.js";
import { expectHeadAdvance } from "../heads.js";

const NO_WINDOW = id("no window");

/** Clinician B opened a window with his hospital's colleague, and one with hospital C's. */
async function deployWithWindows() {
  const f = await deployWithEmergencies();
  return { ...f, window: await openWindow(f), shared: await openWindow(f, f.clinicianB, f.clinicianC) };
}
const load = () => networkHelpers.loadFixture(deployWithWindows);

function justify(f: WithEmergencies, { windowId }: { windowId: string }, as = f.reviewerB) {
  return f.emergencies.connect(as).justify(windowId, STATEMENT);
}

describe("BreakGlass.justify", () => {
  shouldRequireOfficer({
    load,
    officer: (f) => f.reviewerB,
    memberId: 2,
    act: (f, as) => justify(f, f.window, as),
  });
  shouldRequireWindowAndStatement();
  shouldRequireOfficerOfMember();
  shouldRefuseTheTwo();
  shouldFile();
  shouldRelease();
});

function shouldRequireWindowAndStatement(): void {
  describe("given no such window", () => {
    it("should revert with WindowUnknown", async () => {
      const f = await loadWithEmergencies();
      for (const windowId of [ZeroHash, NO_WINDOW]) {
        await expect(justify(f, { windowId }))
          .to.be.revertedWithCustomError(f.emergencies, "WindowUnknown")
          .withArgs(windowId);
      }
    });
  });

  describe("when the statement's digest is zero", () => {
    it("should revert with DigestZero", async () => {
      const f = await load();
      await expect(
        f.emergencies.connect(f.reviewerB).justify(f.window.windowId, ZeroHash),
      ).to.be.revertedWithCustomError(f.emergencies, "DigestZero");
    });
  });

  describe("given the window is justified already", () => {
    it("should revert with AlreadyJustified", async () => {
      const f = await load();
      await justify(f, f.window);
      await expect(justify(f, f.window))
        .to.be.revertedWithCustomError(f.emergencies, "AlreadyJustified")
        .withArgs(f.window.windowId);
    });
  });
}

function shouldRequireOfficerOfMember(): void {
  describe("when the REVIEWER is of the custodian, or of a member without a part in it", () => {
    it("should revert with NotReviewer, also once the window is flagged", async () => {
      const f = await load();
      const refuses = async () => {
        for (const [as, memberId] of [
          [f.reviewerA, 1],
          [f.reviewerC, 3],
        ] as const) {
          await expect(justify(f, f.window, as))
            .to.be.revertedWithCustomError(f.emergencies, "NotReviewer")
            .withArgs(f.window.windowId, memberId);
        }
      };
      await refuses();
      await flagOverdue(f, f.window);
      await refuses();
    });
  });

  describe("when the REVIEWER is of the colleague's member", () => {
    it("should revert with NotReviewer while the window is not flagged", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.shared.justifyBy + 1);
      await expect(justify(f, f.shared, f.reviewerC))
        .to.be.revertedWithCustomError(f.emergencies, "NotReviewer")
        .withArgs(f.shared.windowId, 3);
    });

    it("should release its clinician once the window is flagged, whatever the reader's member does", async () => {
      const f = await load();
      await flagOverdue(f, f.shared);
      await f.members.connect(f.governance).removeMember(2);
      expect(await f.emergencies.overdueOfMember(3)).to.equal(1);
      await justify(f, f.shared, f.reviewerC);
      expect(await f.emergencies.overdueOfMember(3)).to.equal(0);
      expect(await f.emergencies.overdueOfPerson(id("person clinician C"))).to.equal(0);
    });
  });
}

function shouldRefuseTheTwo(): void {
  describe("given the REVIEWER is one of the two persons", () => {
    it("should revert with OwnEmergency, also from another account", async () => {
      const f = await load();
      const { members, adminB } = f;
      const notAfter = (await now()) + YEAR;
      await members.connect(adminB).updateStaff(f.colleagueB, Role.CLINICIAN | Role.REVIEWER, notAfter);
      await members.connect(adminB).enrolStaff(2, f.spare, Role.REVIEWER, notAfter, id("person clinician B"));
      await networkHelpers.time.increase(WAITING_TIME);
      for (const [as, person] of [
        [f.colleagueB, "person colleague B"],
        [f.spare, "person clinician B"],
      ] as const) {
        await expect(justify(f, f.window, as))
          .to.be.revertedWithCustomError(f.emergencies, "OwnEmergency")
          .withArgs(f.window.windowId, id(person));
      }
    });
  });
}

function shouldFile(): void {
  describe("when the reader's privacy officer files it", () => {
    it("should emit WindowJustified", async () => {
      const f = await load();
      const { windowId, emergency } = f.window;
      const justifiedAt = await nextBlockAt();
      await expect(justify(f, f.window))
        .to.emit(f.emergencies, "WindowJustified")
        .withArgs(windowId, emergency.patientId, f.reviewerB.address, STATEMENT, justifiedAt);
    });

    it("should store the statement's digest, and change nothing else", async () => {
      const f = await load();
      const before = await f.emergencies.windowOf(f.window.windowId);
      const other = await f.emergencies.windowOf(f.shared.windowId);
      await justify(f, f.window);
      expect(await f.emergencies.windowOf(f.window.windowId)).to.deep.equal([
        ...before.slice(0, -1),
        STATEMENT,
      ]);
      expect(await f.emergencies.windowOf(f.shared.windowId)).to.deep.equal([...other]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await load();
      await expectHeadAdvance(f.emergencies, f.patient.patientId, () => justify(f, f.window));
    });
  });
}

function shouldRelease(): void {
  describe("given the window is flagged as overdue", () => {
    it("should clear the flag and release both persons of this window only", async () => {
      const f = await load();
      await flagOverdue(f, f.window, f.shared);
      const owed = async () => [
        ...(await Promise.all(
          ["clinician B", "colleague B", "clinician C"].map((name) =>
            f.emergencies.overdueOfPerson(id(`person ${name}`)),
          ),
        )),
        await f.emergencies.overdueOfMember(2),
        await f.emergencies.overdueOfMember(3),
      ];
      expect(await owed()).to.deep.equal([2n, 1n, 1n, 2n, 1n]);
      await justify(f, f.window);
      expect(await owed()).to.deep.equal([1n, 0n, 1n, 1n, 1n]);
      expect((await f.emergencies.windowOf(f.window.windowId)).overdue).to.equal(false);
      await justify(f, f.shared);
      expect(await owed()).to.deep.equal([0n, 0n, 0n, 0n, 0n]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await load();
      await flagOverdue(f, f.window);
      await expectHeadAdvance(f.emergencies, f.patient.patientId, () => justify(f, f.window));
    });
  });

  describe("given the window was reviewed without a justification", () => {
    it("should still take it", async () => {
      const f = await load();
      await flagOverdue(f, f.window);
      await f.emergencies.connect(f.reviewerA).review(f.window.windowId, 2, STATEMENT);
      await justify(f, f.window);
      expect(await f.emergencies.overdueOfPerson(id("person clinician B"))).to.equal(0);
    });
  });
}
