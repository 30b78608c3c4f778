// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { networkHelpers, nextBlockAt } from "../consortium.js";
import { cosignLift, loadWithOrder } from "../orders.js";
import { setDirective } from "../patient-acts.js";

describe("LegalOrders.standingOf", () => {
  describe("given no such order", () => {
    it("should revert with OrderUnknown, also for another patient's order", async () => {
      const f = await loadWithOrder();
      for (const [patientId, termsHash] of [
        [f.order.patientId, id("other terms")],
        [f.unable, f.order.termsHash],
      ] as const) {
        await expect(f.orders.standingOf(patientId, termsHash))
          .to.be.revertedWithCustomError(f.orders, "OrderUnknown")
          .withArgs(patientId, termsHash);
      }
    });
  });

  describe("given the order was lifted", () => {
    it("should revert with OrderWasLifted", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const second = await cosignLift(f, patientId, termsHash);
      const liftedAt = await nextBlockAt();
      await f.orders.connect(f.reviewerA).lift(patientId, termsHash, second);
      await expect(f.orders.standingOf(patientId, termsHash))
        .to.be.revertedWithCustomError(f.orders, "OrderWasLifted")
        .withArgs(patientId, termsHash, liftedAt);
    });
  });

  describe("given an order that stands", () => {
    it("should return the custodian, whatever the patient's directive denies", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      expect(await f.orders.standingOf(patientId, termsHash)).to.equal(1);
      await setDirective(f, f.patient, { denyAll: true, denyEmergency: true });
      expect(await f.orders.standingOf(patientId, termsHash)).to.equal(1);
    });

    it("should leave the order's period to the caller", async () => {
      const f = await loadWithOrder();
      await networkHelpers.time.increaseTo(f.order.terms.notAfter + 1);
      expect(await f.orders.standingOf(f.order.patientId, f.order.termsHash)).to.equal(1);
    });
  });
});
