// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { KNOWN_ENCODINGS } from "../../src/records/hl7-encoding.js";
import { readHl7 } from "../../src/records/hl7.js";
import { errorOf } from "./error-of.js";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const message = (...segments: string[]) => [...segments, ""].join("\r");
const MSH = "MSH|^~\\&|LAB|GH|||20240506071500+0800||ORU^R01|1|P|2.5";
const of = (...segments: string[]) => readHl7(latin1(message(MSH, ...segments)));

describe("The metadata of an HL7 v2 message", () => {
  it("names the patient by each identifier, under its assigning authority's names", () => {
    const { subjects } = of("PID|1||123^^^GH&2.16.840.1&ISO^MR~9^^^&e7ab&UUID~77^^^SSA~12");
    expect(subjects).to.deep.equal([
      [
        { system: "urn:oid:2.16.840.1", value: "123" },
        { system: "GH", value: "123" },
        { system: "urn:uuid:e7ab", value: "9" },
        { system: "SSA", value: "77" },
        { system: "GH", value: "12" },
      ],
    ]);
  });

  it("names every person of several PID segments, and nobody where there is none or HL7's null", () => {
    expect(of("PID|1||1^^^A", "OBR|1", "PID|2||2^^^A").subjects.map((refs) => refs[0]?.value)).to.deep.equal([
      "1",
      "2",
    ]);
    expect(of("OBR|1").subjects).to.deep.equal([]);
    expect(of('PID|1|7|""').subjects).to.deep.equal([[{ system: "GH", value: "7" }]]);
  });

  it("reads other delimiters, and escaped ones in identifiers", () => {
    const other = readHl7(latin1(message("MSH$%!/@$LAB$GH$$$2024$$ADT$1", "PID$1$$1%%%A@1.2@ISO!2%%%B")));
    expect(other.subjects).to.deep.equal([
      [
        { system: "urn:oid:1.2", value: "1" },
        { system: "A", value: "1" },
        { system: "B", value: "2" },
      ],
    ]);
    const escaped = of("PID|1||a\\S\\b\\T\\c\\F\\d\\R\\e\\E\\f\\X41\\\\.br\\^^^A");
    expect(escaped.subjects[0]?.[0]?.value).to.equal("a^b&c|d~e\\fA\\.br\\");
    expect(readHl7(latin1(message("MSH|^~|LAB|GH", "PID|1||1\\F\\^^^A"))).subjects[0]?.[0]?.value).to.equal(
      "1\\F\\",
    );
  });

  it("is decoded as MSH-18 says before it is split: a byte of a Chinese character may be a delimiter", () => {
    // 峾 is 0x8D 0x7C in GBK and GB18030: its second byte is "|".
    const name = Buffer.from([0x8d, 0x7c]);
    const bytes = Buffer.concat([
      latin1(`${MSH}||||||GB 18030-2000\rTXA|1||||||||9^`),
      name,
      latin1("^^|||DOC7\rPID|1||5^^^"),
      name,
      latin1("\r"),
    ]);
    const facts = readHl7(bytes);
    expect(facts).to.include({ encoding: "gb18030", author: "峾", sourceKey: "GH/TXA-12/DOC7" });
    expect(facts.subjects).to.deep.equal([[{ system: "峾", value: "5" }]]);
  });

  describe("in GB18030, with a name in its header whose second byte is the field separator", () => {
    // 東 is 0x96 0x7C; so are 軀, 質 and 銃 written, with other first bytes.
    const EAST = "\x96\x7c";
    const east = (type: string, ...segments: string[]) => {
      const header = `MSH|^~\\&|LAB|${EAST}|||2024||${type}|1|P|2.5||||||GB 18030-2000`;
      return readHl7(latin1(message(header, ...segments)));
    };
    const own = (value: string) => [{ system: "東", value }];

    it("has its type, and what follows of it", () => {
      const merge = east("ADT^A40", "PID|1||s", "MRG|d");
      expect(merge.event).to.deep.equal({ kind: "merge", pairs: [{ from: own("d"), into: own("s") }] });
      expect(merge).to.deep.include({ subjects: [], administrative: true, encoding: "gb18030" });
      const wrong = east("ORU^R01", "PID|1||p", "OBR|1||F1^LAB", "OBX|1|NM|R||5||||||W");
      expect(wrong.event).to.deep.equal({ kind: "withdraw", itself: true });
      const cancelled = east("MDM^T11", "PID|1||p", "TXA|1|||||||||||D1");
      expect(cancelled).to.deep.include({
        event: { kind: "withdraw", itself: true },
        sourceKey: "東/TXA-12/D1",
      });
    });

    it("has its facility in its key, and in its patient's identifier", () => {
      expect(east("ORU^R01", "PID|1||p", "OBR|1||F1^LAB")).to.deep.include({
        sourceKey: "東/OBR-3/F1^LAB",
        subjects: [own("p")],
      });
    });
  });

  it("keeps the key that it had, in UTF-8 and GB18030", () => {
    const keyOf = (code: string, facility: Uint8Array) => {
      const [head, tail] = `MSH|^~\\&|A|@|||2024||ORU|1|P|2.5||||||${code}\rOBR|1||F1\r`.split("@");
      return readHl7(Buffer.concat([latin1(head!), facility, latin1(tail!)])).sourceKey;
    };
    expect(keyOf("UNICODE UTF-8", Buffer.from("醫院"))).to.equal("醫院/OBR-3/F1");
    expect(keyOf("GB18030", Buffer.from([0xd2, 0xbd, 0xd4, 0xba]))).to.equal("医院/OBR-3/F1");
    expect(keyOf("", Buffer.from("é", "latin1"))).to.equal("é/OBR-3/F1");
    expect(keyOf("~ISO IR87", latin1("\x1b$B;{\x1b(B"))).to.equal("寺/OBR-3/F1");
  });

  it("can be decoded in every encoding that is known by name; ISO 8859-12 is none", () => {
    for (const code of KNOWN_ENCODINGS) {
      const facts = readHl7(latin1(message(`MSH|^~\\&|A|B|||2024||ADT|1|P|2.5||||||${code}`)));
      expect(facts.encoding, code).to.be.a("string");
    }
    const unknown = readHl7(latin1(message("MSH|^~\\&|A|B|||2024||ADT|1|P|2.5||||||8859/12")));
    expect(unknown).to.include({ encoding: undefined, sourceKey: "B/MSH-10/1@2024" });
  });

  it("names the encoding as the web does, or not at all", () => {
    const encodingOf = (code: string) =>
      readHl7(latin1(message(`MSH|^~\\&|A|B|||2024||ADT|1|P|2.5||||||${code}`))).encoding;
    expect(
      ["UNICODE UTF-8", "8859/1", "GB18030", "", "CNS 11643-1992", "8859/1~UNICODE UTF-8"].map(encodingOf),
    ).to.deep.equal(["utf-8", "iso-8859-1", "gb18030", undefined, undefined, "iso-8859-1"]);
  });

  it("is dated by what it reports, in FHIR's form", () => {
    const dateOf = (dtm: string) => of(`OBR|1|||||| ${dtm}`.replace("| ", "|")).recordedAt;
    const own = "2024-05-06T07:15:00+08:00";
    expect(
      [
        "2001",
        "200102",
        "20010203",
        "2001020304",
        "200102030405",
        "200102030405+0800",
        "20010203040506.7+0000",
      ].map(dateOf),
    ).to.deep.equal([
      "2001",
      "2001-02",
      "2001-02-03",
      "2001-02-03",
      "2001-02-03",
      "2001-02-03T04:05:00+08:00",
      "2001-02-03T04:05:06.7+00:00",
    ]);
    // What is no date gives way to the message's own.
    expect(["", "20010231", "20011301", "200113", "20010331605", "yesterday"].map(dateOf)).to.deep.equal(
      Array.from({ length: 6 }, () => own),
    );
  });

  it("amends what has the same facility and document or filler number, and nothing by a control id used again", () => {
    expect(of("OBR|1||F1^LAB", "OBX|1", "OBR|2||F2").sourceKey).to.equal("GH/OBR-3/F1^LAB+F2");
    const other = of("OBR|1||F2", "OBX|1", "OBR|2||F1^LAB", "OBR|3||F2");
    expect(other.sourceKey, "in whichever order").to.equal("GH/OBR-3/F1^LAB+F2");
    expect(other.replaces, "as it was known before").to.deep.equal(["GH/OBR-3/F2+F1^LAB"]);
    expect(of("OBR|1||F1^LAB", "OBR|2||F2")).not.to.have.property("replaces");
    expect(of("OBR|1||F1", "OBR|2||").sourceKey).to.equal("GH/MSH-10/1@20240506071500+0800");
    expect(of("OBR|1||F1", "TXA|1|||||||||||D1").sourceKey).to.equal("GH/TXA-12/D1");
    expect(readHl7(latin1("MSH|^~\\&")).sourceKey).to.equal(undefined);
  });

  it("is read from any bytes that begin with MSH, and refused of others", () => {
    const parts = [
      "|",
      "^",
      "~",
      "\\",
      "&",
      "\r",
      "\n",
      "PID",
      "OBR",
      "MSH",
      '""',
      "1",
      "\u00e9",
      "X0",
      "TXA",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 60 }), (list) => {
        const facts = readHl7(latin1(`MSH|^~\\&${list.join("")}`));
        for (const refs of facts.subjects) for (const { value } of refs) expect(value).not.to.equal("");
      }),
    );
    for (const text of ["", "MSH", "MSHx", "PID|1", "\u000bMSH|^~\\&", "M\0S\0H\0|\0"]) {
      expect(errorOf(() => readHl7(latin1(text))).code).to.equal("ERR_ITEM_INVALID");
    }
  });
});
