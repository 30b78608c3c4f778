// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { STATEMENT, flagOverdue, loadWithEmergencies as load, openWindow } from "../emergencies.js";

describe("BreakGlass.overdueOfPerson", () => {
  describe("given nobody is overdue", () => {
    it("should return zero", async () => {
      const f = await load();
      await openWindow(f);
      for (const person of [ZeroHash, id("nobody"), id("person clinician B")]) {
        expect(await f.emergencies.overdueOfPerson(person)).to.equal(0);
      }
    });
  });

  describe("given windows are flagged as overdue", () => {
    it("should count those in which the person takes part and that are not justified", async () => {
      const f = await load();
      const [first, second] = [await openWindow(f), await openWindow(f, f.thirdB, f.second)];
      await flagOverdue(f, first, second);
      const owed = async () =>
        await Promise.all(
          ["clinician B", "colleague B", "third B", "fourth B"].map((name) =>
            f.emergencies.overdueOfPerson(id(`person ${name}`)),
          ),
        );
      expect(await owed()).to.deep.equal([2n, 1n, 1n, 0n]);
      await f.emergencies.connect(f.reviewerB).justify(first.windowId, STATEMENT);
      expect(await owed()).to.deep.equal([1n, 0n, 1n, 0n]);
    });
  });
});
