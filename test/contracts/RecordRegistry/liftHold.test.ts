// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireOfficer } from "../behaviours/officer.js";
import { shouldRequireOnePatientsRecords } from "../behaviours/one-patients-records.js";
import { shouldRequireSignature } from "../behaviours/signature.js";
import {
  RECOVERY_DELAY,
  Role,
  Status,
  Suspension,
  YEAR,
  anchorLeaves,
  domain,
  nextBlockAt,
  now,
  registerSigner,
} from "../consortium.js";
import {
  LIFT_TYPES,
  completeIncapacity,
  foreignEntry,
  holdFor,
  liftHold,
  loadWithChild,
  loadWithRecords as load,
  placeHold,
  signHold,
  signLift,
} from "../holds.js";
import type { WithChild, WithRecords } from "../holds.js";

async function loadHeld() {
  const f = await load();
  const until = await placeHold(f, f.patient.wallet, f.entries);
  return { ...f, until };
}

async function loadHeldChild() {
  const f = await loadWithChild();
  await placeHold(f, f.child.guardian, f.child.records);
  return f;
}

/** The guardian signs, and `as` lifts. */
function liftChilds(f: WithChild, as = f.operatorA) {
  return liftHold(f, f.child.guardian, f.child.records, as);
}

describe("RecordRegistry.liftHold", () => {
  shouldRequireSignature(load, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const entries = await anchorLeaves(f, patientId, 2);
    await placeHold(f, signer, entries);
    const { until: _until, ...lift } = await holdFor(f, entries);
    return {
      patientId,
      domain: await domain(f.records, "RecordRegistry"),
      types: LIFT_TYPES,
      value: lift,
      act: (signature) => f.records.connect(f.operatorA).liftHold(entries, lift.deadline, signature),
    };
  });

  shouldRequireOnePatientsRecords((f, entries) =>
    f.records.connect(f.operatorA).liftHold(entries, 2 ** 40, "0x"),
  );

  describe("when another member's REVIEWER lifts", () => {
    shouldRequireOfficer({
      load: loadHeldChild,
      officer: (f) => f.reviewerB,
      memberId: 2,
      act: liftChilds,
    });
  });

  shouldRequireWhatWasSigned();
  shouldRequireLifter();
  shouldRequireCustodian();
  shouldRequireTime();
  shouldWaitAfterAChange();
  shouldRequireHeld();
  shouldLift();
});

function shouldRequireWhatWasSigned(): void {
  async function refuses(f: WithRecords, send: () => Promise<unknown>) {
    await expect(send())
      .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
      .withArgs(f.patient.patientId);
  }

  describe("when entries, nonce or deadline differ from what was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadHeld();
      const lift = await holdFor(f, f.entries);
      for (const change of [
        { indices: lift.indices.slice(1) },
        { indices: lift.indices.toReversed() },
        { nonce: lift.nonce - 1n },
        { deadline: lift.deadline + 1 },
      ]) {
        const signature = await signLift(f, f.patient.wallet, { ...lift, ...change });
        await refuses(f, () => f.records.connect(f.operatorA).liftHold(f.entries, lift.deadline, signature));
      }
    });
  });

  describe("when the signature is one for a hold", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadHeld();
      const hold = await holdFor(f, f.entries);
      const signature = await signHold(f, f.patient.wallet, hold);
      await refuses(f, () => f.records.connect(f.operatorA).liftHold(f.entries, hold.deadline, signature));
    });
  });

  describe("when the signature lifted an earlier hold", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadHeld();
      const lift = await holdFor(f, f.entries);
      const signature = await signLift(f, f.patient.wallet, lift);
      const send = () => f.records.connect(f.operatorA).liftHold(f.entries, lift.deadline, signature);
      await send();
      await placeHold(f, f.patient.wallet, f.entries);
      await refuses(f, send);
    });
  });
}

function shouldRequireLifter(): void {
  describe("when the caller is no staff", () => {
    it("should revert with StaffUnknown, though the patient signed", async () => {
      const f = await loadHeld();
      for (const caller of [f.outsider, f.adminA, f.governance]) {
        await expect(liftHold(f, f.patient.wallet, f.entries, caller))
          .to.be.revertedWithCustomError(f.members, "StaffUnknown")
          .withArgs(caller.address);
      }
    });
  });

  describe("when the caller is of the custodian, but no OPERATOR", () => {
    it("should revert with StaffRoleMissing, also for its REVIEWER", async () => {
      const f = await loadHeldChild();
      for (const caller of [f.clinicianA, f.reviewerA]) {
        await expect(liftChilds(f, caller))
          .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
          .withArgs(caller.address, Role.OPERATOR);
      }
    });
  });

  describe("given the custodian is suspended from writing", () => {
    it("should revert with MemberSuspended for its OPERATOR", async () => {
      const f = await loadHeld();
      await f.members.connect(f.governance).setSuspension(1, Suspension.WRITING);
      await expect(liftHold(f, f.patient.wallet, f.entries))
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(1, Suspension.WRITING);
    });
  });

  describe("when another member's REVIEWER lifts with a patient who signs himself", () => {
    it("should revert with NotLifter", async () => {
      const f = await loadHeld();
      for (const [caller, memberId] of [
        [f.reviewerB, 2],
        [f.reviewerC, 3],
      ] as const) {
        await expect(liftHold(f, f.patient.wallet, f.entries, caller))
          .to.be.revertedWithCustomError(f.records, "NotLifter")
          .withArgs(caller.address, memberId);
      }
    });
  });

  describe("when another member's OPERATOR lifts", () => {
    it("should revert with StaffRoleMissing, though the guardians signed", async () => {
      const f = await loadHeldChild();
      await expect(liftChilds(f, f.operatorB))
        .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
        .withArgs(f.operatorB.address, Role.REVIEWER);
    });
  });
}

