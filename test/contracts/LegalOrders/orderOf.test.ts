// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { nextBlockAt } from "../consortium.js";
import { cosignLift, loadWithOrder } from "../orders.js";

describe("LegalOrders.orderOf", () => {
  describe("given no such order", () => {
    it("should return zeros, also for another patient's order", async () => {
      const f = await loadWithOrder();
      expect(await f.orders.orderOf(f.order.patientId, id("other terms"))).to.deep.equal([0n, 0n, 0n]);
      expect(await f.orders.orderOf(f.unable, f.order.termsHash)).to.deep.equal([0n, 0n, 0n]);
    });
  });

  describe("given the order was lifted", () => {
    it("should return both times", async () => {
      const f = await loadWithOrder();
      const { patientId, termsHash } = f.order;
      const { enteredAt } = await f.orders.orderOf(patientId, termsHash);
      const second = await cosignLift(f, patientId, termsHash);
      const liftedAt = await nextBlockAt();
      await f.orders.connect(f.reviewerA).lift(patientId, termsHash, second);
      expect(await f.orders.orderOf(patientId, termsHash)).to.deep.equal([1n, enteredAt, BigInt(liftedAt)]);
    });
  });
});
