// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import {
  viewCsv,
  viewOf,
  type Accessed,
  type Accounting,
  type Audit,
  type Lookup,
} from "../../src/audit/index.js";
import { LocalTime } from "../../src/audit/local-time.js";
import { BULK, bulkReadings, openEmergencies, unusualHours } from "../../src/audit/views.js";
import type { Hex } from "../../src/crypto/index.js";
import { parseCsv } from "./csv-parser.js";
import { threeHospitals, type ThreeHospitals } from "./three-hospitals.js";

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Ids of lookups begin here: no patient has one. */
const LOOKUPS = 1_000_000;
/** 2027-03-01, 00:00 in Shanghai. */
const MIDNIGHT = Date.parse("2027-02-28T16:00:00Z") / 1000;
const SHANGHAI = new LocalTime("Asia/Shanghai");
const hex = (number: number, digits: number): Hex => `0x${number.toString(16).padStart(digits, "0")}`;

interface Reading {
  at: number;
  reader?: number;
  patient?: number;
  records?: number;
  memberId?: number;
  /** A lookup, which is of nobody known. */
  lookup?: true;
}

/** A report of these accesses, one audit a patient. */
function reportOf(template: Audit, readings: readonly Reading[]): Accounting {
  const place = (at: number, number: number) => ({
    at,
    blockNumber: at - MIDNIGHT + 40 * DAY,
    logIndex: number,
    transactionHash: hex(number, 64),
  });
  const access = (
    { at, reader = 1, records = 1, memberId = 2, patient = 1 }: Reading,
    number: number,
  ): Accessed & { patient: number } => ({
    kind: "access",
    ...place(at, number),
    contract: "AccessLog",
    accessId: hex(number, 64),
    reader: hex(reader, 40),
    memberId,
    basis: "GRANT",
    basisRef: hex(7, 64),
    purpose: "TREAT",
    extent: records === 0 ? "CHART" : "RECORDS",
    indices: Array.from({ length: records }, (_, index) => index + 1),
    patient,
  });
  const lookups = readings.flatMap(({ at, reader = 1, memberId = 2, lookup }, number): Lookup[] => {
    if (!lookup) return [];
    const lookupId = hex(LOOKUPS + number, 64);
    const by = { reader: hex(reader, 40), memberId };
    return [{ kind: "lookup", ...place(at, number), contract: "BreakGlass", lookupId, ...by }];
  });
  const accesses = readings.flatMap((reading, number) => (reading.lookup ? [] : [access(reading, number)]));
  const patients = Map.groupBy(accesses, ({ patient }) => patient);
  const audits = [...patients].map(([patient, entries]): Audit => ({
    ...template,
    patientId: hex(patient, 64),
    entries,
    total: entries.length,
  }));
  const { chainId, contracts, block, members } = template;
  const checked = { own: audits.length, others: 0 };
  const frame = { chainId, contracts, block, members, filter: {}, complete: true };
  return { subject: { member: 2 }, ...frame, checked, audits, lookups };
}

