// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { accessIdOf } from "../accesses.js";
import { Basis, loadWithBases } from "../bases.js";
import type { WithBases } from "../bases.js";
import { ALL_COMPARTMENTS, Purpose, nextBlockAt, now } from "../consortium.js";
import { termsHashOf } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import { cosignLift, enterOrder } from "../orders.js";
import { setDirective } from "../patient-acts.js";

type TestTerms = WithBases["terms"];
interface BaseRequest {
  as?: HardhatEthersSigner;
  terms: TestTerms;
  purpose: number;
}

/** A request that may rest on something else than a grant. */
export interface BasesCase {
  /** Asks for something in compartment 0. */
  act: (f: WithBases, request: BaseRequest) => Promise<unknown>;
  event: "RecordsRequested" | "ScopeRequested";
  /** What the event says behind the access. */
  told: (f: WithBases) => unknown[];
  /** The refusal when only `permitted` may be read, without compartment 0. */
  refused: (f: WithBases, permitted: bigint) => { error: string; args: unknown[] };
}

/** Compartment 0 denied, all others not. */
const DENY_FIRST = { deniedCompartments: 1n };
const BUT_FIRST = ALL_COMPARTMENTS & ~1n;

const byOrder = ({ order }: WithBases) => ({ terms: order.terms, purpose: Purpose.HLEGAL });
const byWindow = ({ window }: WithBases) => ({ terms: window.terms, purpose: Purpose.BTG });

/** How a legal order and a window differ from a grant. */
export function shouldKnowOtherBases(test: BasesCase): void {
  shouldReadByOrder(test);
  shouldBindOrder(test);
  shouldReadByWindow(test);
  shouldBindWindow(test);
  shouldObeyDirectiveInWindow(test);
  shouldRefuseUnknownPurposes(test);
}

async function expectAccess(test: BasesCase, f: WithBases, request: BaseRequest, basis: number) {
  const { terms, purpose } = request;
  const requestedAt = await nextBlockAt();
  const access = [2, basis, termsHashOf(terms), purpose, requestedAt];
  await expect(test.act(f, request))
    .to.emit(f.accessLog, test.event)
    .withArgs(
      await accessIdOf(f, 1),
      f.patient.patientId,
      (request.as ?? f.clinicianB).address,
      access,
      ...test.told(f),
    );
}

function shouldReadByOrder(test: BasesCase): void {
  const { act } = test;

  describe("given a legal order", () => {
    it("should pass on the basis LEGAL_ORDER, for any clinician of the grantee", async () => {
      const f = await loadWithBases();
      await expectAccess(test, f, { ...byOrder(f), as: f.secondClinicianB }, Basis.LEGAL_ORDER);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithBases();
      await expectHeadAdvance(f.accessLog, f.patient.patientId, () => act(f, byOrder(f)));
    });

    it("should pass against whatever the patient's directive denies", async () => {
      const f = await loadWithBases();
      for (const denial of [
        { denyAll: true },
        { denyEmergency: true },
        { deniedCompartments: ALL_COMPARTMENTS },
      ]) {
        await setDirective(f, f.patient, denial);
        await act(f, byOrder(f));
      }
    });
  });

  describe("given a legal order that leaves out the compartment", () => {
    it("should revert as for a grant that does", async () => {
      const f = await loadWithBases();
      const { terms } = await enterOrder(f, f.patient.patientId, { compartments: BUT_FIRST });
      const { error, args } = test.refused(f, BUT_FIRST);
      await expect(act(f, { terms, purpose: Purpose.HLEGAL }))
        .to.be.revertedWithCustomError(f.accessLog, error)
        .withArgs(...args);
    });
  });
}

