// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Consortium } from "../consortium.js";

/** A grant until so many seconds after who gives it may act no longer. */
type GrantPast = (
  seconds: number,
) => Promise<{ f: Consortium; patientId: string; until: number; sent: Promise<unknown> }>;

/** Terms that end, at the latest, with the time of who gives them. */
export function shouldNotOutlast(time: string, grantPast: GrantPast): void {
  describe(`given ${time} ends with the terms`, () => {
    it("should pass", async () => {
      await (
        await grantPast(0)
      ).sent;
    });
  });

  describe(`given ${time} ends a second before the terms`, () => {
    it("should revert with GrantOutlasts", async () => {
      const { f, patientId, until, sent } = await grantPast(1);
      await expect(sent)
        .to.be.revertedWithCustomError(f.consents, "GrantOutlasts")
        .withArgs(patientId, until);
    });
  });
}
