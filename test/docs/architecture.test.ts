// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect } from "chai";

const ARCHITECTURE = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8");
const SNAPSHOT = JSON.parse(
  readFileSync(new URL("../../bench/gas-snapshot.json", import.meta.url), "utf8"),
) as Record<string, number>;

/** Figures of docs/architecture.md that have a row of their own, by their name in the snapshot. */
const ROWS: Readonly<Record<string, string>> = {
  recordInBatchOf1000: "one record, in a batch of 1,000",
  recordInBatchOf1000PastAMillion: "the same past 1,000,000 records",
  recordInBatchOf1: "one record, in a batch of its own",
  registerPatient: "register a patient",
  grantFirst: "first grant of a patient",
  grantBySignature: "grant, by an ordinary signature",
  grantByPasskey: "grant, by a passkey",
  grantByPasskeyWithPrecompile: "the same on a chain with P-256 (Osaka)",
  revoke: "revoke",
  setDirectiveFirst: "set the first directive",
  accessFirst: "a patient's first access",
  accessOneRecord: "access to one record, 10-step proof",
  accessOneRecordPastAMillion: "the same past 1,000,000 records, 10,000 grants",
  accessExtraRecord: "each further record of the call",
  accessScope: "access to a scope (an index, a whole chart)",
  supersede: "supersede",
  retract: "retract",
  enrolStaff: "enrol staff",
  publishKey: "publish a member key",
};

describe("docs/architecture.md", () => {
  for (const [figure, row] of Object.entries(ROWS)) {
    it(`says what it costs: ${row}`, () => {
      const cells = ARCHITECTURE.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
      const found = cells.find(([, name]) => name === row)?.[2];
      expect(found).to.equal(Math.round(SNAPSHOT[figure]!).toLocaleString("en-US"));
    });
  }

  it("says what others cost", () => {
    for (const peer of ["easAttest", "easMultiTimestampItem", "naiveRecord"]) {
      expect(ARCHITECTURE).to.include(Math.round(SNAPSHOT[peer]!).toLocaleString("en-US"));
    }
  });
});
