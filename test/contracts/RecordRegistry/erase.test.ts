// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireAnchored } from "../behaviours/inclusion.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { Status, anchorLeaves, ethers, networkHelpers, registerPatient } from "../consortium.js";
import { wordBehind } from "../dirty-words.js";
import {
  Ground,
  NO_COSIGNER,
  deployWithCertificate,
  erase,
  eraseAfterRetention,
  indexRef,
  loadAfterRetention,
} from "../erasures.js";
import { shouldRequireGround } from "../behaviours/erasure-grounds.js";
import { foreignEntry, placeHold } from "../holds.js";
import { loadWithEntries } from "../fixtures.js";
import { writeStatus } from "../status-slots.js";

const load = loadAfterRetention;
const CERTIFICATE = 4;

describe("RecordRegistry.erase", () => {
  shouldRequireStaff({
    load,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: (f, as) => eraseAfterRetention(f, f.entry, f.certificate, as),
  });

  describe("when the entry is checked", () => {
    shouldRequireAnchored({
      load: loadWithEntries,
      act: (f, entry) =>
        f.records.connect(f.operatorA).erase(entry, f.earlier[0]!, Ground.RETENTION, NO_COSIGNER),
      raw: async (f, entry) => {
        const data = f.records.interface.encodeFunctionData("erase", [
          entry,
          f.earlier[0]!,
          Ground.RETENTION,
          NO_COSIGNER,
        ]);
        const leafWord = wordBehind(data, 0);
        return { from: f.operatorA, to: await f.records.getAddress(), data, leafWord };
      },
      unreadFields: ["kind", "compartment", "recordedDay", "patientSeq"],
    });
  });

  describe("when the certificate is checked", () => {
    shouldRequireAnchored({
      load: loadWithEntries,
      act: (f, certificate) =>
        f.records.connect(f.operatorA).erase(f.earlier[0]!, certificate, Ground.RETENTION, NO_COSIGNER),
      raw: async (f, certificate) => {
        const data = f.records.interface.encodeFunctionData("erase", [
          f.earlier[0]!,
          certificate,
          Ground.RETENTION,
          NO_COSIGNER,
        ]);
        const leafWord = wordBehind(data, 1);
        return { from: f.operatorA, to: await f.records.getAddress(), data, leafWord };
      },
      unreadFields: ["kind", "compartment", "recordedDay", "patientSeq"],
    });
  });

  shouldRequireEntry();
  shouldRequireCertificate();
  shouldRequireGround();
  shouldErase();
});

function shouldRequireEntry(): void {
  describe("when the entry or the certificate stands in another member's log", () => {
    it("should revert with LeafOfAnotherMember", async () => {
      const f = await load();
      await expect(eraseAfterRetention(f, f.entry, f.certificate, f.operatorB))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(1, 2);
      const foreign = await foreignEntry(f, f.patient.patientId);
      await expect(eraseAfterRetention(f, f.entry, foreign))
        .to.be.revertedWithCustomError(f.records, "LeafOfAnotherMember")
        .withArgs(2, 1);
    });
  });

  describe("when the entry is not a record", () => {
    it("should revert with KindForbids", async () => {
      const f = await load();
      for (let kind = 1; kind <= 5; kind++) {
        const [other] = await anchorLeaves(f, f.patient.patientId, 1, () => ({ kind }));
        await expect(eraseAfterRetention(f, other))
          .to.be.revertedWithCustomError(f.records, "KindForbids")
          .withArgs(other!.leaf.index, kind);
      }
    });
  });

  describe("given the entry is erased already", () => {
    it("should revert with StatusForbids", async () => {
      const f = await load();
      await eraseAfterRetention(f);
      await expect(eraseAfterRetention(f))
        .to.be.revertedWithCustomError(f.records, "StatusForbids")
        .withArgs(1, f.entry.leaf.index, Status.ERASED);
    });
  });

  describe("given the entry is held", () => {
    it("should revert with StatusForbids on every ground, also past the hold's end, until it is lifted", async () => {
      const f = await load();
      const until = await placeHold(f, f.patient.wallet, [f.entry]);
      const refuses = async () => {
        for (const ground of Object.values(Ground)) {
          await expect(erase(f, ground))
            .to.be.revertedWithCustomError(f.records, "StatusForbids")
            .withArgs(1, f.entry.leaf.index, Status.HELD);
        }
      };
      await refuses();
      await networkHelpers.time.increaseTo(until + 1);
      await refuses();
      await f.records.liftEndedHold([f.entry]);
      await eraseAfterRetention(f);
    });
  });
}