describe("views for a privacy officer", function () {
  this.timeout(60_000);
  let s: ThreeHospitals;
  let report: Accounting;
  let template: Audit;
  before(async () => {
    s = await threeHospitals();
    report = await s.a.audit.accounting({ subject: { member: s.a.memberId } });
    template = report.audits[0]!;
  });

  describe("open emergencies", () => {
    const limits = { justifyWithin: 3 * DAY, reviewWithin: 30 * DAY };

    it("are those without justification or review, late ones too", () => {
      const found = openEmergencies(report, limits);
      expect(found.map(({ patientId }) => patientId)).to.deep.equal([
        s.patients.consented,
        s.patients.offline,
      ]);
      const [open, late] = found;
      expect(open).to.include({
        member: s.b.memberId,
        reader: s.clinician,
        colleague: s.colleague,
        late: false,
      });
      expect(open).to.include({
        justifyBy: open!.at + 3 * DAY,
        reviewBy: open!.at + 30 * DAY,
        overdue: false,
      });
      expect(late).to.include({ late: true, member: s.b.memberId });
    });

    it("are overdue by the report's block, or when they were flagged", () => {
      const overdue = (changes: Partial<Audit["block"]>) =>
        openEmergencies({ ...report, block: { ...report.block, ...changes } }, limits).map(
          (one) => one.overdue,
        );
      const { at } = openEmergencies(report, limits)[0]!;
      expect(overdue({ at: at + 3 * DAY })).to.deep.equal([false, false]);
      expect(overdue({ at: at + 4 * DAY })).to.deep.equal([true, true]);
      const flagged = structuredClone(report);
      for (const { grounds } of flagged.audits) {
        for (const { emergency } of Object.values(grounds)) if (emergency) emergency.overdue = true;
      }
      expect(openEmergencies(flagged, limits).map((one) => one.overdue)).to.deep.equal([true, true]);
    });

    it("stay listed until both are there", () => {
      const half = structuredClone(report);
      for (const { grounds } of half.audits) {
        for (const { emergency } of Object.values(grounds)) delete emergency?.reviewed;
      }
      const [first] = openEmergencies(half, limits);
      expect(first).to.include({ patientId: s.patients.emergency }).and.not.to.have.property("justifyBy");
      expect(first).to.have.property("reviewBy");
    });
  });

  describe("bulk reading", () => {
    const many = (count: number, step: number, more: Partial<Reading> = {}) =>
      Array.from({ length: count }, (_, number) => ({
        at: MIDNIGHT + number * step,
        patient: number + 1,
        ...more,
      }));

    it("is more than 20 patients of one account within 24 hours", () => {
      expect(bulkReadings(reportOf(template, many(20, 60)))).to.deep.equal([]);
      expect(bulkReadings(reportOf(template, many(21, 60)))).to.deep.equal([
        {
          reader: hex(1, 40),
          member: 2,
          from: MIDNIGHT,
          to: MIDNIGHT + 20 * 60,
          patients: 21,
          records: 21,
          charts: 0,
          lookups: 0,
        },
      ]);
      const spread = many(21, DAY / 20); // the last one 24 hours after the first
      expect(bulkReadings(reportOf(template, spread))).to.deep.equal([]);
      const two = many(21, 60).map((reading, number) => ({ ...reading, reader: (number % 2) + 1 }));
      expect(bulkReadings(reportOf(template, two))).to.deep.equal([]);
    });

    it("is more than 200 records of one account within 24 hours, of one patient too", () => {
      const records = many(4, 60, { patient: 1, records: 50 });
      expect(bulkReadings(reportOf(template, records))).to.deep.equal([]);
      const [found] = bulkReadings(reportOf(template, [...records, { at: MIDNIGHT + 300, patient: 1 }]));
      expect(found).to.include({ patients: 1, records: 201 });
    });

    it("counts charts as patients, and tells stretches apart", () => {
      const charts = many(25, 60, { records: 0 });
      const later = charts.map((reading) => ({
        ...reading,
        at: reading.at + 5 * DAY,
        patient: reading.patient + 50,
      }));
      const found = bulkReadings(reportOf(template, [...charts, ...later]));
      expect(found.map(({ from, patients, charts: count }) => [from, patients, count])).to.deep.equal([
        [MIDNIGHT, 25, 25],
        [MIDNIGHT + 5 * DAY, 25, 25],
      ]);
    });

    it("counts each lookup as one more patient", () => {
      const lookups = many(10, 60, { lookup: true });
      const later = { at: MIDNIGHT + HOUR, patient: 99 };
      expect(bulkReadings(reportOf(template, [...lookups, ...many(10, 60)]))).to.deep.equal([]);
      const [found] = bulkReadings(reportOf(template, [...lookups, ...many(10, 60), later]));
      expect(found).to.include({ patients: 11, lookups: 10, records: 11, to: later.at });
      const [alone] = bulkReadings(reportOf(template, many(21, 60, { lookup: true })));
      expect(alone).to.include({ patients: 0, lookups: 21, records: 0, charts: 0 });
    });

    it("leaves out the patients' own requests", () => {
      expect(bulkReadings(reportOf(template, many(30, 60, { memberId: 0, reader: 0 })))).to.deep.equal([]);
    });

    it("finds an account exactly when some 24 hours hold too many", () => {
      const reading = fc.record({
        at: fc.nat(4 * 24),
        patient: fc.integer({ min: 1, max: 40 }),
        records: fc.nat(40),
        lookup: fc.constantFrom(true as const, undefined),
      });
      fc.assert(
        fc.property(fc.array(reading, { maxLength: 60 }), (readings) => {
          const placed = readings.map(({ lookup, ...one }, number) => ({
            ...one,
            ...(lookup && { lookup, records: 0, patient: 1_000 + number }),
            at: MIDNIGHT + one.at * HOUR,
          }));
          const tooMany = placed.some(({ at }) => {
            const within = placed.filter((one) => one.at <= at && one.at > at - DAY);
            const records = within.reduce((sum, one) => sum + one.records, 0);
            return (
              new Set(within.map(({ patient }) => patient)).size > BULK.patients || records > BULK.records
            );
          });
          expect(bulkReadings(reportOf(template, placed)).length > 0).to.equal(tooMany);
        }),
      );
    });
  });

  describe("unusual hours", () => {
    const found = (readings: readonly Reading[], time = SHANGHAI) =>
      unusualHours(reportOf(template, readings), time).map(({ at }) => (at - MIDNIGHT) / HOUR);
    const on = (day: number, hour: number): Reading => ({ at: MIDNIGHT + day * DAY + hour * HOUR });

    it("are before 7 and from 20 o'clock, in the custodian's time zone", () => {
      const day = [6.99, 7, 12, 19.99, 20].map((hour) => ({ at: MIDNIGHT + Math.round(hour * HOUR) }));
      expect(found(day).map((hour) => Math.round(hour * 100) / 100)).to.deep.equal([6.99, 20]);
      expect(found(day, new LocalTime("UTC"))).to.have.length(3); // 22:59, 23:00 and 04:00 there
    });

    it("are usual for who works at them: on five days before, and on one in four of all", () => {
      const nights = Array.from({ length: 7 }, (_, day) => on(day, 22));
      expect(found(nights)).to.deep.equal([22, 46, 70, 94, 118]);
      const mostlyByDay = [
        ...Array.from({ length: 30 }, (_, day) => on(day, 10)),
        ...nights.map(({ at }) => ({ at: at + 30 * DAY })),
      ];
      expect(found(mostlyByDay)).to.have.length(7);
    });

    it("do not become usual by one long night, over midnight, or by what comes after", () => {
      const night = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29].map((hour) => on(0, hour));
      expect(found(night)).to.have.length(10);
      const laterNights = Array.from({ length: 10 }, (_, day) => on(day + 1, 22));
      expect(found([...night, ...laterNights]).slice(0, 10)).to.deep.equal(found(night));
    });

    it("are each account's own", () => {
      const nights = Array.from({ length: 7 }, (_, day) => on(day, 22));
      expect(found([...nights, { ...on(8, 22), reader: 2 }])).to.include(8 * 24 + 22);
    });

    it("are those of lookups too", () => {
      const at = MIDNIGHT + 2 * HOUR;
      const [seen] = unusualHours(reportOf(template, [{ at, lookup: true }]), SHANGHAI);
      expect(seen).to.deep.equal({ at, reader: hex(1, 40), member: 2, lookupId: hex(LOOKUPS, 64) });
      const nights = Array.from({ length: 7 }, (_, day): Reading => ({ ...on(day, 22), lookup: true }));
      expect(found([...nights, on(8, 22)])).to.not.include(8 * 24 + 22); // usual by then
    });

    it("follow summer time", () => {
      const vienna = new LocalTime("Europe/Vienna");
      const at = (text: string) => ({ at: Date.parse(text) / 1000 });
      const seen = unusualHours(
        reportOf(template, [at("2027-03-27T18:30:00Z"), at("2027-03-28T18:30:00Z")]),
        vienna,
      );
      expect(seen.map((one) => vienna.text(one.at))).to.deep.equal(["2027-03-28 20:30:00 +02:00"]);
    });
  });

  it("say by which rule, and go through the same CSV as everything else", () => {
    const options = { limits: { justifyWithin: DAY, reviewWithin: DAY }, timeZone: "Asia/Shanghai" };
    for (const view of ["open-emergencies", "bulk", "unusual-hours"] as const) {
      const table = viewOf(report, view, options);
      expect(table.rule).to.match(/\.$/);
      expect(table.rows).to.have.length(table.findings.length);
      const csv = viewCsv(table);
      expect(csv.startsWith("\uFEFF")).to.equal(true);
      expect(parseCsv(csv.slice(1))[0]).to.deep.equal(table.header);
    }
    const hostile = viewOf(report, "open-emergencies", options);
    expect(viewCsv({ ...hostile, rows: [["=1+1", "\uFF20x"]] })).to.contain("'=1+1,'\uFF20x");
    expect(() => viewOf(report, "unusual-hours", { ...options, timeZone: "Mars" })).to.throw(
      "no time zone Mars",
    );
  });
});
