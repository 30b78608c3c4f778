// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { countOf, headFromLogs } from "../heads.js";
import { enterOrder, liftOrder, loadWithOrder } from "../orders.js";

describe("LegalOrders.headOf", () => {
  describe("given no order about the patient", () => {
    it("should return zero", async () => {
      const f = await loadWithOrder();
      for (const patientId of [f.unable, id("nobody")]) expect(await f.orders.headOf(patientId)).to.equal(0);
    });
  });

  describe("given orders about two patients, entered and lifted, mixed", () => {
    it("should return for each the head that the raw logs give", async () => {
      const f = await loadWithOrder();
      const other = await enterOrder(f, f.unable);
      await enterOrder(f);
      await liftOrder(f, f.unable, other.termsHash);
      await liftOrder(f, f.order.patientId, f.order.termsHash);
      for (const [patientId, count] of [
        [f.order.patientId, 3n],
        [f.unable, 2n],
      ] as const) {
        const head = await f.orders.headOf(patientId);
        expect(countOf(head)).to.equal(count);
        expect(head).to.equal(await headFromLogs(f.orders, patientId));
      }
    });
  });
});
