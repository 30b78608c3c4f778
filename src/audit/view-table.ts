// SPDX-License-Identifier: Apache-2.0
import { csvText } from "./csv-text.js";
import { isoTime } from "./iso-time.js";
import { LocalTime } from "./local-time.js";
import type { Report } from "./report.js";
import {
  BULK,
  DAY_HOURS,
  USUAL,
  bulkReadings,
  openEmergencies,
  unusualHours,
  type BulkReading,
  type OpenEmergency,
  type UnusualHour,
} from "./views.js";

/** What a privacy officer looks for. */
export type View = "open-emergencies" | "bulk" | "unusual-hours";

/** By what a report is looked through. */
export interface ViewOptions {
  /** IBreakGlass.Limits, seconds. */
  limits: { justifyWithin: number; reviewWithin: number };
  /** IANA name of the custodian's time zone. Default: this machine's. */
  timeZone?: string;
}

/** One view of a report. `findings` has a row for each of `header` and `rows`. */
export interface ViewTable {
  view: View;
  /** By what it was found, in English. */
  rule: string;
  findings: OpenEmergency[] | BulkReading[] | UnusualHour[];
  header: string[];
  rows: (string | number)[][];
}

/** Looks through a report. @throws ERR_USAGE for an unknown time zone */
export function viewOf(report: Report, view: View, { limits, timeZone }: ViewOptions): ViewTable {
  switch (view) {
    case "open-emergencies":
      return emergencyTable(openEmergencies(report, limits));
    case "bulk":
      return bulkTable(bulkReadings(report));
    case "unusual-hours":
      return hoursTable(report, new LocalTime(timeZone));
  }
}

/** A view as CSV, as {@link csv}. */
export function viewCsv({ header, rows }: ViewTable): string {
  return csvText(header, rows);
}

function emergencyTable(findings: OpenEmergency[]): ViewTable {
  const dueBy = (time: number | undefined) => (time === undefined ? "done" : isoTime(time));
  return {
    view: "open-emergencies",
    rule: "Emergencies without a justification or a review.",
    findings,
    header: [
      "opened",
      "state",
      "justify_by",
      "review_by",
      "member",
      "reader",
      "colleague",
      "custodian",
      "patient_id",
      "window_id",
    ],
    rows: findings.map((one) => [
      isoTime(one.at),
      `${one.overdue ? "OVERDUE" : "open"}${one.late ? ", filed late" : ""}`,
      dueBy(one.justifyBy),
      dueBy(one.reviewBy),
      one.member,
      one.reader,
      one.colleague,
      one.custodian,
      one.patientId,
      one.windowId,
    ]),
  };
}

function bulkTable(findings: BulkReading[]): ViewTable {
  return {
    view: "bulk",
    rule:
      `Accounts that read more than ${BULK.patients} patients or ${BULK.records} records within 24 hours. A chart ` +
      "counts as one patient: the log does not say how many records it holds. A lookup counts as one more: the log " +
      "does not say of whom.",
    findings,
    header: ["from", "to", "member", "reader", "patients", "records", "charts", "lookups"],
    rows: findings.map((one) => [
      isoTime(one.from),
      isoTime(one.to),
      one.member,
      one.reader,
      one.patients,
      one.records,
      one.charts,
      one.lookups,
    ]),
  };
}

function hoursTable(report: Report, time: LocalTime): ViewTable {
  const findings = unusualHours(report, time);
  return {
    view: "unusual-hours",
    rule:
      `Accesses and lookups before ${DAY_HOURS.from} or from ${DAY_HOURS.to} o'clock, ${time.zone}, by accounts that did not do so ` +
      `on ${USUAL.days} days before, and on one in ${USUAL.oneIn} of all their days before.`,
    findings,
    header: [
      "local_time",
      "time",
      "member",
      "reader",
      "purpose",
      "basis",
      "custodian",
      "patient_id",
      "access_id",
      "lookup_id",
    ],
    rows: findings.map((one) => [
      time.text(one.at),
      isoTime(one.at),
      one.member,
      one.reader,
      one.purpose ?? "",
      one.basis ?? "",
      one.custodian ?? "",
      one.patientId ?? "",
      one.accessId ?? "",
      one.lookupId ?? "",
    ]),
  };
}
