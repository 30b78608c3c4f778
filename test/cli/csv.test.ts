// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCsv } from "../../src/cli/csv.js";
import { expectCode } from "../crypto/expect-code.js";

describe("readCsv", () => {
  const folder = mkdtempSync(join(tmpdir(), "chartseal-csv-"));
  const file = join(folder, "file.csv");
  after(() => rmSync(folder, { recursive: true }));

  const read = (text: string) => {
    writeFileSync(file, text);
    return readCsv(file, ["name", "roles", "notAfter"]);
  };

  it("reads quoted fields, quotes in them, line breaks in them, CRLF and a byte order mark", async () => {
    const rows = await read('\ufeffname,roles\r\n"Ng, ""Al""",OPERATOR\r\n"two\nlines",A;B\r\nlast,\r\n');
    expect(rows).to.deep.equal([
      { line: 2, fields: { name: 'Ng, "Al"', roles: "OPERATOR" } },
      { line: 3, fields: { name: "two\nlines", roles: "A;B" } },
      { line: 5, fields: { name: "last" } },
    ]);
  });

  it("leaves out empty lines and takes a last line without an end", async () => {
    expect(await read("name\n\na\n\n,\nb")).to.deep.equal([
      { line: 3, fields: { name: "a" } },
      { line: 6, fields: { name: "b" } },
    ]);
  });

  it("takes columns in any order and leaves out", async () => {
    expect(await read("notAfter,name\n2027-01-01,a\n")).to.deep.equal([
      { line: 2, fields: { notAfter: "2027-01-01", name: "a" } },
    ]);
  });

  for (const [what, text, part] of [
    ["an unknown column", "name,shoeSize\na,1", "header"],
    ["a header without its first column", "roles\nA", "header"],
    ["an empty file", "", "header"],
    ["more fields than the header", "name\na,b", "line 2"],
    ["a quote that stands wrong", 'name\nok\na"b', "line 3"],
    ["a quote that is not closed", 'name\n"a', "line 2"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await expectCode("ERR_USAGE", () => read(text));
      expect(error.message).to.contain(part);
    });
  }

  it("refuses a file that is not there", async () => {
    await expectCode("ERR_USAGE", () => readCsv(join(folder, "none.csv"), ["name"]));
  });
});
