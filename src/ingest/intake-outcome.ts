// SPDX-License-Identifier: Apache-2.0
import type { ChartsealError } from "../errors.js";
import type { BadItem, SourceItem } from "../records/index.js";

/** What became of a group's items. */
export interface Taken {
  sealed: number;
  waiting: number;
  /** Taken before, with the same bytes. */
  known: number;
  dead: { label: string; error: ChartsealError }[];
  /** Messages about who is who that were followed. */
  followed: number;
  /** Items of which something follows that waits for a patient, or for a person to decide. */
  events: number;
}

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