function shouldBindOrder({ act }: BasesCase): void {
  describe("given the legal order was lifted", () => {
    it("should revert with OrderWasLifted", async () => {
      const f = await loadWithBases();
      const { patientId, termsHash } = f.order;
      const second = await cosignLift(f, patientId, termsHash);
      const liftedAt = await nextBlockAt();
      await f.orders.connect(f.reviewerA).lift(patientId, termsHash, second);
      await expect(act(f, byOrder(f)))
        .to.be.revertedWithCustomError(f.orders, "OrderWasLifted")
        .withArgs(patientId, termsHash, liftedAt);
    });
  });

  describe("when terms for HLEGAL were never ordered", () => {
    it("should revert with OrderUnknown, also for a grant's or a window's terms made over", async () => {
      const f = await loadWithBases();
      const made = { purposes: 1 << Purpose.HLEGAL };
      for (const terms of [
        { ...f.terms, ...made },
        { ...f.window.terms, ...made },
        { ...f.order.terms, notAfter: f.order.terms.notAfter + 1 },
        { ...f.order.terms, patientId: f.unable },
      ]) {
        await expect(act(f, { terms, purpose: Purpose.HLEGAL }))
          .to.be.revertedWithCustomError(f.orders, "OrderUnknown")
          .withArgs(terms.patientId, termsHashOf(terms));
      }
    });
  });

  describe("when a legal order is used by another member or for another purpose", () => {
    it("should revert with GranteeMismatch or PurposeNotGranted", async () => {
      const f = await loadWithBases();
      await expect(act(f, { ...byOrder(f), as: f.clinicianA }))
        .to.be.revertedWithCustomError(f.accessLog, "GranteeMismatch")
        .withArgs(2, 1);
      for (const purpose of [Purpose.TREAT, Purpose.PATRQT, Purpose.BTG, 10, 15, 16]) {
        await expect(act(f, { ...byOrder(f), purpose }))
          .to.be.revertedWithCustomError(f.accessLog, "PurposeNotGranted")
          .withArgs(purpose, 1 << Purpose.HLEGAL);
      }
    });
  });

  describe("when a legal order has not begun or has ended", () => {
    it("should revert with GrantNotYetValid or GrantExpired, and pass in its first and last second", async () => {
      const f = await loadWithBases();
      const notBefore = (await now()) + 600;
      const { terms } = await enterOrder(f, f.patient.patientId, { notBefore, notAfter: notBefore + 600 });
      const request = { terms, purpose: Purpose.HLEGAL };
      await nextBlockAt(notBefore - 1);
      await expect(act(f, request))
        .to.be.revertedWithCustomError(f.accessLog, "GrantNotYetValid")
        .withArgs(notBefore);
      await nextBlockAt(notBefore);
      await act(f, request);
      await nextBlockAt(terms.notAfter);
      await act(f, request);
      await nextBlockAt(terms.notAfter + 1);
      await expect(act(f, request))
        .to.be.revertedWithCustomError(f.accessLog, "GrantExpired")
        .withArgs(terms.notAfter);
    });
  });
}

function shouldReadByWindow(test: BasesCase): void {
  const { act } = test;

  describe("given the caller's own break-glass window", () => {
    it("should pass on the basis BREAK_GLASS", async () => {
      const f = await loadWithBases();
      await expectAccess(test, f, byWindow(f), Basis.BREAK_GLASS);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithBases();
      await expectHeadAdvance(f.accessLog, f.patient.patientId, () => act(f, byWindow(f)));
    });

    it("should pass in the window's last second, and revert with GrantExpired one later", async () => {
      const f = await loadWithBases();
      const { notAfter } = f.window.terms;
      await nextBlockAt(notAfter);
      await act(f, byWindow(f));
      await nextBlockAt(notAfter + 1);
      await expect(act(f, byWindow(f)))
        .to.be.revertedWithCustomError(f.accessLog, "GrantExpired")
        .withArgs(notAfter);
    });
  });
}

