// SPDX-License-Identifier: Apache-2.0
import { ACT_DETAILS } from "./acts.js";
import { memberOf, type Accessed, type Act, type Audit, type AuditEntry, type GrantGiven } from "./audit.js";
import { isLastDay, isoDay, isoTime } from "./iso-time.js";
import { LANGUAGES, type Language, type Messages } from "./messages.js";
import { printable } from "../printable.js";
import { cut, fit, shortId, wrap } from "./columns.js";

export interface TimelineOptions {
  /** Default: en. */
  language?: Language;
  /** Columns of a line. Default: 100; what does not fit is cut, and stands in full in the CSV. */
  width?: number;
}

/** Columns of time, of the event's name with its mark, and of the member; the rest is for the detail. */
const TIME = 20;
const KIND = 10;
const MEMBER = 16;
const GAP = "  ";
/** A time, a name and a member leave nothing to read on a narrower line. */
const LEAST_WIDTH = 80;

/**
 * A patient's disclosures as plain text for people: a header with the verdict, then one line an event, in chain
 * order. Times are ISO 8601 in UTC. East Asian characters count as two columns.
 */
export function timeline(audit: Audit, options: TimelineOptions = {}): string {
  const messages = LANGUAGES[options.language ?? "en"];
  const width = Math.max(options.width ?? 100, LEAST_WIDTH);
  const lines = audit.entries.map((entry) => cut(lineOf(entry, audit, messages), width));
  const body = lines.length === 0 ? [messages.none] : lines;
  const notes = audit.entries.some((entry) => !entry.covered) ? ["", ...wrap(messages.uncovered, width)] : [];
  return `${[...header(audit, messages, width), "", ...body, ...notes].join("\n")}\n`;
}

function header(audit: Audit, messages: Messages, width: number): string[] {
  const { filter, block } = audit;
  const from = filter.from === undefined ? messages.beginning : isoTime(seconds(filter.from));
  const to = isoTime(filter.to === undefined ? block.at : Math.min(seconds(filter.to), block.at));
  const counted = audit.heads.reduce((sum, head) => sum + head.count, 0);
  const verdict = audit.complete
    ? [messages.complete(counted)]
    : [
        messages.incomplete,
        ...audit.heads
          .filter((head) => !head.complete)
          .flatMap((head) => wrap(`${head.registry}: ${messages.head(head)}`, width - 2))
          .map((line) => `  ${line}`),
      ];
  const { entries, total } = audit;
  return [
    cut(messages.title(shortId(audit.patientId), nameOf(audit, audit.custodian)), width),
    messages.period(from, to),
    messages.block(block.number, shortId(block.hash), isoTime(block.at)),
    ...(entries.length === total ? [] : [messages.shown(entries.length, total)]),
    ...verdict.flatMap((line) => wrap(line, width)),
  ];
}

function lineOf(entry: AuditEntry, audit: Audit, messages: Messages): string {
  const kind = messages.kinds[entry.kind] + (entry.covered ? "" : "*");
  const member = memberOf(entry);
  return [
    fit(isoTime(entry.at), TIME),
    fit(kind, KIND),
    fit(member === undefined ? "" : nameOf(audit, member), MEMBER),
    detailOf(entry, audit, messages),
  ].join(GAP);
}

function detailOf(entry: AuditEntry, audit: Audit, messages: Messages): string {
  switch (entry.kind) {
    case "enrolled":
      return entry.hasSigner ? messages.withSigner : messages.paper;
    case "grant-given":
      return grantDetail(entry, audit, messages);
    case "grant-revoked":
      return messages.terms(shortId(entry.termsHash));
    case "directive-set": {
      const denials = [
        ...(entry.denyAll ? [messages.denyAll] : []),
        ...(entry.denyEmergency ? [messages.denyEmergency] : []),
        ...(entry.deniedCompartments.length === 0
          ? []
          : [messages.denied(compartmentList(entry.deniedCompartments, audit))]),
      ];
      return denials.length === 0 ? messages.deniesNothing : denials.join(messages.comma);
    }
    case "access":
      return accessDetail(entry, audit, messages);
    case "amended":
      return messages.amended(recordName(entry.index, audit), entry.byIndex);
    case "retracted":
      return messages.retracted(recordName(entry.index, audit));
    case "other":
      return `${entry.contract} ${printable(shortId(entry.event))}`;
    default:
      return actDetail(entry, audit, messages);
  }
}

function actDetail({ details }: Act, audit: Audit, messages: Messages): string {
  return ACT_DETAILS.flatMap((name) => {
    const value = details[name];
    if (value === undefined) return [];
    const short = value.startsWith("0x") ? shortId(value) : printable(value);
    const told = name === "index" ? recordName(Number(value), audit) : short;
    return [messages.details[name](told)];
  }).join(messages.comma);
}

function grantDetail(entry: GrantGiven, audit: Audit, messages: Messages): string {
  const { notBefore, notAfter } = entry;
  const giver = messages.givenBy[entry.givenBy];
  return [
    entry.purposes.join("+"),
    `${isoTime(notBefore).slice(0, 10)}/${isoTime(notAfter).slice(0, 10)}`,
    compartments(entry.compartments, audit, messages),
    ...(giver === undefined ? [] : [giver]),
    ...recordedPeriod(entry, messages),
    messages.terms(shortId(entry.termsHash)),
  ].join(messages.comma);
}

function accessDetail(entry: Accessed, audit: Audit, messages: Messages): string {
  const { scope, extent, indices, purpose, reader, basis } = entry;
  const basisText = messages.basis[basis];
  const what =
    extent === "RECORDS"
      ? messages.records(indices.length === 1 ? recordName(indices[0]!, audit) : ranges(indices))
      : messages[extent === "INDEX" ? "index" : "chart"];
  return [
    ...(entry.suspectSince === undefined ? [] : [messages.suspect(isoTime(entry.suspectSince))]),
    ...(basisText === undefined ? [] : [basisText]),
    purpose,
    messages.by(shortId(reader)),
    what,
    ...(scope === undefined
      ? []
      : [compartments(scope.compartments, audit, messages), ...recordedPeriod(scope, messages)]),
  ].join(messages.comma);
}

function compartments(numbers: readonly number[], audit: Audit, messages: Messages): string {
  if (numbers.length === 64) return messages.allCompartments;
  return numbers.length === 0
    ? messages.noCompartments
    : messages.compartments(compartmentList(numbers, audit));
}

function compartmentList(numbers: readonly number[], audit: Audit): string {
  const names = audit.local?.compartments ?? {};
  if (numbers.every((number) => names[number] === undefined)) return ranges(numbers);
  return numbers.map((number) => names[number] ?? String(number)).join(" ");
}

function recordedPeriod(
  { recordedFrom, recordedTo }: { recordedFrom: number; recordedTo: number },
  messages: Messages,
): string[] {
  if (recordedFrom === 0 && isLastDay(recordedTo)) return [];
  return [messages.recorded(isoDay(recordedFrom), isoDay(recordedTo))];
}

function recordName(index: number, audit: Audit): string {
  const label = audit.local?.records[index];
  return label === undefined ? String(index) : `${index} (${printable(label)})`;
}

/** Rising numbers as 1-3,7. */
function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const number of sorted) {
    const last = parts.at(-1);
    if (last !== undefined && number <= last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}

function nameOf(audit: Audit, memberId: number): string {
  return `${memberId} ${printable(audit.members[memberId] ?? "")}`.trimEnd();
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
