// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { printable } from "../src/printable.js";

describe("printable", () => {
  it("keeps letters of every script, marks and symbols", () => {
    for (const text of ["Krankenhaus Zürich 华东 بيت", "e\u0301 กำ้ Việt", "葛\u{E0100}城", "❤\uFE0F 5 µg"])
      expect(printable(text)).to.equal(text);
  });

  for (const [what, text] of Object.entries({
    "a bidirectional override": "a\u202Eb",
    "a bidirectional isolate": "a\u2066b",
    "the Arabic letter mark": "a\u061Cb",
    "a zero-width space": "a\u200Bb",
    "a zero-width joiner": "a\u200Db",
    "a word joiner": "a\u2060b",
    "a byte order mark": "a\uFEFFb",
    "a soft hyphen": "a\u00ADb",
    "a Hangul filler": "a\u3164b",
    "a grapheme joiner": "a\u034Fb",
    "an invisible tag letter": "a\u{E0041}b",
    "a lone surrogate": "a\uD800b",
    "a character of private use": "a\uE000b",
    "a line separator": "a\u2028b",
    "a line feed": "a\nb",
    "an escape": "a\u001Bb",
    "a C1 control": "a\u009Bb",
    "a NUL": "a\u0000b",
    DEL: "a\u007Fb",
  })) {
    it(`shows where ${what} stands`, () => {
      expect(printable(text)).to.equal("a\uFFFDb");
    });
  }

  it("leaves of a flood of marks what a letter can bear", () => {
    const flood = `a${"\u0301\u0316".repeat(10_000)}b`;
    expect(printable(flood)).to.equal("a\u0301\u0316\u0301\u0316\uFFFDb");
  });
});
