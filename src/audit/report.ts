// SPDX-License-Identifier: Apache-2.0
import type { Accounting, Audit, AuditEntry, Lookup } from "./audit.js";

/** What was disclosed of a patient, or to a clinician or member. */
export type Report = Audit | Accounting;

/** An event and the patient's audit that it stands in. */
export interface Row {
  entry: AuditEntry;
  audit: Audit;
}

/** A lookup, which is of no patient, and the report that it stands in. */
export interface LookupRow {
  entry: Lookup;
  audit: Accounting;
}

export function isAccounting(report: Report): report is Accounting {
  return "audits" in report;
}

/** Whether a row is of no patient. */
export function isLookup(row: Row | LookupRow): row is LookupRow {
  return row.entry.kind === "lookup";
}

/** Every event of a patient that a report shows, in chain order. */
export function rowsOf(report: Report): Row[] {
  return allRowsOf(report).filter((row): row is Row => !isLookup(row));
}

/** Everything that a report shows, lookups too, in chain order. */
export function allRowsOf(report: Report): (Row | LookupRow)[] {
  const audits = isAccounting(report) ? report.audits : [report];
  const lookups = isAccounting(report) ? report.lookups : [];
  const rows = [
    ...audits.flatMap((audit) => audit.entries.map((entry): Row => ({ entry, audit }))),
    ...lookups.map((entry): LookupRow => ({ entry, audit: report as Accounting })),
  ];
  return rows.sort(({ entry: a }, { entry: b }) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
}
