// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash } from "ethers";
import { shouldRequireOnePatientsRecords } from "../behaviours/one-patients-records.js";
import { shouldRequireSignature } from "../behaviours/signature.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import {
  Status,
  YEAR,
  anchorLeaves,
  domain,
  nextBlockAt,
  now,
  registerSigner,
  registerPatientWithoutSigner,
} from "../consortium.js";
import {
  HOLD_TYPES,
  foreignEntry,
  holdFor,
  liftHold,
  loadWithChild,
  loadWithRecords as load,
  placeHold,
  signHold,
  signLift,
} from "../holds.js";
import type { WithRecords } from "../holds.js";
import { writeStatus } from "../status-slots.js";

const DAY = 86_400;

describe("RecordRegistry.placeHold", () => {
  shouldRequireStaff({
    load,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: (f, as) => placeHold(f, f.patient.wallet, f.entries, {}, as),
  });

  shouldRequireSignature(load, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const entries = await anchorLeaves(f, patientId, 2);
    const hold = await holdFor(f, entries);
    return {
      patientId,
      domain: await domain(f.records, "RecordRegistry"),
      types: HOLD_TYPES,
      value: { ...hold },
      act: (signature) =>
        f.records.connect(f.operatorA).placeHold(entries, hold.until, hold.deadline, signature),
    };
  });

  shouldRequireOnePatientsRecords((f, entries) =>
    f.records.connect(f.operatorA).placeHold(entries, 2 ** 40, 2 ** 40, "0x"),
  );

  shouldRequireWhatWasSigned();
  shouldRequireCustodian();
  shouldRequireTimes();
  shouldRequireStatus();
  shouldHold();
  shouldHoldAnew();
});

function shouldRequireWhatWasSigned(): void {
  async function refuses(f: WithRecords, send: () => Promise<unknown>) {
    await expect(send())
      .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
      .withArgs(f.patient.patientId);
  }

  describe("when entries, end, nonce or deadline differ from what was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const hold = await holdFor(f, f.entries);
      for (const change of [
        { indices: hold.indices.slice(1) },
        { indices: [...hold.indices, 99] },
        { indices: hold.indices.toReversed() },
        { until: hold.until + 1 },
        { nonce: 1n },
        { deadline: hold.deadline + 1 },
      ]) {
        const signature = await signHold(f, f.patient.wallet, { ...hold, ...change });
        await refuses(f, () =>
          f.records.connect(f.operatorA).placeHold(f.entries, hold.until, hold.deadline, signature),
        );
      }
    });
  });

  describe("when the signature placed a hold already", () => {
    it("should revert with SignatureInvalid, also after that was lifted", async () => {
      const f = await load();
      const hold = await holdFor(f, f.entries);
      const signature = await signHold(f, f.patient.wallet, hold);
      const send = () =>
        f.records.connect(f.operatorA).placeHold(f.entries, hold.until, hold.deadline, signature);
      await send();
      await refuses(f, send);
      await liftHold(f, f.patient.wallet, f.entries);
      await refuses(f, send);
    });
  });

  describe("when the signature is one for a lift", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const hold = await holdFor(f, f.entries);
      const signature = await signLift(f, f.patient.wallet, hold);
      await refuses(f, () =>
        f.records.connect(f.operatorA).placeHold(f.entries, hold.until, hold.deadline, signature),
      );
    });
  });

  describe("given the patient has no signer", () => {
    it("should revert with PatientHasNoSigner", async () => {
      const f = await load();
      const patientId = await registerPatientWithoutSigner(f);
      const entries = await anchorLeaves(f, patientId, 1);
      await expect(placeHold(f, f.patient.wallet, entries))
        .to.be.revertedWithCustomError(f.patients, "PatientHasNoSigner")
        .withArgs(patientId);
    });
  });
}

function shouldRequireCustodian(): void {
  describe("when the entries stand in another member's log", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await load();
      await expect(placeHold(f, f.patient.wallet, f.entries, {}, f.operatorB))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(1, 2);
    });
  });

  describe("given a member's log names another's patient", () => {
    it("should revert with NotCustodian, though the patient signed", async () => {
      const f = await load();
      const entry = await foreignEntry(f, f.patient.patientId);
      await expect(placeHold(f, f.patient.wallet, [entry], {}, f.operatorB))
        .to.be.revertedWithCustomError(f.records, "NotCustodian")
        .withArgs(f.patient.patientId, 2);
    });
  });

  describe("given the entries are of nobody who is registered", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await load();
      const entries = await anchorLeaves(f, ZeroHash, 1);
      await expect(placeHold(f, f.patient.wallet, entries))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(ZeroHash);
    });
  });
}

