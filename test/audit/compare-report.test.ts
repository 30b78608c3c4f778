// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import {
  auditEventNdjson,
  compareReport,
  csv,
  html,
  type Accounting,
  type Audit,
  type Report,
} from "../../src/audit/index.js";
import type { Act, Ground } from "../../src/audit/audit.js";
import { groundsOf, shownGrounds } from "../../src/audit/grounds.js";
import type { Hex } from "../../src/crypto/index.js";
import { threeHospitals, type ThreeHospitals } from "./three-hospitals.js";

const FORMATS = {
  csv: { write: csv, header: 1, end: "\r\n" },
  fhir: { write: auditEventNdjson, header: 0, end: "\n" },
} as const;

describe("a saved report against the chain", function () {
  this.timeout(60_000);
  let s: ThreeHospitals;
  let report: Accounting;
  before(async () => {
    s = await threeHospitals();
    report = await s.a.audit.accounting({ subject: { member: s.b.memberId } });
  });

  const found = (text: string, of: Report = report) =>
    compareReport(of, text).findings.map(({ what, row, fields }) => [what, row, ...(fields ?? [])].join(" "));

  /** A saved report whose rows, header aside, were changed. */
  function saved(format: keyof typeof FORMATS, change: (rows: string[]) => string[]): string {
    const { write, header, end } = FORMATS[format];
    const lines = write(report).split(end).slice(0, -1);
    return [...lines.slice(0, header), ...change(lines.slice(header))].map((line) => line + end).join("");
  }

  it("has nothing wrong in what was just written, in each format", () => {
    for (const [format, text] of [
      ["csv", csv(report)],
      ["fhir", auditEventNdjson(report)],
      ["json", JSON.stringify(report)],
      ["json", JSON.stringify(report.audits[0])],
    ] as const) {
      const of = text.startsWith('{"patientId"') ? report.audits[0]! : report;
      const { findings, format: as, rows } = compareReport(of, text);
      expect(findings).to.deep.equal([]);
      expect(as).to.equal(format);
      expect(rows).to.be.greaterThan(0);
    }
  });

  it("names a row that is missing, by the one before it", () => {
    expect(found(saved("csv", (rows) => rows.toSpliced(3, 1)))).to.deep.equal(["MISSING 4"]);
    expect(found(saved("csv", (rows) => rows.slice(1)))).to.deep.equal(["MISSING 1"]);
    expect(found(saved("csv", (rows) => rows.slice(0, -2)))).to.deep.equal(["MISSING 9", "MISSING 9"]);
    expect(found(saved("fhir", (rows) => rows.toSpliced(3, 1)))).to.deep.equal(["MISSING 3"]);
    expect(found(saved("csv", () => []))).to.have.length(10);
  });

  it("names a row that was altered, and its fields", () => {
    const alter = (rows: string[]) => rows.with(2, rows[2]!.replace(",TREAT,", ",HRESCH,"));
    expect(found(saved("csv", alter))).to.deep.equal(["ALTERED 4 purposes"]);
    const cleared = (rows: string[]) => rows.with(0, rows[0]!.replace("TREAT", "HRESCH"));
    expect(found(saved("fhir", cleared))).to.deep.equal(["ALTERED 1 purposeOfEvent"]);
    const json = structuredClone(report);
    json.audits[0]!.entries[0]!.at++;
    expect(found(JSON.stringify(json))).to.deep.equal(["ALTERED 1 at"]);
    const patient = structuredClone(report);
    patient.audits[0]!.patientId = s.patients.unread;
    expect(found(JSON.stringify(patient))[0]).to.equal("ALTERED 1 patientId");
  });

  it("names what a JSON report says besides its rows, where that was altered", () => {
    const { audits } = report;
    const [one] = audits as [Audit];
    const altered = (change: (audit: Audit) => void) => {
      const copy = structuredClone(one);
      change(copy);
      const whole = { ...report, audits: audits.with(0, copy) };
      const wrong = compareReport(report, JSON.stringify(whole)).findings;
      expect(compareReport(one, JSON.stringify(copy)).findings).to.deep.equal(wrong);
      return wrong;
    };
    const ofOne = (...fields: string[]) => [{ what: "ALTERED", row: 0, event: one.patientId, fields }];
    expect(altered(() => {})).to.deep.equal([]);
    expect(altered((audit) => (audit.complete = false))).to.deep.equal(ofOne("complete"));
    expect(altered(({ heads }) => (heads[0]!.head = `0x${"ab".repeat(32)}`))).to.deep.equal(ofOne("heads"));
    expect(altered(({ heads }) => heads.pop())).to.deep.equal(ofOne("heads"));
    expect(altered(({ heads }) => heads[0]!.count++)).to.deep.equal(ofOne("heads"));
    const [hash] = Object.keys(one.grounds) as [Hex];
    const forgeries: ((ground: Ground) => void)[] = [
      (ground) => (ground.givenBy = "WITNESSES"),
      (ground) => (ground.persons = [`0x${"12".repeat(20)}`, `0x${"34".repeat(20)}`]),
      (ground) => {
        const filed = { at: 1, officer: `0x${"12".repeat(20)}`, statement: `0x${"34".repeat(32)}` };
        ground.emergency = { windowId: hash, member: 1, reason: hash, justified: filed, overdue: false };
      },
    ];
    for (const forge of forgeries)
      expect(altered(({ grounds }) => forge(grounds[hash]!))).to.deep.equal(ofOne(`grounds.${hash}`));
    const left = Object.fromEntries(Object.entries(one.grounds).filter(([key]) => key !== hash));
    expect(altered((audit) => (audit.grounds = left))).to.deep.equal(ofOne(`grounds.${hash}`));
    const invented: Hex = `0x${"cd".repeat(32)}`;
    expect(altered(({ grounds }) => (grounds[invented] = grounds[hash]!))).to.deep.equal(
      ofOne(`grounds.${invented}`),
    );
    expect(found(JSON.stringify({ ...report, complete: false }))).to.deep.equal(["ALTERED 0 complete"]);
  });

  it("takes a JSON report from before the newest events for what it was then", () => {
    const [one] = report.audits as [Audit];
    // A head of fewer events, as the chain had it.
    const before = structuredClone(one);
    Object.assign(before.heads[0]!, { count: 0, events: 0, head: `0x${"00".repeat(32)}` });
    expect(compareReport(one, JSON.stringify(before)).findings).to.deep.equal([]);
    // What an emergency's ground was, before it was justified.
    const [entry] = one.entries;
    const broken = { ...entry!, kind: "glass-broken", member: 1 } as Act;
    broken.details = { terms: `0x${"11".repeat(32)}`, reader: "r", second: "s", statement: "why" };
    const justified = {
      ...broken,
      kind: "glass-justified",
      blockNumber: broken.blockNumber + 5,
      logIndex: 99,
    } as Act;
    justified.details = { terms: broken.details.terms!, officer: "o", statement: "because" };
    const of = (...entries: Act[]): Audit => ({
      ...one,
      entries,
      grounds: shownGrounds(groundsOf(entries), entries),
      block: { ...one.block, number: entries.at(-1)!.blockNumber },
    });
    const text = JSON.stringify(of(broken));
    expect(compareReport(of(broken, justified), text).findings.map(({ what }) => what)).to.include("MISSING");
    const facts = compareReport(of(broken, justified), text).findings.filter(({ row }) => row === 0);
    expect(facts.filter(({ what }) => what === "ALTERED")).to.deep.equal([]);
    const hidden = { ...of(broken, justified), grounds: of(broken).grounds };
    expect(found(JSON.stringify(hidden), of(broken, justified))).to.deep.equal([
      `ALTERED 0 grounds.${broken.details.terms}`,
    ]);
  });

  it("names a row that was moved, and no other", () => {
    const last = (rows: string[]) => [...rows.slice(1), rows[0]!];
    expect(found(saved("csv", last))).to.deep.equal(["MOVED 11"]);
    const first = (rows: string[]) => [rows.at(-1)!, ...rows.slice(0, -1)];
    expect(found(saved("fhir", first))).to.deep.equal(["MOVED 1"]);
  });

  it("names a row that stands twice, and one that the chain does not have", () => {
    expect(found(saved("csv", (rows) => [...rows, rows[0]!]))).to.deep.equal(["REPEATED 12"]);
    const invented = (rows: string[]) => [
      ...rows,
      rows[0]!.replace(/0x[0-9a-f]{64}/, `0x${"ab".repeat(32)}`),
    ];
    expect(found(saved("csv", invented))).to.deep.equal(["UNKNOWN 12"]);
    expect(found(saved("fhir", (rows) => [...rows, "{}"]))).to.deep.equal(["UNKNOWN 11"]);
    expect(found(saved("fhir", (rows) => [...rows, "no JSON"]))).to.deep.equal(["UNKNOWN 11"]);
  });

  it("is not misled by a second column of the same name", () => {
    const [header, ...rows] = csv(report).trimEnd().split("\r\n");
    const doubled = rows.map((row) => `${row.replaceAll(",TREAT,", ",HRESCH,")},TREAT`);
    const wrong = found([`${header},purposes`, ...doubled, ""].join("\r\n"));
    expect(wrong).to.include("ALTERED 4 purposes column 39");
  });

  it("is of another patient", () => {
    const [one, another] = report.audits;
    const wrong = found(csv(one!), another);
    expect(wrong.filter((line) => line.startsWith("UNKNOWN"))).to.have.length(one!.entries.length);
  });

  it("takes line ends, quotes and a byte order mark that another program changed", () => {
    expect(found(csv(report).replaceAll("\r\n", "\n").slice(1))).to.deep.equal([]);
    const quoted = csv(report).replaceAll(",TREAT,", ',"TREAT",');
    expect(found(quoted)).to.deep.equal([]);
  });

  it("reads members' names that hold quotes, commas and lines", () => {
    const members = { ...report.members, [s.b.memberId]: 'a "b",\r\n,c\n"' };
    const named = { ...report, members, audits: report.audits.map((audit) => ({ ...audit, members })) };
    expect(found(csv(named), named)).to.deep.equal([]);
  });

  it("refuses what is no report", () => {
    for (const text of ["", "{}", "[]", "null", "event", html(report), "time,event\r\n"]) {
      expect(() => compareReport(report, text), text.slice(0, 20)).to.throw(
        "no audit in CSV, FHIR NDJSON or JSON",
      );
    }
  });

  it("does not take a quote alone for an empty field", () => {
    const text = csv(report);
    const end = text.indexOf("\r\n", text.indexOf("\r\n") + 1);
    const { findings } = compareReport(report, `${text.slice(0, end)}"${text.slice(end + 1)}`);
    expect(findings.map(({ what, fields }) => [what, fields])).to.deep.equal([["ALTERED", ["lookup_id"]]]);
  });

  it("never fails on a damaged file, and never finds nothing wrong with one", () => {
    const text = csv(report);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom("", '"', ",", "\r\n", "x", "\u0000"),
        (at, put) => {
          const damaged = text.slice(0, at) + put + text.slice(at + 1);
          const isSame = damaged.replaceAll(/[\r\n\uFEFF]+/g, "|") === text.replaceAll(/[\r\n\uFEFF]+/g, "|");
          fc.pre(!isSame && at > 10);
          expect(compareReport(report, damaged).findings).not.to.deep.equal([]);
        },
      ),
    );
  });
});
