// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { shouldRequirePair } from "../behaviours/pair.js";
import { Role, nextBlockAt } from "../consortium.js";
import { expectHeadAdvance } from "../heads.js";
import { cosignEntry, cosignLift, enterOrder, liftOrder, loadWithOrder, reviewersOf } from "../orders.js";

describe("LegalOrders.lift", () => {
  shouldRequirePair({
    load: loadWithOrder,
    contract: (f) => f.orders,
    pair: reviewersOf,
    twin: (f) => f.twinOfReviewerA,
    contractStaff: (f) => f.contractReviewer,
    role: Role.REVIEWER,
    otherFields: (f) => ({ patientId: f.unable, termsHash: id("other terms") }),
    prepare: async (f, changes) => {
      const { patientId, termsHash } = f.order;
      const second = await cosignLift(f, patientId, termsHash, changes);
      const first = f.orders.connect(changes?.first ?? reviewersOf(f).first);
      return () => first.lift(patientId, termsHash, second);
    },
  });

  describe("when both reviewers are of one member", () => {
    it("should revert with ReviewersOfOneMember", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const first = f.secondReviewerB;
      const second = await cosignLift(f, patientId, termsHash, { first });
      await expect(f.orders.connect(first).lift(patientId, termsHash, second))
        .to.be.revertedWithCustomError(f.orders, "ReviewersOfOneMember")
        .withArgs(2);
    });
  });

  describe("when the second signed the order's entry", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const second = await cosignEntry(f, termsHash);
      await expect(f.orders.connect(f.reviewerA).lift(patientId, termsHash, second))
        .to.be.revertedWithCustomError(f.orders, "CosignatureInvalid")
        .withArgs(second.account);
    });
  });

  describe("when another reviewer sends the reviewers' transaction", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const second = await cosignLift(f, patientId, termsHash);
      await expect(f.orders.connect(f.secondReviewerB).lift(patientId, termsHash, second))
        .to.be.revertedWithCustomError(f.orders, "CosignatureInvalid")
        .withArgs(second.account);
    });
  });

  describe("given no such order", () => {
    it("should revert with OrderUnknown, also for another patient's order", async () => {
      const f = await loadWithOrder();
      for (const [patientId, termsHash] of [
        [f.order.patientId, id("other terms")],
        [f.unable, f.order.termsHash],
      ] as const) {
        await expect(liftOrder(f, patientId, termsHash))
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
      const lift = () => f.orders.connect(f.reviewerA).lift(patientId, termsHash, second);
      const liftedAt = await nextBlockAt();
      await lift();
      await expect(lift())
        .to.be.revertedWithCustomError(f.orders, "OrderWasLifted")
        .withArgs(patientId, termsHash, liftedAt);
    });
  });

  describe("given an order that stands", () => {
    it("should emit OrderLifted", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const second = await cosignLift(f, patientId, termsHash);
      const liftedAt = await nextBlockAt();
      await expect(f.orders.connect(f.reviewerA).lift(patientId, termsHash, second))
        .to.emit(f.orders, "OrderLifted")
        .withArgs(patientId, termsHash, f.reviewerA.address, second.account, liftedAt);
    });

    it("should store the time, keep the rest and leave other orders alone", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const other = await enterOrder(f);
      const [custodian, enteredAt] = await f.orders.orderOf(patientId, termsHash);
      const second = await cosignLift(f, patientId, termsHash);
      const liftedAt = await nextBlockAt();
      await f.orders.connect(f.reviewerA).lift(patientId, termsHash, second);
      expect(await f.orders.orderOf(patientId, termsHash)).to.deep.equal([
        custodian,
        enteredAt,
        BigInt(liftedAt),
      ]);
      expect((await f.orders.orderOf(patientId, other.termsHash)).liftedAt).to.equal(0);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      await expectHeadAdvance(f.orders, patientId, () => liftOrder(f, patientId, termsHash));
    });

    it("should take other reviewers than those who entered it", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const first = f.secondReviewerB;
      const second = await cosignLift(f, patientId, termsHash, { first, second: f.reviewerA });
      await f.orders.connect(first).lift(patientId, termsHash, second);
    });
  });
});
