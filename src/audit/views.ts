// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Accessed, EmergencyState, Lookup } from "./audit.js";
import { isEmergency } from "./grounds.js";
import type { LocalTime } from "./local-time.js";
import { allRowsOf, isLookup, rowsOf, type Report } from "./report.js";

/** An emergency that is not fully accounted for. */
export interface OpenEmergency {
  windowId: Hex;
  /** Unix seconds: when the glass was broken, or what was released without the chain was filed. */
  at: number;
  patientId: Hex;
  /** Member ids. */
  custodian: number;
  member: number;
  /** Accounts. */
  reader: string;
  colleague: string;
  late: boolean;
  /** By then, Unix seconds; left out when it is done. */
  justifyBy?: number;
  reviewBy?: number;
  /** Either of the two should have been done by the report's block. */
  overdue: boolean;
}

/** One account that read unusually much within a day. */
export interface BulkReading {
  reader: Hex;
  member: number;
  /** Unix seconds, first and last access. */
  from: number;
  to: number;
  patients: number;
  /** Requested one by one; the log does not say how many a chart holds. */
  records: number;
  charts: number;
  /** Of somebody by an identifier: each counts as one more patient. */
  lookups: number;
}

/** An access or a lookup at a time of day that its reader does not usually work at. */
export interface UnusualHour {
  at: number;
  reader: Hex;
  member: number;
  /** Of an access. */
  patientId?: Hex;
  custodian?: number;
  accessId?: Hex;
  purpose?: string;
  basis?: string;
  /** Of a lookup. */
  lookupId?: Hex;
}

/** More than so many patients, or records, by one account within a day. */
export const BULK = { patients: 20, records: 200, withinSeconds: 86_400 };
/** Local hours of day work: from 7 o'clock to before 20 o'clock. */
export const DAY_HOURS = { from: 7, to: 20 };
/** Reading outside of day hours is usual for who did so on so many days before, and on one in four of all before. */
export const USUAL = { days: 5, oneIn: 4 };
const SECONDS_PER_HOUR = 3_600;

/** The emergencies in a report that lack their justification or their review, oldest first. */
export function openEmergencies(
  report: Report,
  limits: { justifyWithin: number; reviewWithin: number },
): OpenEmergency[] {
  return rowsOf(report).flatMap(({ entry, audit }) => {
    if (!isEmergency(entry)) return [];
    const windowId = entry.details.terms as Hex;
    const state: EmergencyState | undefined = audit.grounds[windowId]?.emergency;
    if (state === undefined || (state.justified !== undefined && state.reviewed !== undefined)) return [];
    const due = {
      ...(state.justified === undefined ? { justifyBy: entry.at + limits.justifyWithin } : {}),
      ...(state.reviewed === undefined ? { reviewBy: entry.at + limits.reviewWithin } : {}),
    };
    return [
      {
        windowId,
        at: entry.at,
        patientId: audit.patientId,
        custodian: audit.custodian,
        member: state.member,
        reader: entry.details.reader ?? "",
        colleague: entry.details.second ?? "",
        late: state.late !== undefined,
        ...due,
        overdue: state.overdue || Object.values(due).some((time) => time < report.block.at),
      },
    ];
  });
}

/**
 * Accounts that within any 24 hours read or looked for more than {@link BULK} says; accesses that lie in one another's 24 hours are
 * told together, the account with most patients first.
 */
export function bulkReadings(report: Report): BulkReading[] {
  const found = [...byReader(report).values()].flatMap((accesses) => spansOf(accesses).map(bulkOf));
  return found.sort((a, b) => b.patients - a.patients || b.records - a.records || a.from - b.from);
}

interface Access {
  entry: Accessed | Lookup;
  /** Undefined for a lookup. */
  patientId: Hex | undefined;
  custodian: number | undefined;
}

/** Accesses and lookups by members' staff, in chain order. */
function byReader(report: Report): Map<Hex, Access[]> {
  const readers = new Map<Hex, Access[]>();
  for (const row of allRowsOf(report)) {
    const { entry } = row;
    if ((entry.kind !== "access" && entry.kind !== "lookup") || entry.memberId === 0) continue;
    const { patientId, custodian } = isLookup(row)
      ? { patientId: undefined, custodian: undefined }
      : row.audit;
    const accesses = readers.get(entry.reader) ?? [];
    accesses.push({ entry, patientId, custodian });
    readers.set(entry.reader, accesses);
  }
  return readers;
}

