// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { STATEMENT, flagOverdue, loadWithEmergencies as load, openWindow } from "../emergencies.js";

describe("BreakGlass.overdueOfMember", () => {
  describe("given nobody is overdue", () => {
    it("should return zero", async () => {
      const f = await load();
      await openWindow(f);
      for (const memberId of [0, 1, 2, 9]) {
        expect(await f.emergencies.overdueOfMember(memberId)).to.equal(0);
      }
    });
  });

  describe("given windows are flagged as overdue", () => {
    it("should count the member's persons until their last is justified", async () => {
      const f = await load();
      const [first, second] = [await openWindow(f), await openWindow(f, f.thirdB, f.second)];
      await flagOverdue(f, first, second);
      expect(await f.emergencies.overdueOfMember(2)).to.equal(3);
      await f.emergencies.connect(f.reviewerB).justify(first.windowId, STATEMENT);
      expect(await f.emergencies.overdueOfMember(2)).to.equal(2);
      await f.emergencies.connect(f.reviewerB).justify(second.windowId, STATEMENT);
      expect(await f.emergencies.overdueOfMember(2)).to.equal(0);
    });
  });
});
