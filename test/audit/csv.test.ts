// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { CSV_FIELDS, csv, disclosures, type Audit } from "../../src/audit/index.js";
import { parseCsv } from "./csv-parser.js";
import { HOSTILE_NAME, READER_NAME, theStory, type Story } from "./two-hospitals.js";

describe("csv", function () {
  this.timeout(60_000);
  let story: Story;
  let audit: Audit;

  before(async () => {
    story = await theStory();
    audit = await disclosures({ chain: story.hospitals.chain, patient: story.patientId });
  });

  type Row = Record<(typeof CSV_FIELDS)[number], string>;

  function rowsOf(of: Audit): Row[] {
    const [header, ...rows] = parseCsv(csv(of).slice(1));
    expect(header).to.deep.equal([...CSV_FIELDS]);
    for (const row of rows) expect(row).to.have.length(CSV_FIELDS.length);
    return rows.map((row) => Object.fromEntries(row.map((cell, at) => [header![at], cell])) as Row);
  }

  it("starts with a UTF-8 byte order mark and ends every row with CRLF", () => {
    const bytes = Buffer.from(csv(audit));
    expect(bytes.subarray(0, 3).toString("hex")).to.equal("efbbbf");
    expect(csv(audit).endsWith("\r\n")).to.equal(true);
    expect(csv(audit).replaceAll("\r\n", "")).not.to.match(/[\r\n]/);
  });

  it("has a row for each event, every value in a field of its own", () => {
    const rows = rowsOf(audit);
    expect(rows.map((row) => row.event)).to.deep.equal(audit.entries.map((entry) => entry.kind));
    const access = rows[4]!;
    const [, , , , entry] = audit.entries;
    expect(access).to.include({
      time: new Date(entry!.at * 1000).toISOString().replace(".000Z", "Z"),
      block_number: String(entry!.blockNumber),
      log_index: String(entry!.logIndex),
      transaction_hash: entry!.transactionHash,
      chain_id: "31337",
      contract: "AccessLog",
      contract_address: story.hospitals.chain.deployment.accessLog,
      patient_id: story.patientId,
      member_id: "2",
      member_name: READER_NAME,
      reader: story.hospitals.clinician.address.toLowerCase(),
      purposes: "CAREMGT",
      basis: "GRANT",
      basis_ref: story.ticket.termsHash,
      terms_hash: story.ticket.termsHash,
      extent: "RECORDS",
      indices: "1 2",
      compartments: "",
    });
    expect(access.access_id).to.match(/^0x[0-9a-f]{64}$/);
    expect(rows[3]).to.include({
      event: "grant-given",
      member_id: "3",
      given_by: "PATIENT",
      purposes: "HRESCH",
      compartments: "5 7 8",
      recorded_from: "2020-01-01",
      recorded_to: "2024-12-31",
    });
    expect(rows[1]).to.include({ recorded_from: "1970-01-01", recorded_to: "9999-12-31" });
    expect(rows[5]).to.include({ extent: "CHART", up_to_index: "3", indices: "" });
    expect(rows[6]).to.include({ indices: "1", by_index: "3", member_id: "1" });
    expect(rows[8]).to.include({
      deny_all: "false",
      deny_emergency: "true",
      denied_compartments: "5 6",
      nonce: "0",
      member_id: "",
      member_name: "",
    });
  });

  it("keeps a hostile name, admitted on chain, from being a formula", () => {
    expect(rowsOf(audit)[3]!.member_name).to.equal(`'${HOSTILE_NAME}`);
    expect(csv(audit))
      .not.to.contain(`,${HOSTILE_NAME.slice(0, 5)}`)
      .and.not.to.contain('"=');
  });

  it("gives back any name, with an apostrophe before what would start a formula", () => {
    const starts = [
      "=",
      "+",
      "-",
      "@",
      "\t",
      "\r",
      "\n",
      "\uFF1D",
      "\uFF0B",
      "\uFF0D",
      "\uFF20",
      '"',
      ",",
      " ",
      "",
    ];
    const names = fc
      .tuple(fc.constantFrom(...starts), fc.string({ unit: "binary" }))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(names, (name) => {
        const [row] = rowsOf({ ...audit, entries: audit.entries.slice(0, 1), members: { 1: name } });
        const isFormula = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(name);
        const inner = name.replaceAll(/([;\t\r\n])(?=[" ]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g, "$1'");
        expect(row!.member_name).to.equal(isFormula ? `'${inner}` : inner);
      }),
    );
  });

  it("has no formula in it for a spreadsheet that splits at commas, semicolons or tabs", () => {
    const named = (name: string) =>
      csv({ ...audit, entries: audit.entries.slice(0, 1), members: { 1: name } }).slice(1);
    expect(named("Clinic;=1+1")).to.contain(",Clinic;'=1+1,");
    const separators = [",", ";", "\t"];
    const starts = ["=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"];
    for (const separator of separators) {
      for (const start of starts) expectNoFormula(named(`Clinic${separator}${start}1+1`));
    }
    const piece = fc.constantFrom(...separators, ...starts, '"', " ", "\r\n", "\n", "1", "x");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => expectNoFormula(named(pieces.join("")))),
    );

    function expectNoFormula(text: string): void {
      for (const separator of separators) {
        for (const cell of cellsOf(text, separator))
          expect(starts, JSON.stringify([text, cell])).not.to.include(cell.charAt(0));
      }
    }
  });

  /** As a spreadsheet reads them: quotes count at a cell's beginning alone, and what stands behind them belongs to it. */
  function cellsOf(text: string, separator: string): string[] {
    const cell = new RegExp(
      `(?:"((?:[^"]|"")*)(?:"|$))?([^${separator}\r\n]*)(?:[${separator}\r\n]|$)`,
      "gy",
    );
    return [...text.matchAll(cell)].map(([, quoted = "", bare]) => `${quoted.replaceAll('""', '"')}${bare}`);
  }

  it("holds no name of vault or journal", () => {
    const local = { compartments: { 5: "psychiatry" }, records: { 1: "Discharge letter" }, statements: {} };
    expect(csv({ ...audit, local })).to.equal(csv(audit));
  });

  it("is a header row alone when there is nothing to show", () => {
    expect(csv({ ...audit, entries: [] })).to.equal(`\uFEFF${CSV_FIELDS.join(",")}\r\n`);
  });
});
