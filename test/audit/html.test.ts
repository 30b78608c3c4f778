// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { HtmlValidate } from "html-validate";
import { disclosures, html, type Accounting, type Audit, type Report } from "../../src/audit/index.js";
import { threeHospitals, type ThreeHospitals } from "./three-hospitals.js";
import { CUSTODIAN, theStory, type Story } from "./two-hospitals.js";

const LANGUAGES = ["en", "zh"] as const;
const timeZone = "Asia/Shanghai";

describe("the printable report", function () {
  this.timeout(60_000);
  let story: Story;
  let audit: Audit;
  let s: ThreeHospitals;
  let emergency: Audit;
  let accounting: Accounting;

  before(async () => {
    story = await theStory();
    audit = await disclosures({ chain: story.hospitals.chain, patient: story.patientId });
    s = await threeHospitals();
    emergency = await s.a.audit.disclosures({ patient: s.patients.emergency });
    accounting = await s.a.audit.accounting({ subject: { member: s.b.memberId } });
  });

  const reports = (): Report[] => [audit, emergency, accounting, { ...audit, entries: [] }];
  /** As people read it. */
  const wordsOf = (text: string) =>
    text
      .replace(/<style>[^]*<\/style>/, "")
      .replaceAll(/<[^>]+>/g, " ")
      .replaceAll(/\s+/g, " ");

  it("is HTML without a fault, in both languages", async () => {
    const validator = new HtmlValidate({ extends: ["html-validate:recommended", "html-validate:document"] });
    for (const report of reports()) {
      for (const language of LANGUAGES) {
        const { results } = await validator.validateString(html(report, { language, timeZone }));
        const faults = results.flatMap(({ messages }) =>
          messages.map(({ ruleId, message }) => `${ruleId}: ${message}`),
        );
        expect([...new Set(faults)]).to.deep.equal([]);
      }
    }
  });

  it("runs nothing, fetches nothing, and allows only its own style", () => {
    for (const report of reports()) {
      const text = html(report, { timeZone });
      const tags = text.match(/<[^>]*>/g)!.join("");
      expect(tags).not.to.match(
        /<(script|img|link|iframe|object|form|a|base|svg)\b|\s(on\w+|src|href|style)=|https?:/i,
      );
      const [, style] = /<style>([^]*)<\/style>/.exec(text)!;
      expect(style).not.to.match(/url\(|@import|https?:/);
      const digest = createHash("sha256").update(style!).digest("base64");
      expect(text).to.contain(
        `content="default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;; form-action &#39;none&#39;; base-uri`,
      );
    }
  });

  it("says whose records, of whom, for which period, and whether all is there", () => {
    const words = wordsOf(html(audit, { timeZone }));
    expect(words)
      .to.contain(`Patient&#39;s pseudonym ${story.patientId}`)
      .and.to.contain(`Custodian 1 ${CUSTODIAN}`)
      .and.to.contain("Local time Asia/Shanghai")
      .and.to.contain("COMPLETE: all 11 events that the chain counts are there, unaltered and in order");
    for (const { head } of audit.heads) expect(words).to.contain(head);
  });

  it("gives each event its local time with the offset, and UTC", () => {
    const { at } = audit.entries[2]!;
    const utc = new Date(at * 1000).toISOString().replace(".000Z", "Z");
    const local = new Date((at + 8 * 3_600) * 1000)
      .toISOString()
      .replace("T", " ")
      .replace(".000Z", " +08:00");
    expect(wordsOf(html(audit, { timeZone }))).to.contain(`${local} ${utc}`);
    const india = new Date((at + 5.5 * 3_600) * 1000).toISOString().slice(11, 19);
    expect(wordsOf(html(audit, { timeZone: "Asia/Kolkata" }))).to.contain(`${india} +05:30 ${utc}`);
    expect(wordsOf(html(audit, { timeZone: "UTC" }))).to.contain(`+00:00 ${utc}`);
    expect(() => html(audit, { timeZone: "Mars/Olympus" })).to.throw("there is no time zone Mars/Olympus");
  });

  it("says of an access who, what, why and on whose consent", () => {
    const words = wordsOf(html(audit, { timeZone }));
    const account = story.hospitals.clinician.address.toLowerCase();
    expect(words).to.match(
      new RegExp(
        `ACCESS records 1, 2 2 华东医院 ${account} care management \\(CAREMGT\\) Consent of [-\\d]+, given by the patient`,
      ),
    );
  });

  it("shows of an emergency its two persons, justification, review and their digests", () => {
    const words = wordsOf(html(emergency, { timeZone }));
    const { emergency: state } = Object.values(emergency.grounds)[0]!;
    const officer = s.stage.officerB.address.toLowerCase();
    const short = (account: string) => `${account.slice(0, 6)}…${account.slice(-4)}`;
    expect(words)
      .to.contain(`by ${s.clinician} , ${s.colleague}`)
      .and.to.contain(`Reason: text not kept here; its digest is ${state!.reason}`)
      .and.to.match(/Justified [^,]+, by 0x[0-9a-f]{40} : text not kept here/)
      .and.to.contain(`justified by ${short(officer)}, terms`)
      .and.to.match(/Reviewed [^,]+: appropriate, by 0x/);
    const told = { ...emergency.local!, statements: { [state!.reason]: "unconscious, <b>no card</b>" } };
    expect(html({ ...emergency, local: told }, { timeZone })).to.contain(
      "Reason: unconscious, &lt;b&gt;no card&lt;/b&gt;",
    );
  });

  it("marks an emergency that nobody justified or reviewed", () => {
    const words = wordsOf(html(accounting, { timeZone }));
    expect(words).to.contain("Not justified Not reviewed");
    expect(words).to.contain("Emergency while the chain was down, filed late:");
    const overdue = structuredClone(accounting);
    for (const { grounds } of overdue.audits) {
      for (const { emergency: state } of Object.values(grounds)) if (state) state.overdue = true;
    }
    expect(wordsOf(html(overdue, { timeZone }))).to.contain("Not justified: justification overdue");
  });

  it("names the persons and the paper behind a witnessed consent or an order", () => {
    const access = audit.entries.find((entry) => entry.kind === "access")!;
    const ref = story.ticket.termsHash;
    const persons: [string, string] = [`0x${"01".repeat(20)}`, `0x${"02".repeat(20)}`];
    const paper = { at: access.at, persons, document: "17" };
    const witnessed = { ...audit, grounds: { [ref]: { ...paper, givenBy: "WITNESSES" as const } } };
    expect(wordsOf(html(witnessed, { timeZone }))).to.match(
      /given on paper by 0x(01){20} , 0x(02){20} document: entry 17 of the custodian/,
    );
    const ordered = { ...access, basis: "LEGAL_ORDER" as const, basisRef: ref };
    const order = { ...audit, entries: [ordered], grounds: { [ref]: paper } };
    expect(wordsOf(html(order, { timeZone }))).to.match(/Legal order, entered [-\d]+ by 0x(01){20}/);
    expect(wordsOf(html(order, { timeZone, language: "zh" }))).to.contain("法律命令");
  });

  it("marks what was read under a key since it was compromised", () => {
    const entries = audit.entries.map((entry) =>
      entry.kind === "access"
        ? { ...entry, suspects: [{ role: "READER" as const, account: entry.reader, since: 1 }] }
        : entry,
    );
    const words = wordsOf(html({ ...audit, entries }, { timeZone }));
    expect(words).to.match(/SUSPECT: key of reader 0x[0-9a-f]{40} compromised since 1970-01-01/);
  });

  it("says that it is not complete, and which head differs", () => {
    const heads = audit.heads.map((head) =>
      head.registry === "AccessLog"
        ? { ...head, complete: false, finding: "MISSING" as const, events: 2 }
        : head,
    );
    const text = html({ ...audit, complete: false, heads }, { timeZone });
    expect(text).to.contain('class="verdict incomplete"');
    expect(wordsOf(text)).to.contain("INCOMPLETE: what this node shows").and.to.contain("one is missing");
  });

  it("names own patients and others' pseudonyms in an accounting, each event with its patient", () => {
    const words = wordsOf(html(accounting, { timeZone }));
    expect(words).to.contain("fhir:Patient|consented-1").and.to.contain(s.patients.elsewhere);
    expect(words).to.contain("Not proven:");
    expect(words).not.to.contain("elsewhere-1");
  });

  it("speaks Chinese, and says so to the browser", () => {
    const text = html(accounting, { language: "zh", timeZone });
    expect(text).to.contain('<html lang="zh-CN">');
    const words = wordsOf(text).match(/[A-Za-z]{4,}/g)!;
    const codes =
      /^(TREAT|BTG|[A-Z][a-z]+(Registry|Glass|Log|Orders)|Asia|Shanghai|fhir|Patient|consented|emergency|offline)$/;
    const commands = /^(chartseal|audit|member|patient|verify|FILE|FHIR|NDJSON|headOf|x?[a-f]+)$/;
    expect(words.filter((word) => !codes.test(word) && !commands.test(word))).to.deep.equal([]);
  });

  it("lets no stranger's text become markup or change a line of it", () => {
    const tags = (text: string) => text.match(/<[^>]*>/g);
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "</td><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</title></style><svg/onload=alert(1)>",
        "<!--",
        "]]>",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "\u202E<b>\u0000",
      ),
      fc.tuple(fc.constantFrom("<", "</", "&", '"', "<!"), fc.string()).map((parts) => parts.join("")),
    );
    const withText = (text: string): Report => {
      const { emergency: state } = Object.values(emergency.grounds)[0]!;
      const entries = emergency.entries.map((entry) =>
        entry.kind === "access" ? { ...entry, extent: "RECORDS" as const, indices: [1] } : entry,
      );
      const other = { ...entries[0]!, kind: "other" as const, event: text };
      const local = {
        patient: text,
        compartments: { 5: text },
        records: { 1: text },
        statements: { [state!.reason]: text },
      };
      const filled = { ...emergency, entries: [...entries, other], local, members: { 1: text, 2: text } };
      return { ...accounting, members: filled.members, audits: [filled] };
    };
    const expected = tags(html(withText("x"), { timeZone }));
    fc.assert(
      fc.property(hostile, (text) => {
        for (const language of LANGUAGES) {
          const found = tags(html(withText(text), { timeZone, language }));
          const own = language === "en" ? expected : tags(html(withText("x"), { timeZone, language }));
          expect(found).to.deep.equal(own);
        }
      }),
    );
  });
});