function shouldRequireCustodian(): void {
  describe("when the entries stand in two members' logs", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await loadHeld();
      const foreign = await foreignEntry(f, f.patient.patientId);
      await expect(liftHold(f, f.patient.wallet, [f.entries[0]!, foreign]))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(2, 1);
    });
  });

  describe("given a member's log names another's patient", () => {
    it("should revert with NotCustodian", async () => {
      const f = await loadHeld();
      const foreign = await foreignEntry(f, f.patient.patientId);
      await expect(liftHold(f, f.patient.wallet, [foreign], f.operatorB))
        .to.be.revertedWithCustomError(f.records, "NotCustodian")
        .withArgs(f.patient.patientId, 2);
    });
  });
}

function shouldRequireTime(): void {
  describe("when the deadline passed a second ago", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadHeld();
      const deadline = (await now()) + 59;
      await nextBlockAt();
      await expect(liftHold(f, f.patient.wallet, f.entries, f.operatorA, { deadline }))
        .to.be.revertedWithCustomError(f.records, "DeadlinePassed")
        .withArgs(deadline);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadHeld();
      const deadline = await nextBlockAt();
      await liftHold(f, f.patient.wallet, f.entries, f.operatorA, { deadline });
    });
  });
}

function shouldWaitAfterAChange(): void {
  describe("given what loosens must wait after a change of who signs", () => {
    it("should revert with LoosensLater until the delay's last second, and pass at its end", async () => {
      const f = await loadWithChild();
      const { patientId, records, guardian } = f.child;
      await placeHold(f, guardian, records, { until: (await now()) + YEAR });
      await completeIncapacity(f);
      const from = (await now()) + RECOVERY_DELAY;
      await nextBlockAt(from - 1);
      await expect(liftChilds(f))
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, from);
      await nextBlockAt(from);
      await liftChilds(f);
    });

    it("should revert with HoldLasts for a shorter hold, which would not wait", async () => {
      const f = await loadWithChild();
      const { records, guardian } = f.child;
      const until = await placeHold(f, guardian, records, { until: (await now()) + YEAR });
      await completeIncapacity(f);
      await expect(placeHold(f, guardian, records))
        .to.be.revertedWithCustomError(f.records, "HoldLasts")
        .withArgs(records[0]!.leaf.index, until);
    });
  });
}

function shouldRequireHeld(): void {
  describe("given one of the entries is not held", () => {
    it("should revert with NotHeld and lift none", async () => {
      const f = await loadHeld();
      await expect(liftHold(f, f.patient.wallet, [f.entries[0]!, f.earlier[1]!]))
        .to.be.revertedWithCustomError(f.records, "NotHeld")
        .withArgs(f.earlier[1]!.leaf.index);
      expect(await f.records.statusOf(1, f.entries[0]!.leaf.index)).to.equal(Status.HELD);
    });
  });

  describe("when an entry is named twice", () => {
    it("should revert with NotHeld", async () => {
      const f = await loadHeld();
      await expect(liftHold(f, f.patient.wallet, [f.entries[0]!, f.entries[0]!]))
        .to.be.revertedWithCustomError(f.records, "NotHeld")
        .withArgs(f.entries[0]!.leaf.index);
    });
  });
}

function shouldLift(): void {
  describe("when custodian and patient lift a hold before its end", () => {
    it("should emit HoldLifted for each", async () => {
      const f = await loadHeld();
      await liftHold(f, f.patient.wallet, f.entries.slice(1, 3));
      const lifted = await f.records.queryFilter(f.records.filters.HoldLifted());
      expect(lifted.map(({ args }) => [...args])).to.deep.equal(
        f.entries.slice(1, 3).map(({ leaf }) => [1n, BigInt(leaf.index), f.patient.patientId]),
      );
    });

    it("should clear the hold of these and no other, and keep their other flags", async () => {
      const f = await load();
      const [older] = f.earlier;
      const ref = `0x${older!.leaf.index.toString(16).padStart(64, "0")}` as const;
      const [newer] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ ref }));
      await f.records.connect(f.operatorA).supersede(older!, newer!);
      const until = await placeHold(f, f.patient.wallet, [older!, f.entries[0]!]);
      await liftHold(f, f.patient.wallet, [older!]);
      expect(await f.records.statusOf(1, older!.leaf.index)).to.equal(Status.SUPERSEDED);
      expect(await f.records.holdUntil(1, older!.leaf.index)).to.equal(0);
      expect(await f.records.statusOf(1, f.entries[0]!.leaf.index)).to.equal(Status.HELD);
      expect(await f.records.holdUntil(1, f.entries[0]!.leaf.index)).to.equal(until);
    });
  });

  describe("when guardians lift a hold", () => {
    it("should take the custodian's OPERATOR with them", async () => {
      const f = await loadHeldChild();
      await liftChilds(f);
      expect(await f.records.statusOf(1, f.child.records[0]!.leaf.index)).to.equal(0);
    });

    it("should take another member's REVIEWER, also when the custodian was removed", async () => {
      const f = await loadHeldChild();
      await f.members.connect(f.governance).removeMember(1);
      await liftChilds(f, f.reviewerB);
      expect(await f.records.statusOf(1, f.child.records[0]!.leaf.index)).to.equal(0);
    });
  });
}
