// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Wallet, id } from "ethers";
import { LIMITS, Role, WAITING_TIME, YEAR, ethers, networkHelpers, nextBlockAt, now } from "../consortium.js";
import type { WithEmergencies } from "../emergencies.js";
import {
  STATEMENT,
  breakGlass,
  deployWithEmergencies,
  flagOverdue,
  loadWithEmergencies as load,
  openWindow,
} from "../emergencies.js";

const DAY = 86_400;
const { personQuota, memberQuota, overdueThreshold } = LIMITS;
const PERSON_B = id("person clinician B");

/** Hospital B with ten more pairs of clinicians: as many as use up its quota in a day. */
async function deployWithPairs() {
  const f = await deployWithEmergencies();
  const pairs = await Promise.all(
    Array.from({ length: memberQuota / personQuota }, async () => ({
      reader: await ethers.getImpersonatedSigner(Wallet.createRandom().address),
      colleague: Wallet.createRandom(),
    })),
  );
  const notAfter = (await now()) + YEAR;
  for (const { address } of pairs.flatMap(({ reader, colleague }) => [reader, colleague])) {
    await f.members.connect(f.adminB).enrolStaff(2, address, Role.CLINICIAN, notAfter, id(address));
  }
  await networkHelpers.time.increase(WAITING_TIME);
  return { ...f, pairs };
}

/** What a person may open a day, and what he and his member owe. */
export function shouldKeepQuotas(): void {
  shouldKeepPersonQuota();
  shouldKeepMemberQuota();
  shouldStopOverduePersons();
  shouldStopOverdueMember();
}

/** A pair opens what one person may a day. */
async function useUp(f: WithEmergencies, reader = f.clinicianB, colleague = f.colleagueB) {
  for (let window = 0; window < personQuota; window++) await breakGlass(f, reader, colleague);
}

/** The first second of the next day, UTC. */
async function nextDay(): Promise<number> {
  return (Math.floor((await now()) / DAY) + 1) * DAY;
}

async function refusesPerson(act: Promise<unknown>, f: WithEmergencies, person: string) {
  await expect(act)
    .to.be.revertedWithCustomError(f.emergencies, "QuotaOfPersonUsed")
    .withArgs(id(person), personQuota);
}

function shouldKeepPersonQuota(): void {
  describe("given a person took part in a day's windows", () => {
    it("should revert with QuotaOfPersonUsed for the reader and for the colleague", async () => {
      const f = await load();
      await useUp(f);
      await refusesPerson(breakGlass(f, f.clinicianB, f.thirdB), f, "person clinician B");
      await refusesPerson(breakGlass(f, f.colleagueB, f.thirdB), f, "person colleague B");
      await refusesPerson(breakGlass(f, f.thirdB, f.clinicianB), f, "person clinician B");
      await refusesPerson(breakGlass(f, f.thirdB, f.colleagueB), f, "person colleague B");
    });

    it("should revert with QuotaOfPersonUsed for another account of the person", async () => {
      const f = await load();
      await useUp(f);
      await refusesPerson(breakGlass(f, f.second, f.thirdB), f, "person clinician B");
      await refusesPerson(breakGlass(f, f.thirdB, f.second), f, "person clinician B");
    });

    it("should still let the others of the hospital open windows", async () => {
      const f = await load();
      await useUp(f);
      await useUp(f, f.thirdB, f.fourthB);
    });

    it("should revert in the day's last second, and pass in the next day's first", async () => {
      const f = await load();
      await useUp(f);
      const tomorrow = await nextDay();
      await networkHelpers.time.increaseTo(tomorrow - 60);
      await nextBlockAt(tomorrow - 1);
      await refusesPerson(breakGlass(f), f, "person clinician B");
      await nextBlockAt(tomorrow);
      await useUp(f);
      await refusesPerson(breakGlass(f), f, "person clinician B");
    });
  });

  describe("given a refused emergency", () => {
    it("should not count", async () => {
      const f = await load();
      for (let refused = 0; refused < personQuota; refused++) {
        await expect(breakGlass(f, f.clinicianB, f.second)).to.be.revertedWithCustomError(
          f.emergencies,
          "SamePerson",
        );
      }
      await useUp(f);
    });
  });
}

function shouldKeepMemberQuota(): void {
  describe("given a member opened a day's windows", () => {
    it("should revert with QuotaOfMemberUsed for its readers until the next day", async () => {
      const f = await networkHelpers.loadFixture(deployWithPairs);
      for (const { reader, colleague } of f.pairs) {
        for (let window = 0; window < personQuota; window++) await breakGlass(f, reader, colleague);
      }
      const refuses = () =>
        expect(breakGlass(f))
          .to.be.revertedWithCustomError(f.emergencies, "QuotaOfMemberUsed")
          .withArgs(2, memberQuota);
      await refuses();
      // Another member's reader is not stopped, also with a colleague of this one.
      await breakGlass(f, f.clinicianC, f.colleagueB);
      const tomorrow = await nextDay();
      await networkHelpers.time.increaseTo(tomorrow - 60);
      await nextBlockAt(tomorrow - 1);
      await refuses();
      await nextBlockAt(tomorrow);
      await breakGlass(f);
    });

    it("should have room for all but one pair's windows whatever that pair does", async () => {
      const f = await networkHelpers.loadFixture(deployWithPairs);
      await useUp(f);
      for (const { reader, colleague } of f.pairs.slice(1)) {
        for (let window = 0; window < personQuota; window++) await breakGlass(f, reader, colleague);
      }
    });
  });
}

