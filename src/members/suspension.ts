// SPDX-License-Identifier: Apache-2.0
import { SUSPENSIONS, type Suspension } from "../chain/index.js";
import { ChartsealError } from "../errors.js";

/** What governance can suspend a member from. */
export type Activity = Exclude<Suspension, "REMOVED">;

/** @throws ERR_USAGE for a name that is no activity */
export function suspensionBits(activities: readonly Activity[]): number {
  return activities.reduce((bits, activity) => {
    if (["READING", "WRITING"].includes(activity)) return bits | SUSPENSIONS[activity];
    throw new ChartsealError(
      "ERR_USAGE",
      `a member can be suspended from READING or WRITING, not ${activity}`,
      {
        values: { activity },
      },
    );
  }, 0);
}