function shouldRequireTimes(): void {
  describe("when the hold ends a second less than a day ahead", () => {
    it("should revert with HoldEndsTooSoon", async () => {
      const f = await load();
      const until = (await now()) + 60 + DAY - 1;
      await nextBlockAt();
      await expect(placeHold(f, f.patient.wallet, f.entries, { until }))
        .to.be.revertedWithCustomError(f.records, "HoldEndsTooSoon")
        .withArgs(until);
    });
  });

  describe("when the hold ends a day ahead", () => {
    it("should pass", async () => {
      const f = await load();
      const until = (await now()) + 60 + DAY;
      await nextBlockAt();
      await placeHold(f, f.patient.wallet, f.entries, { until });
    });
  });

  describe("when the deadline passed a second ago", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await load();
      const deadline = (await now()) + 59;
      await nextBlockAt();
      await expect(placeHold(f, f.patient.wallet, f.entries, { deadline }))
        .to.be.revertedWithCustomError(f.records, "DeadlinePassed")
        .withArgs(deadline);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await load();
      const deadline = await nextBlockAt();
      await placeHold(f, f.patient.wallet, f.entries, { deadline });
    });
  });
}

function shouldRequireStatus(): void {
  describe("given an entry is retracted or erased", () => {
    it("should revert with StatusForbids", async () => {
      const f = await load();
      const { index } = f.entries[1]!.leaf;
      for (const status of [Status.RETRACTED, Status.ERASED, Status.ERASED | Status.SUPERSEDED]) {
        await writeStatus(f, 1, index, status);
        await expect(placeHold(f, f.patient.wallet, f.entries))
          .to.be.revertedWithCustomError(f.records, "StatusForbids")
          .withArgs(1, index, status);
      }
    });
  });

  describe("given an entry is superseded", () => {
    it("should hold it with both flags", async () => {
      const f = await load();
      const { index } = f.entries[1]!.leaf;
      await writeStatus(f, 1, index, Status.SUPERSEDED);
      await placeHold(f, f.patient.wallet, f.entries);
      expect(await f.records.statusOf(1, index)).to.equal(Status.SUPERSEDED | Status.HELD);
    });
  });
}

function shouldHold(): void {
  describe("when custodian and patient hold entries", () => {
    it("should emit EntryHeld for each and no other", async () => {
      const f = await load();
      const { patientId } = f.patient;
      const until = await placeHold(f, f.patient.wallet, f.entries.slice(2, 5));
      const held = await f.records.queryFilter(f.records.filters.EntryHeld());
      expect(held.map(({ args }) => [...args])).to.deep.equal(
        f.entries.slice(2, 5).map(({ leaf }) => [1n, BigInt(leaf.index), patientId, BigInt(until)]),
      );
    });

    it("should flag them and no other, and keep until when", async () => {
      const f = await load();
      const held = [f.earlier[2]!, f.entries[0]!];
      const until = await placeHold(f, f.patient.wallet, held);
      for (const entry of [...f.earlier, ...f.entries]) {
        const { index } = entry.leaf;
        expect(await f.records.statusOf(1, index)).to.equal(held.includes(entry) ? Status.HELD : 0);
        expect(await f.records.holdUntil(1, index)).to.equal(held.includes(entry) ? until : 0);
      }
    });

    it("should take 64 entries at once", async () => {
      const f = await load();
      const entries = await anchorLeaves(f, f.patient.patientId, 64);
      await placeHold(f, f.patient.wallet, entries);
      for (const { leaf } of entries) expect(await f.records.statusOf(1, leaf.index)).to.equal(Status.HELD);
    });
  });

  describe("when custodian and a child's guardian hold entries", () => {
    it("should flag them", async () => {
      const f = await loadWithChild();
      await placeHold(f, f.child.guardian, f.child.records);
      for (const { leaf } of f.child.records) {
        expect(await f.records.statusOf(1, leaf.index)).to.equal(Status.HELD);
      }
    });
  });
}

function shouldHoldAnew(): void {
  describe("given an entry is held", () => {
    it("should hold it for as long or longer", async () => {
      const f = await load();
      const until = await placeHold(f, f.patient.wallet, f.entries);
      for (const later of [until, until + 1, until + YEAR]) {
        await placeHold(f, f.patient.wallet, f.entries, { until: later });
        expect(await f.records.holdUntil(1, f.entries[0]!.leaf.index)).to.equal(later);
      }
    });

    it("should revert with HoldLasts for a shorter time: that would be a lift", async () => {
      const f = await load();
      const until = await placeHold(f, f.patient.wallet, [f.entries[3]!]);
      await expect(placeHold(f, f.patient.wallet, f.entries, { until: until - 1 }))
        .to.be.revertedWithCustomError(f.records, "HoldLasts")
        .withArgs(f.entries[3]!.leaf.index, until);
    });
  });
}
