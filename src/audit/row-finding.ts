// SPDX-License-Identifier: Apache-2.0

/** What is wrong with one row of a saved report. */
export interface RowFinding {
  /**
   * - MISSING: the chain has an event that the file lacks; `row` is the one before it, 0 or 1 at the file's beginning
   * - ALTERED: `fields` differ from the chain's; with row 0, what a JSON report says besides its rows: `complete`,
   *   `heads`, a ground as `grounds.<terms hash>`
   * - MOVED: it stands out of order
   * - REPEATED: the event stood there before
   * - UNKNOWN: the chain has no such event for this question
   */
  what: "MISSING" | "ALTERED" | "MOVED" | "REPEATED" | "UNKNOWN";
  row: number;
  /** The event's place on chain, or its AuditEvent id; with row 0 the patient's id. Left out when it is not said. */
  event?: string;
  fields?: string[];
}
