// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { accessAt, accessIdOf, requestScope, scopeFor } from "../accesses.js";
import { shouldKnowOtherBases } from "../behaviours/bases.js";
import { shouldRequireReader } from "../behaviours/reader.js";
import { ALL_COMPARTMENTS, Extent, Purpose, ethers, nextBlockAt, registerPatient } from "../consortium.js";
import { callDirtied } from "../dirty-words.js";
import { grantTerms, loadWithGrant } from "../fixtures.js";
import type { WithGrant } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import { setDirective } from "../patient-acts.js";

/** Argument words behind the ten of the terms and the purpose. */
const EXTENT_WORD = 11;
const SCOPE_WORDS = [12, 13, 14, 15];

async function rawCall(f: WithGrant) {
  const scope = scopeFor(f, { compartments: 1n });
  const args = [f.terms, Purpose.TREAT, Extent.CHART, scope] as const;
  const data = f.accessLog.interface.encodeFunctionData("requestScope", [...args]);
  return { from: f.clinicianB, to: await f.accessLog.getAddress(), data };
}

describe("AccessLog.requestScope", () => {
  shouldRequireReader({
    act: (f, request) => requestScope(f, {}, request),
    raw: rawCall,
  });

  shouldKnowOtherBases({
    act: (f, request) => requestScope(f, { compartments: 3n }, request),
    event: "ScopeRequested",
    told: (f) => [Extent.CHART, Object.values(scopeFor(f, { compartments: 3n }))],
    refused: (_, permitted) => ({ error: "CompartmentsNotPermitted", args: [3n, permitted] }),
  });

  describe("when the scope holds no compartment", () => {
    it("should revert with CompartmentsNotPermitted", async () => {
      const f = await loadWithGrant();
      await expect(requestScope(f, { compartments: 0n }))
        .to.be.revertedWithCustomError(f.accessLog, "CompartmentsNotPermitted")
        .withArgs(0, ALL_COMPARTMENTS);
    });
  });

  describe("when the scope holds a compartment that is not granted", () => {
    it("should revert with CompartmentsNotPermitted", async () => {
      const f = await loadWithGrant();
      const { terms } = await grantTerms(f, f.patient, { compartments: 6n });
      for (const compartments of [1n, 7n, 8n, ALL_COMPARTMENTS]) {
        await expect(requestScope(f, { compartments }, { terms }))
          .to.be.revertedWithCustomError(f.accessLog, "CompartmentsNotPermitted")
          .withArgs(compartments, 6);
      }
    });
  });

  describe("given the patient's directive denies a compartment of the scope", () => {
    it("should revert with CompartmentsNotPermitted until a later directive allows it", async () => {
      const f = await loadWithGrant();
      await setDirective(f, f.patient, { deniedCompartments: 1n << 63n });
      const permitted = ALL_COMPARTMENTS & ~(1n << 63n);
      await expect(requestScope(f))
        .to.be.revertedWithCustomError(f.accessLog, "CompartmentsNotPermitted")
        .withArgs(ALL_COMPARTMENTS, permitted);
      await requestScope(f, { compartments: permitted });
      await setDirective(f, f.patient);
      await requestScope(f);
    });
  });

  describe("when the period ends before it begins", () => {
    it("should revert with PeriodNotGranted", async () => {
      const f = await loadWithGrant();
      await expect(requestScope(f, { recordedFrom: 2, recordedTo: 1 }))
        .to.be.revertedWithCustomError(f.accessLog, "PeriodNotGranted")
        .withArgs(2, 1);
    });
  });

  describe("when the period reaches a day beyond the granted days", () => {
    it("should revert with PeriodNotGranted", async () => {
      const f = await loadWithGrant();
      const { terms } = await grantTerms(f, f.patient, { recordedFrom: 100, recordedTo: 200 });
      for (const [recordedFrom, recordedTo] of [
        [99, 200],
        [100, 201],
        [99, 99],
        [201, 201],
      ] as const) {
        await expect(requestScope(f, { recordedFrom, recordedTo }, { terms }))
          .to.be.revertedWithCustomError(f.accessLog, "PeriodNotGranted")
          .withArgs(recordedFrom, recordedTo);
      }
    });
  });

  describe("when the scope reaches beyond the custodian's log", () => {
    it("should revert with BeyondHead", async () => {
      const f = await loadWithGrant();
      for (const upTo of [11n, 2n ** 64n - 1n]) {
        await expect(requestScope(f, { upTo }))
          .to.be.revertedWithCustomError(f.accessLog, "BeyondHead")
          .withArgs(upTo, 10);
      }
    });
  });

  describe("given a patient of another custodian", () => {
    it("should measure the scope by that custodian's log", async () => {
      const f = await loadWithGrant();
      const patient = await registerPatient(f, f.operatorB, 2);
      const { terms } = await grantTerms(f, patient, { grantee: 1 });
      await expect(requestScope(f, { upTo: 1 }, { terms, as: f.clinicianA }))
        .to.be.revertedWithCustomError(f.accessLog, "BeyondHead")
        .withArgs(1, 0);
      await f.records.connect(f.operatorB).anchor(1, 1, patient.seed, patient.seed);
      await requestScope(f, { upTo: 1 }, { terms, as: f.clinicianA });
    });
  });

  describe("when the extent is neither INDEX nor CHART", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithGrant();
      const { data, ...call } = await rawCall(f);
      const place = 2 + 2 * (4 + EXTENT_WORD * 32 + 31);
      for (const extent of ["02", "ff"]) {
        const altered = data.slice(0, place) + extent + data.slice(place + 2);
        await expect(f.clinicianB.call({ to: call.to, data: altered })).to.be.revertedWithoutReason(ethers);
      }
      await f.clinicianB.call({ to: call.to, data });
    });
  });

  describe("when the extent or a word of the scope has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithGrant();
      for (const word of [EXTENT_WORD, ...SCOPE_WORDS]) {
        await expect(callDirtied(await rawCall(f), word), `word ${word}`).to.be.revertedWithoutReason(ethers);
      }
    });
  });

  describe("when the scope lies within the terms and the log", () => {
    it("should emit ScopeRequested with reader, basis, purpose, time, extent and scope", async () => {
      const f = await loadWithGrant();
      for (const [position, extent] of [Extent.INDEX, Extent.CHART].entries()) {
        const requestedAt = await nextBlockAt();
        await expect(requestScope(f, {}, { extent }))
          .to.emit(f.accessLog, "ScopeRequested")
          .withArgs(
            await accessIdOf(f, position + 1),
            f.patient.patientId,
            f.clinicianB.address,
            accessAt(f, requestedAt),
            extent,
            Object.values(scopeFor(f)),
          );
      }
    });

    it("should return the access id", async () => {
      const f = await loadWithGrant();
      const accessId = await f.accessLog
        .connect(f.clinicianB)
        .requestScope.staticCall(f.terms, Purpose.TREAT, Extent.INDEX, scopeFor(f));
      expect(accessId).to.equal(await accessIdOf(f, 1));
    });

    it("should take one compartment, one day and an empty log", async () => {
      const f = await loadWithGrant();
      await requestScope(f, { compartments: 1n << 63n, recordedFrom: 5, recordedTo: 5, upTo: 0 });
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGrant();
      for (const extent of [Extent.INDEX, Extent.CHART]) {
        await expectHeadAdvance(f.accessLog, f.patient.patientId, () => requestScope(f, {}, { extent }));
      }
    });
  });
});