function shouldRequireCertificate(): void {
  describe("when the certificate is of another kind, patient or entry", () => {
    it("should revert with CertificateMismatch", async () => {
      const f = await load();
      const { index } = f.entry.leaf;
      const other = await registerPatient(f);
      const good = { kind: CERTIFICATE, ref: indexRef(index) };
      for (const [patientId, change] of [
        ...[0, 1, 2, 3, 5].map((kind) => [f.patient.patientId, { kind }] as const),
        [f.patient.patientId, { ref: indexRef(index + 1) }],
        [f.patient.patientId, { ref: indexRef(0) }],
        [f.patient.patientId, { ref: indexRef((1n << 64n) + BigInt(index)) }],
        [other.patientId, {}],
      ] as const) {
        const [certificate] = await anchorLeaves(f, patientId, 1, () => ({ ...good, ...change }));
        await expect(eraseAfterRetention(f, f.entry, certificate))
          .to.be.revertedWithCustomError(f.records, "CertificateMismatch")
          .withArgs(certificate!.leaf.index, index);
      }
    });
  });

  describe("given the certificate is retracted", () => {
    it("should revert with CertificateMismatch", async () => {
      const f = await load();
      await f.records.connect(f.operatorA).retract(f.certificate);
      await expect(eraseAfterRetention(f))
        .to.be.revertedWithCustomError(f.records, "CertificateMismatch")
        .withArgs(f.certificate.leaf.index, f.entry.leaf.index);
    });
  });

  describe("given the certificate was used for its entry", () => {
    it("should revert with CertificateMismatch for another", async () => {
      const f = await load();
      await eraseAfterRetention(f);
      await expect(eraseAfterRetention(f, f.other))
        .to.be.revertedWithCustomError(f.records, "CertificateMismatch")
        .withArgs(f.certificate.leaf.index, f.other.leaf.index);
    });
  });

  describe("when the ground is none of the three", () => {
    it("should revert without a reason", async () => {
      const f = await networkHelpers.loadFixture(deployWithCertificate);
      const args = [f.entry, f.certificate, Ground.RETENTION, NO_COSIGNER] as const;
      const data = f.records.interface.encodeFunctionData("erase", [...args]);
      const place = 2 + 2 * (4 + 3 * 32);
      const call = {
        to: await f.records.getAddress(),
        data: `${data.slice(0, place - 1)}3${data.slice(place)}`,
      };
      await expect(f.operatorA.call(call)).to.be.revertedWithoutReason(ethers);
    });
  });
}

function shouldErase(): void {
  describe("when a ground holds", () => {
    it("should emit EntryErased with the certificate and the ground", async () => {
      for (const ground of Object.values(Ground)) {
        const f = await load();
        await expect(erase(f, ground))
          .to.emit(f.records, "EntryErased")
          .withArgs(1, f.entry.leaf.index, f.patient.patientId, f.certificate.leaf.index, ground);
      }
    });

    it("should flag the entry and no other, and keep it provable", async () => {
      const f = await load();
      await eraseAfterRetention(f);
      expect(await f.records.requireAnchored(f.entry)).to.equal(Status.ERASED);
      for (const entry of [f.other, f.certificate]) {
        expect(await f.records.requireAnchored(entry)).to.equal(0);
      }
    });

    it("should erase what was retracted or superseded, and keep those flags", async () => {
      for (const status of [Status.RETRACTED, Status.SUPERSEDED]) {
        const f = await load();
        await writeStatus(f, 1, f.entry.leaf.index, status);
        await eraseAfterRetention(f);
        expect(await f.records.requireAnchored(f.entry)).to.equal(status | Status.ERASED);
      }
    });
  });
}
