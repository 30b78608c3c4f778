// SPDX-License-Identifier: Apache-2.0
import type { Accounting, Audit, AuditEntry } from "./audit.js";

/** What was disclosed of a patient, or to a clinician or member. */
export type Report = Audit | Accounting;

/** An event and the patient's audit that it stands in. */
export interface Row {
  entry: AuditEntry;
  audit: Audit;
}

export function isAccounting(report: Report): report is Accounting {
  return "audits" in report;
}

/** Everything that a report shows, in chain order. */
export function rowsOf(report: Report): Row[] {
  const audits = isAccounting(report) ? report.audits : [report];
  const rows = audits.flatMap((audit) => audit.entries.map((entry) => ({ entry, audit })));
  return rows.sort(({ entry: a }, { entry: b }) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
}
