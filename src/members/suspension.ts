// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

/** Bits of a member's suspension on chain, lowest first (Suspension.sol). */
const SUSPENSIONS = ["READING", "WRITING", "REMOVED"] as const;
export type Suspension = (typeof SUSPENSIONS)[number];

/** What governance can suspend a member from. */
export type Activity = Exclude<Suspension, "REMOVED">;

/** @throws ERR_USAGE for a name that is no activity */
export function suspensionBits(activities: readonly Activity[]): number {
  return activities.reduce((bits, activity) => {
    const bit = ["READING", "WRITING"].indexOf(activity);
    if (bit >= 0) return bits | (1 << bit);
    throw new ChartsealError(
      "ERR_USAGE",
      `a member can be suspended from READING or WRITING, not ${activity}`,
      {
        values: { activity },
      },
    );
  }, 0);
}

export function suspensionNames(bits: number): Suspension[] {
  return SUSPENSIONS.filter((_, bit) => (bits & (1 << bit)) !== 0);
}