/** Whom an access counts for: each lookup for somebody else, since nobody knows whom it was about. */
function countedFor({ entry, patientId }: Access): Hex {
  return entry.kind === "lookup" ? entry.lookupId : patientId!;
}

function recordsOf({ entry }: Access): number {
  return entry.kind === "lookup" ? 0 : entry.indices.length;
}

/** The stretches of accesses that lie within a day that holds too many. */
function spansOf(accesses: readonly Access[]): Access[][] {
  const spans: { first: number; last: number }[] = [];
  const patients = new Map<Hex, number>();
  let records = 0;
  let first = 0;
  for (const [last, access] of accesses.entries()) {
    const counted = countedFor(access);
    patients.set(counted, (patients.get(counted) ?? 0) + 1);
    records += recordsOf(access);
    for (; accesses[first]!.entry.at <= access.entry.at - BULK.withinSeconds; first++) {
      const gone = accesses[first]!;
      records -= recordsOf(gone);
      const left = patients.get(countedFor(gone))! - 1;
      if (left === 0) patients.delete(countedFor(gone));
      else patients.set(countedFor(gone), left);
    }
    if (patients.size <= BULK.patients && records <= BULK.records) continue;
    const previous = spans.at(-1);
    if (previous !== undefined && first <= previous.last) previous.last = last;
    else spans.push({ first, last });
  }
  return spans.map((span) => accesses.slice(span.first, span.last + 1));
}

function bulkOf(accesses: readonly Access[]): BulkReading {
  const [{ entry }] = accesses as [Access];
  return {
    reader: entry.reader,
    member: entry.memberId,
    from: entry.at,
    to: accesses.at(-1)!.entry.at,
    patients: new Set(accesses.flatMap(({ patientId }) => patientId ?? [])).size,
    records: accesses.reduce((sum, access) => sum + recordsOf(access), 0),
    charts: accesses.filter((access) => access.entry.kind === "access" && access.entry.extent === "CHART")
      .length,
    lookups: accesses.filter((access) => access.entry.kind === "lookup").length,
  };
}

/**
 * Accesses and lookups outside of {@link DAY_HOURS} by accounts for which that was not usual yet: see {@link USUAL}. Only earlier
 * days of the report count, so that nobody makes his nights usual afterwards.
 */
export function unusualHours(report: Report, time: LocalTime): UnusualHour[] {
  const found = [...byReader(report).values()].flatMap((accesses) => unusualOf(accesses, time));
  return found
    .sort((a, b) => a.entry.blockNumber - b.entry.blockNumber || a.entry.logIndex - b.entry.logIndex)
    .map(unusualHourOf);
}

function unusualHourOf({ entry, patientId, custodian }: Access): UnusualHour {
  const { at, reader, memberId: member } = entry;
  if (entry.kind === "lookup") return { at, reader, member, lookupId: entry.lookupId };
  const { accessId, purpose, basis } = entry;
  return { at, reader, member, patientId: patientId!, custodian: custodian!, accessId, purpose, basis };
}

function unusualOf(accesses: readonly Access[], time: LocalTime): Access[] {
  // A night belongs to the day on which it began.
  const dayOf = ({ entry }: Access) => time.day(entry.at - DAY_HOURS.from * SECONDS_PER_HOUR);
  let days = 0;
  let daysOutside = 0;
  const found: Access[] = [];
  for (const ofDay of Map.groupBy(accesses, dayOf).values()) {
    const outside = ofDay.filter(({ entry }) => isOutside(time.hour(entry.at)));
    const usual = daysOutside >= USUAL.days && daysOutside * USUAL.oneIn >= days;
    if (!usual) found.push(...outside);
    days++;
    if (outside.length > 0) daysOutside++;
  }
  return found;
}

function isOutside(hour: number): boolean {
  return hour < DAY_HOURS.from || hour >= DAY_HOURS.to;
}
