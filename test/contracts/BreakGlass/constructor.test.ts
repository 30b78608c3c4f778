// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { LIMITS, ethers } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import { loadConsortium } from "../fixtures.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MOST = 2 ** 16 - 1;

type Changes = Partial<typeof LIMITS>;

function deploy(f: Consortium, changes: Changes) {
  const limits = { ...LIMITS, ...changes };
  return ethers.deployContract("BreakGlass", [f.members, f.patients, f.consents, limits]);
}

/** Limits that differ from good ones only in what a title says, just out of bounds and just within. */
const BOUNDS: [string, Changes[], Changes[]][] = [
  [
    "when a window is not 30 minutes to 24 hours long",
    [{ windowLength: 0 }, { windowLength: 30 * MINUTE - 1 }, { windowLength: DAY + 1 }],
    [{ windowLength: 30 * MINUTE }, { windowLength: DAY }],
  ],
  [
    "when the justification is not due within one to 14 days",
    [{ justifyWithin: 0 }, { justifyWithin: DAY - 1 }, { justifyWithin: 14 * DAY + 1 }],
    [{ justifyWithin: DAY }, { justifyWithin: 14 * DAY }],
  ],
  [
    "when the review is due no later than the justification, or after more than 90 days",
    [
      { reviewWithin: 0 },
      { reviewWithin: LIMITS.justifyWithin },
      { justifyWithin: 14 * DAY, reviewWithin: 14 * DAY },
      { reviewWithin: 90 * DAY + 1 },
    ],
    [{ reviewWithin: LIMITS.justifyWithin + 1 }, { reviewWithin: 90 * DAY }],
  ],
  [
    "when a late release may be filed for less than a day, or for more than 30",
    [{ fileWithin: 0 }, { fileWithin: DAY - 1 }, { fileWithin: 30 * DAY + 1 }],
    [{ fileWithin: DAY }, { fileWithin: 30 * DAY }],
  ],
  [
    "when a person may open none or more than 100 a day",
    [{ personQuota: 0 }, { personQuota: 101, memberQuota: MOST }, { personQuota: MOST, memberQuota: MOST }],
    [
      { personQuota: 1, memberQuota: 10 },
      { personQuota: 100, memberQuota: 1_000 },
    ],
  ],
  [
    "when a member may open fewer than ten times what a person may",
    [{ memberQuota: 0 }, { memberQuota: 29 }, { personQuota: 100, memberQuota: 999 }],
    [{ memberQuota: 30 }, { memberQuota: MOST }],
  ],
  [
    "when two overdue persons would stop their member",
    [{ overdueThreshold: 0 }, { overdueThreshold: 1 }, { overdueThreshold: 2 }],
    [{ overdueThreshold: 3 }, { overdueThreshold: MOST }],
  ],
  [
    "when a person may look up nobody or more than 100 a day",
    [{ lookupQuota: 0 }, { lookupQuota: 101 }, { lookupQuota: MOST }],
    [{ lookupQuota: 1 }, { lookupQuota: 100 }],
  ],
];

describe("BreakGlass.constructor", () => {
  for (const [when, beyond, within] of BOUNDS) {
    describe(when, () => {
      it("should revert with LimitsOutOfBounds", async () => {
        const f = await loadConsortium();
        for (const changes of beyond) {
          await expect(deploy(f, changes), JSON.stringify(changes)).to.be.revertedWithCustomError(
            f.emergencies,
            "LimitsOutOfBounds",
          );
        }
      });

      it("should take what is just within", async () => {
        const f = await loadConsortium();
        for (const changes of within) {
          const emergencies = await deploy(f, changes);
          expect(await emergencies.limits()).to.deep.equal(
            Object.values({ ...LIMITS, ...changes }).map(BigInt),
          );
        }
      });
    });
  }
});
