// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { disclosures, timeline, type Audit, type AuditEntry } from "../../src/audit/index.js";
import { columns, cut, wrap } from "../../src/audit/columns.js";
import { theStory, type Story } from "./two-hospitals.js";

describe("timeline", function () {
  this.timeout(60_000);
  let story: Story;
  let audit: Audit;

  before(async () => {
    story = await theStory();
    audit = await disclosures({ chain: story.hospitals.chain, patient: story.patientId });
  });

  const linesOf = (text: string) => text.trimEnd().split("\n");
  const eventLines = (text: string) => linesOf(text).filter((line) => /^\d{4}-\d\d-\d\dT/.test(line));

  it("opens with patient, custodian, period and verdict", () => {
    const { patientId } = story;
    const [title, period, block, verdict] = linesOf(timeline(audit));
    const short = `${patientId.slice(0, 6)}…${patientId.slice(-4)}`;
    expect(title).to.equal(`Disclosures of patient ${short}, kept by 1 St. Mary Hospital`);
    const end = new Date(audit.block.at * 1000).toISOString().replace(".000Z", "Z");
    expect(period).to.equal(`Period    the beginning to ${end}`);
    expect(block).to.match(
      new RegExp(`^Read      up to block ${audit.block.number} \\(0x[0-9a-f]{4}…[0-9a-f]{4}\\)`),
    );
    expect(verdict).to.equal(
      "COMPLETE  all 11 events that the chain counts are there, unaltered and in order",
    );
  });

  it("has one line an event, aligned, of at most 100 columns, in both languages", () => {
    for (const language of ["en", "zh"] as const) {
      const text = timeline(audit, { language });
      expect(eventLines(text), language).to.have.length(audit.entries.length);
      for (const line of linesOf(text)) expect(columns(line), line).to.be.at.most(100);
      const starts = eventLines(text).map((line) => {
        // Time, event and member take 20 + 10 + 16 columns and two gaps.
        let head = "";
        for (const character of line) {
          if (columns(head) >= 52) break;
          head += character;
        }
        return [columns(head), head.endsWith("  ") || head.at(-1) === " "];
      });
      for (const start of starts) expect(start).to.deep.equal([52, true]);
    }
  });

  it("puts each event in words", () => {
    const lines = eventLines(timeline(audit)).map((line) => line.slice(22).replace(/ {2,}/g, " | "));
    const account = story.hospitals.clinician.address.toLowerCase();
    const reader = `${account.slice(0, 6)}…${account.slice(-4)}`;
    expect(lines[0]).to.equal("enrolled | 1 St. Mary Hosp… | with a signer of his own");
    expect(lines[1]).to.match(
      /^grant \| 2 华东医院 \| TREAT\+CAREMGT, \d{4}-\d\d-\d\d\/\d{4}-\d\d-\d\d, all compa…$/,
    );
    expect(lines[2]).to.equal(`ACCESS | 2 华东医院 | TREAT, by ${reader}, index, all compartments`);
    expect(lines[4]).to.equal(`ACCESS | 2 华东医院 | CAREMGT, by ${reader}, records 1-2`);
    expect(lines[5]).to.match(new RegExp(`^ACCESS \\| 2 华东医院 \\| TREAT, by ${reader}, whole chart,`));
    expect(lines[6]).to.equal("amended | 1 St. Mary Hosp… | record 1 is amended by 3");
    expect(lines[7]).to.equal("retracted | 1 St. Mary Hosp… | record 2 was entered in error");
    expect(lines[8]).to.equal("directive | denies emergency access, denies compartments 5-6");
    expect(lines[9]).to.match(/^revoked \| 2 华东医院 \| terms 0x[0-9a-f]{4}…[0-9a-f]{4}$/);
  });

  it("shows what fits on a wider line", () => {
    const [, grant] = eventLines(timeline(audit, { width: 200 }));
    expect(grant).to.match(/all compartments, terms 0x[0-9a-f]{4}…[0-9a-f]{4}$/);
    const narrow = eventLines(timeline(audit, { width: 200 }))[3]!;
    expect(narrow).to.contain("HRESCH,").and.to.contain("compartments 5,7-8");
    expect(narrow).to.contain("records of 2020-01-01 to 2024-12-31");
  });

  it("says what a filter left out, and an empty list in words", async () => {
    const { hospitals, patientId } = story;
    const narrow = await disclosures({ chain: hospitals.chain, patient: patientId, to: new Date(0) });
    const text = timeline(narrow);
    expect(text).to.contain("Period    the beginning to 1970-01-01T00:00:00Z");
    expect(text).to.contain("Shown     0 of 11 events, by the filter; all 11 were checked");
    expect(text).to.contain("COMPLETE  all 11 events").and.to.contain("No events.");
    expect(timeline(narrow, { language: "zh" })).to.contain("没有事件。");
  });

  it("speaks Chinese", () => {
    const text = timeline(audit, { language: "zh" });
    expect(text).to.contain("的披露记录").and.to.contain("全部在列");
    expect(text).to.match(/查阅 +2 华东医院 +TREAT，查阅者 0x/);
    // Codes, names and ids stay; no English word does.
    const words = text
      .match(/[A-Za-z]{3,}/g)!
      .filter((word) => !/^(TREAT|CAREMGT|HRESCH|St|Mary|Hosp\w*)$/.test(word));
    expect(words.filter((word) => !/^(HYPERLINK|http|[0-9a-fx]+)$/i.test(word))).to.deep.equal([]);
  });

  it("uses the names of vault and journal where it has them", () => {
    const local = {
      compartments: { 5: "psychiatry" },
      records: { 1: "Discharge letter\n.pdf" },
      statements: {},
    };
    const text = timeline({ ...audit, local }, { width: 200 });
    expect(text).to.contain("compartments psychiatry 7 8");
    expect(text).to.contain("record 1 (Discharge letter\uFFFD.pdf) is amended by 3");
  });

  it("lets no member's name forge a line, hide text or colour the terminal", () => {
    const hostile = "Evil\n2026-01-01T00:00:00Z  revoked\u001B[2J\u202Egnp.exe\u200B";
    const text = timeline({ ...audit, members: { 1: hostile, 2: hostile } });
    expect(eventLines(text)).to.have.length(audit.entries.length);
    expect(text).not.to.match(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B\u202E]/);
    for (const line of linesOf(text)) expect(columns(line)).to.be.at.most(100);
  });

  it("writes times that no calendar has, such as a period without end, as the year 9999", () => {
    const far = audit.entries.map((entry): AuditEntry =>
      entry.kind === "grant-given" ? { ...entry, at: 2 ** 48 - 1, notAfter: 2 ** 48 - 1 } : entry,
    );
    expect(timeline({ ...audit, entries: far })).to.contain("9999-12-31T23:59:59Z  grant");
  });
});

describe("printable text", () => {
  it("counts East Asian characters as two columns and combining marks as none", () => {
    expect(columns("abc")).to.equal(3);
    expect(columns("华东医院")).to.equal(8);
    expect(columns("e\u0301")).to.equal(1);
    expect(columns("ＡＢ")).to.equal(4);
  });

  it("cuts between characters, never inside one", () => {
    expect(cut("abcdef", 6)).to.equal("abcdef");
    expect(cut("abcdefg", 6)).to.equal("abcde…");
    expect(cut("华东医院", 6)).to.equal("华东…");
    expect(cut("𠀀𠀀𠀀", 4)).to.equal("𠀀…");
  });

  it("wraps at spaces where there are any", () => {
    expect(wrap("one two three four", 9)).to.deep.equal(["one two", "three", "four"]);
    expect(wrap("abcdefghij", 4).join("")).to.equal("abcdefghij");
    expect(wrap("华东医院在上海", 6).join("")).to.equal("华东医院在上海");
    expect(wrap("short", 10)).to.deep.equal(["short"]);
  });
});
