// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from "../errors.js";
import type { DeadLetters } from "../records/index.js";

/** What an operator does about items that were refused, by the reason. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  ERR_ITEM_INVALID: "correct it where it comes from, then ingest that source again",
  ERR_JSON_INVALID: "it is not the JSON that its name says: export it anew, then ingest that source again",
  ERR_SOURCE_CHANGED: "it changed while it was read: ingest its source again once nobody writes it",
  ERR_PATIENT_AMBIGUOUS:
    "it names two patients: give a rule file that says whose it is (or --split a Bundle), then `chartseal retry --dead --rules FILE`",
  ERR_PATIENT_CHANGED:
    "an earlier version is another patient's: if that one was misfiled, `chartseal refile ITEM` retracts it and files this one",
};

/** For a reason of a newer version. */
const OTHERS = "`chartseal status --list` names the items; correct them, then `chartseal retry --dead`";

/** Dead letters of one reason, with what to do. */
export interface ExplainedLetters extends DeadLetters {
  hint: string;
}

export function explained(letters: readonly DeadLetters[]): ExplainedLetters[] {
  return letters.map((each) => ({ ...each, hint: HINTS[each.reason as ErrorCode] ?? OTHERS }));
}