function shouldBindWindow({ act }: BasesCase): void {
  describe("given another clinician's window", () => {
    it("should revert with WindowOfAnother for the colleague who signed it, and GranteeMismatch elsewhere", async () => {
      const f = await loadWithBases();
      const { termsHash } = f.window;
      await expect(act(f, { ...byWindow(f), as: f.secondClinicianB }))
        .to.be.revertedWithCustomError(f.emergencies, "WindowOfAnother")
        .withArgs(termsHash, f.secondClinicianB.address);
      await expect(act(f, { ...byWindow(f), as: f.clinicianA }))
        .to.be.revertedWithCustomError(f.accessLog, "GranteeMismatch")
        .withArgs(2, 1);
    });
  });

  describe("when terms for BTG are of no window", () => {
    it("should revert with WindowUnknown, also for a window's terms altered or a grant's made over", async () => {
      const f = await loadWithBases();
      for (const terms of [
        { ...f.window.terms, notAfter: f.window.terms.notAfter + 1 },
        { ...f.window.terms, patientId: f.unable },
        { ...f.terms, purposes: 1 << Purpose.BTG },
        { ...f.order.terms, purposes: (1 << Purpose.BTG) | (1 << Purpose.HLEGAL) },
      ]) {
        await expect(act(f, { terms, purpose: Purpose.BTG }))
          .to.be.revertedWithCustomError(f.emergencies, "WindowUnknown")
          .withArgs(termsHashOf(terms));
      }
    });
  });

  describe("when a window is used for another purpose", () => {
    it("should revert with PurposeNotGranted", async () => {
      const f = await loadWithBases();
      for (const purpose of [Purpose.TREAT, Purpose.ETREAT, Purpose.HLEGAL, 10, 15, 16]) {
        await expect(act(f, { ...byWindow(f), purpose }))
          .to.be.revertedWithCustomError(f.accessLog, "PurposeNotGranted")
          .withArgs(purpose, 1 << Purpose.BTG);
      }
    });
  });
}

function shouldObeyDirectiveInWindow({ act, refused }: BasesCase): void {
  describe("given the patient denies all or emergencies while a window is open", () => {
    it("should revert with EmergencyDenied until he no longer does", async () => {
      const f = await loadWithBases();
      for (const denial of [{ denyAll: true }, { denyEmergency: true }]) {
        await setDirective(f, f.patient, denial);
        await expect(act(f, byWindow(f)))
          .to.be.revertedWithCustomError(f.emergencies, "EmergencyDenied")
          .withArgs(f.patient.patientId);
      }
      await setDirective(f, f.patient);
      await act(f, byWindow(f));
    });
  });

  describe("given the patient denies the compartment while a window is open", () => {
    it("should revert as for a grant", async () => {
      const f = await loadWithBases();
      await setDirective(f, f.patient, DENY_FIRST);
      const { error, args } = refused(f, BUT_FIRST);
      await expect(act(f, byWindow(f)))
        .to.be.revertedWithCustomError(f.accessLog, error)
        .withArgs(...args);
    });
  });
}

function shouldRefuseUnknownPurposes({ act }: BasesCase): void {
  describe("when the terms name every purpose there could be", () => {
    it("should revert with GrantUnknown, OrderUnknown or WindowUnknown by the purpose of the request", async () => {
      const f = await loadWithBases();
      const { patientId } = f.patient;
      for (let purpose = 0; purpose < 16; purpose += 1) {
        for (const purposes of [1 << purpose, 0xffff]) {
          const terms = { ...f.terms, purposes, salt: f.termsHash };
          const hash = termsHashOf(terms);
          const result = expect(act(f, { terms, purpose }), `purpose ${purpose} of ${purposes}`).to.be;
          if (purpose < Purpose.HLEGAL) {
            await result.revertedWithCustomError(f.consents, "GrantUnknown").withArgs(patientId, hash);
          } else if (purpose === Purpose.HLEGAL) {
            await result.revertedWithCustomError(f.orders, "OrderUnknown").withArgs(patientId, hash);
          } else {
            await result.revertedWithCustomError(f.emergencies, "WindowUnknown").withArgs(hash);
          }
        }
      }
    });
  });
}