function shouldStopOverduePersons(): void {
  describe("given a pair's windows are flagged as overdue", () => {
    it("should revert with PersonOverdue for both, with either as reader", async () => {
      const f = await load();
      await flagOverdue(f, await openWindow(f), await openWindow(f));
      for (const [reader, colleague, person] of [
        [f.clinicianB, f.thirdB, "person clinician B"],
        [f.second, f.thirdB, "person clinician B"],
        [f.thirdB, f.second, "person clinician B"],
        [f.colleagueB, f.thirdB, "person colleague B"],
        [f.thirdB, f.colleagueB, "person colleague B"],
      ] as const) {
        await expect(breakGlass(f, reader, colleague))
          .to.be.revertedWithCustomError(f.emergencies, "PersonOverdue")
          .withArgs(id(person), 2);
      }
    });

    it("should revert with PersonOverdue for an account enrolled since, of any member", async () => {
      const f = await load();
      await flagOverdue(f, await openWindow(f));
      await f.members.connect(f.adminB).sharePerson(PERSON_B, 3);
      await f.members
        .connect(f.adminC)
        .enrolStaff(3, f.spare, Role.CLINICIAN, (await now()) + YEAR, PERSON_B);
      await networkHelpers.time.increase(WAITING_TIME);
      await expect(breakGlass(f, f.spare, f.clinicianC))
        .to.be.revertedWithCustomError(f.emergencies, "PersonOverdue")
        .withArgs(PERSON_B, 1);
    });

    it("should not stop their hospital: a third clinician opens a window with a fourth", async () => {
      const f = await load();
      const windows = [];
      // All that a pair can do in a day, either of them reading.
      for (const [reader, colleague] of [
        [f.clinicianB, f.colleagueB],
        [f.colleagueB, f.clinicianB],
        [f.clinicianB, f.colleagueB],
      ] as const) {
        windows.push(await openWindow(f, reader, colleague));
      }
      await flagOverdue(f, ...windows);
      expect(await f.emergencies.overdueOfMember(2)).to.equal(2);
      await useUp(f, f.thirdB, f.fourthB);
    });

    it("should let both go on once the last is justified", async () => {
      const f = await load();
      const windows = [await openWindow(f), await openWindow(f)];
      await flagOverdue(f, ...windows);
      await f.emergencies.connect(f.reviewerB).justify(windows[0]!.windowId, STATEMENT);
      await expect(breakGlass(f))
        .to.be.revertedWithCustomError(f.emergencies, "PersonOverdue")
        .withArgs(PERSON_B, 1);
      await f.emergencies.connect(f.reviewerB).justify(windows[1]!.windowId, STATEMENT);
      await breakGlass(f);
    });
  });

  describe("given a justification is overdue, but not flagged", () => {
    it("should pass", async () => {
      const f = await load();
      const { justifyBy } = await openWindow(f);
      await networkHelpers.time.increaseTo(justifyBy + DAY);
      await breakGlass(f);
    });
  });
}

function shouldStopOverdueMember(): void {
  describe("given as many persons of a member as its threshold are overdue", () => {
    it("should revert with MemberOverdue for its other readers, until one of them is released", async () => {
      const f = await load();
      const window = await openWindow(f, f.clinicianB, f.clinicianC);
      await flagOverdue(f, window, await openWindow(f, f.colleagueB, f.thirdB));
      const notAfter = (await now()) + YEAR;
      await f.members
        .connect(f.adminB)
        .enrolStaff(2, f.spare, Role.CLINICIAN, notAfter, id("person fifth B"));
      await networkHelpers.time.increase(WAITING_TIME);
      await expect(breakGlass(f, f.fourthB, f.spare))
        .to.be.revertedWithCustomError(f.emergencies, "MemberOverdue")
        .withArgs(2, overdueThreshold);
      await f.emergencies.connect(f.reviewerB).justify(window.windowId, STATEMENT);
      await breakGlass(f, f.fourthB, f.spare);
    });

    it("should let its clinicians still sign for another member's", async () => {
      const f = await load();
      await flagOverdue(f, await openWindow(f), await openWindow(f, f.thirdB, f.clinicianA));
      await breakGlass(f, f.clinicianC, f.fourthB);
    });
  });
}
