// SPDX-License-Identifier: Apache-2.0
export { accounting, type AccountingOptions, type AccountingProgress } from "./accounting.js";
export { disclosures, type DisclosuresOptions } from "./disclosures.js";
export type {
  Accessed,
  Accounting,
  Act,
  Amended,
  Audit,
  AuditEntry,
  AuditFilter,
  AuditHead,
  AuditKind,
  DirectiveSet,
  Enrolled,
  GivenBy,
  GrantGiven,
  GrantRevoked,
  HeadFinding,
  LocalNames,
  Lookup,
  OtherEvent,
  Parting,
  Retracted,
} from "./audit.js";
export { auditEventNdjson, auditEvents } from "./audit-event.js";
export type { FhirAuditEvent } from "./fhir-audit-event.js";
export type { Place, Registry } from "./place.js";
export type { Report } from "./report.js";
export type { SuspectKey, SuspectPerson, SuspectRole, Suspicion } from "./suspicion.js";
export { compareReport, type ReportComparison } from "./compare-report.js";
export type { RowFinding } from "./row-finding.js";
export { csv, CSV_FIELDS } from "./csv.js";
export { html, type HtmlOptions } from "./html.js";
export { htmlPage } from "./html-page.js";
export { element, type Content, type Markup } from "./markup.js";
export { timeline, type TimelineOptions } from "./timeline.js";
export { viewCsv, viewOf, type View, type ViewOptions, type ViewTable } from "./view-table.js";
export type { Language } from "./messages.js";
