// SPDX-License-Identifier: Apache-2.0
import type { ChartsealError } from "../errors.js";
import type { BadItem, SourceItem } from "../records/index.js";

/** What became of one item. */
export interface Became {
  outcome: "sealed" | "waiting" | "known" | "dead";
  /** Why it is dead. */
  error?: ChartsealError;
  /** Its body is safe: also of a dead item, if it is only that nobody knows whose it is. */
  kept: boolean;
}

/** Hears of each item of a group, and may write along in the commit that makes the group durable. */
export interface IntakeWitness {
  became(item: SourceItem | BadItem, became: Became): void;
  /** The item is another one of its group again, and became what that became. */
  repeats(item: SourceItem, other: SourceItem): void;
  commit(): void;
}
