// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { AbiCoder, Wallet, ZeroHash, id, keccak256 } from "ethers";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { LIMITS, Role, WAITING_TIME, YEAR, ethers, networkHelpers, nextBlockAt, now } from "../consortium.js";
import { deployWithEmergencies, loadWithEmergencies as load } from "../emergencies.js";
import type { WithEmergencies } from "../emergencies.js";

const DAY = 86_400;
const { lookupQuota } = LIMITS;
/** How many times what one person may, a member's persons may. */
const SHARE = 20;
const DIGEST = id("blinded identifier");

function logLookup(f: WithEmergencies, as = f.clinicianB, digest = DIGEST) {
  return f.emergencies.connect(as).logLookup(digest);
}

/** Hospital B with as many more clinicians as use up its quota in a day. */
async function deployWithClinicians() {
  const f = await deployWithEmergencies();
  const clinicians = await Promise.all(
    Array.from({ length: SHARE }, () => ethers.getImpersonatedSigner(Wallet.createRandom().address)),
  );
  const notAfter = (await now()) + YEAR;
  for (const { address } of clinicians) {
    await f.members.connect(f.adminB).enrolStaff(2, address, Role.CLINICIAN, notAfter, id(address));
  }
  await networkHelpers.time.increase(WAITING_TIME);
  return { ...f, clinicians };
}

describe("BreakGlass.logLookup", () => {
  shouldRequireStaff({
    load,
    staff: (f) => f.clinicianB,
    memberId: 2,
    role: "CLINICIAN",
    activity: "READING",
    act: (f, as) => logLookup(f, as),
  });

  describe("given the clinician is a second short of the waiting time", () => {
    it("should revert with StaffTooNew, and pass a second later", async () => {
      const f = await load();
      const since = await nextBlockAt();
      await f.members.connect(f.adminB).enrolStaff(2, f.spare, Role.CLINICIAN, since + YEAR, id("new B"));
      await networkHelpers.time.increaseTo(since + WAITING_TIME - 60);
      await nextBlockAt(since + WAITING_TIME - 1);
      await expect(logLookup(f, f.spare))
        .to.be.revertedWithCustomError(f.members, "StaffTooNew")
        .withArgs(f.spare.address, since + WAITING_TIME);
      await nextBlockAt(since + WAITING_TIME);
      await logLookup(f, f.spare);
    });
  });

  describe("when the digest is zero", () => {
    it("should revert with DigestZero", async () => {
      const f = await load();
      await expect(logLookup(f, f.clinicianB, ZeroHash)).to.be.revertedWithCustomError(
        f.emergencies,
        "DigestZero",
      );
    });
  });

  shouldLog();
  shouldKeepQuotas();
});

function shouldLog(): void {
  describe("when a clinician logs one", () => {
    it("should emit LookupLogged, with an id of chain, contract, reader and digest", async () => {
      const f = await load();
      const { chainId } = await ethers.provider.getNetwork();
      for (const [reader, memberId] of [
        [f.clinicianB, 2],
        [f.clinicianC, 3],
      ] as const) {
        const lookupId = keccak256(
          AbiCoder.defaultAbiCoder().encode(
            ["uint256", "address", "address", "bytes32"],
            [chainId, await f.emergencies.getAddress(), reader.address, DIGEST],
          ),
        );
        expect(await f.emergencies.connect(reader).logLookup.staticCall(DIGEST)).to.equal(lookupId);
        const loggedAt = await nextBlockAt();
        await expect(logLookup(f, reader))
          .to.emit(f.emergencies, "LookupLogged")
          .withArgs(lookupId, reader.address, memberId, DIGEST, loggedAt);
      }
    });

    it("should stand in no patient's list, also when the digest is a patient's id", async () => {
      const f = await load();
      const receipt = await (await logLookup(f, f.clinicianB, f.patient.patientId)).wait();
      const topics = receipt!.logs.flatMap((log) => log.topics);
      expect(topics).to.have.length(3);
      expect(topics).to.not.include(f.patient.patientId);
      expect(await f.emergencies.headOf(f.patient.patientId)).to.equal(0);
    });
  });
}

function shouldKeepQuotas(): void {
  describe("given a person looked up what he may in a day", () => {
    it("should revert with QuotaOfPersonUsed from each of his accounts, and pass on the next day", async () => {
      const f = await load();
      for (let lookup = 0; lookup < lookupQuota; lookup++)
        await logLookup(f, lookup === 0 ? f.second : undefined);
      const tomorrow = (Math.floor((await now()) / DAY) + 1) * DAY;
      await networkHelpers.time.increaseTo(tomorrow - 60);
      for (const account of [f.clinicianB, f.second]) {
        await expect(logLookup(f, account))
          .to.be.revertedWithCustomError(f.emergencies, "QuotaOfPersonUsed")
          .withArgs(id("person clinician B"), lookupQuota);
      }
      await logLookup(f, f.colleagueB);
      await nextBlockAt(tomorrow);
      await logLookup(f);
    });
  });

  describe("given a member's persons looked up what they may in a day", () => {
    it("should revert with QuotaOfMemberUsed for all of them, not for another member's", async () => {
      const f = await networkHelpers.loadFixture(deployWithClinicians);
      for (const clinician of f.clinicians) {
        for (let lookup = 0; lookup < lookupQuota; lookup++) await logLookup(f, clinician);
      }
      await expect(logLookup(f))
        .to.be.revertedWithCustomError(f.emergencies, "QuotaOfMemberUsed")
        .withArgs(2, lookupQuota * SHARE);
      await logLookup(f, f.clinicianC);
    });
  });
}
