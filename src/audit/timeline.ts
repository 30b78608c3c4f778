// SPDX-License-Identifier: Apache-2.0
import { memberOf, type Accounting, type Audit } from "./audit.js";
import { cut, fit, shortId, wrap } from "./columns.js";
import { detailOf, lookupDetail, nameOf, suspicions } from "./details.js";
import { isoTime } from "./iso-time.js";
import { LANGUAGES, type Language, type Messages } from "./messages.js";
import { allRowsOf, isAccounting, isLookup, type LookupRow, type Report, type Row } from "./report.js";
import { printable } from "../printable.js";

/** How the timeline is written. */
export interface TimelineOptions {
  /** Default: en. */
  language?: Language;
  /** Columns of a line. Default: 100; what does not fit is cut, and stands in full in the CSV. */
  width?: number;
}

/** Columns of time, of the event's name with its mark, of the member and, in an accounting, of the patient. */
const TIME = 20;
const KIND = 10;
const MEMBER = 16;
const PATIENT = 16;
const GAP = "  ";
/** A time, a name and a member leave nothing to read on a narrower line. */
const LEAST_WIDTH = 80;

/**
 * Disclosures as plain text for people: a header with the verdict, then one line an event, in chain order, and beneath
 * it why it is to be doubted, if it is. Times are ISO 8601 in UTC. East Asian characters count as two columns. An accounting names the patient of each event: this
 * member's own by name, others by pseudonym.
 */
export function timeline(report: Report, options: TimelineOptions = {}): string {
  const messages = LANGUAGES[options.language ?? "en"];
  const width = Math.max(options.width ?? 100, LEAST_WIDTH);
  const rows = allRowsOf(report);
  const lines = rows.flatMap((row) => [
    cut(lineOf(row, isAccounting(report), messages), width),
    ...doubts(row, messages, width),
  ]);
  const body = lines.length === 0 ? [messages.none] : lines;
  const header = isAccounting(report)
    ? accountingHeader(report, messages, width)
    : patientHeader(report, messages, width);
  return `${[...header, "", ...body].join("\n")}\n`;
}

function patientHeader(audit: Audit, messages: Messages, width: number): string[] {
  const { entries, total } = audit;
  const counted = audit.heads.reduce((sum, head) => sum + head.count, 0);
  const verdict = audit.complete ? [messages.complete(counted)] : [messages.incomplete];
  return [
    cut(messages.title(shortId(audit.patientId), nameOf(audit, audit.custodian)), width),
    ...extent(audit, messages),
    ...(entries.length === total ? [] : [messages.shown(entries.length, total)]),
    ...verdict.flatMap((line) => wrap(line, width)),
    ...differences(audit, messages, width),
  ];
}

function accountingHeader(report: Accounting, messages: Messages, width: number): string[] {
  const { subject, checked, audits } = report;
  const of = "clinician" in subject ? subject.clinician : nameOf(report, subject.member);
  const { proven, incomplete, unproven } = messages.accounting;
  const wrong = audits.filter(({ complete }) => !complete);
  const verdict = report.complete ? proven(checked.own, checked.others) : incomplete(wrong.length);
  return [
    cut(messages.accounting.title(of), width),
    ...extent(report, messages),
    ...wrap(verdict, width),
    ...wrong.flatMap((audit) => [`  ${audit.patientId}`, ...differences(audit, messages, width)]),
    ...wrap(unproven, width),
  ];
}

/** From when to when, and up to which block. */
function extent({ filter, block }: Pick<Audit, "filter" | "block">, messages: Messages): string[] {
  const from = filter.from === undefined ? messages.beginning : isoTime(seconds(filter.from));
  const to = isoTime(filter.to === undefined ? block.at : Math.min(seconds(filter.to), block.at));
  return [messages.period(from, to), messages.block(block.number, shortId(block.hash), isoTime(block.at))];
}

/** What differs from the chain's heads. */
function differences({ heads }: Audit, messages: Messages, width: number): string[] {
  return heads
    .filter((head) => !head.complete)
    .flatMap((head) => wrap(`${head.registry}: ${messages.head(head)}`, width - 2))
    .map((line) => `  ${line}`);
}

function lineOf(row: Row | LookupRow, withPatient: boolean, messages: Messages): string {
  const { entry, audit } = row;
  const kind = messages.kinds[entry.kind];
  const member = memberOf(entry);
  const patient = isLookup(row) ? "" : (row.audit.local?.patient ?? shortId(row.audit.patientId));
  return [
    fit(isoTime(entry.at), TIME),
    fit(kind, KIND),
    fit(member === undefined ? "" : nameOf(audit, member), MEMBER),
    ...(withPatient ? [fit(printable(patient), PATIENT)] : []),
    isLookup(row) ? lookupDetail(row.entry, messages) : detailOf(row.entry, row.audit, messages),
  ].join(GAP);
}

function doubts({ entry }: Row | LookupRow, messages: Messages, width: number): string[] {
  const indent = " ".repeat(TIME + GAP.length);
  const lines = suspicions(entry, messages, shortId).flatMap((text) => wrap(text, width - indent.length));
  return lines.map((line) => indent + line);
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
