// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { readCda } from "../../src/records/cda.js";
import { scanXml } from "../../src/records/xml-head.js";
import { ChartsealError } from "../../src/errors.js";
import { clinicalDocument } from "../support/cda.js";

const read = (text: string, encoding: BufferEncoding = "utf8") => readCda(Buffer.from(text, encoding));

describe("The header of a CDA document", () => {
  it("says its set of versions, time, author and whose it is", () => {
    expect(read(clinicalDocument())).to.deep.equal({
      sourceKey: "CDA/setId/2.999.1.7|set-1",
      replaces: undefined,
      encoding: "utf-8",
      recordedAt: "2024-05-06T07:15:00+08:00",
      author: "Ben Doctor",
      subjects: [
        [
          { system: "urn:oid:2.999.1.4", value: "p" },
          { system: "urn:ietf:rfc:3986", value: "urn:uuid:5f3c7c1e-6a53-4f4a-9d9a-0d6a3e3e7a11" },
        ],
      ],
    });
  });

  it("is known by its id where it has no set, and names what it takes the place of", () => {
    const alone = read(clinicalDocument({ setId: "", id: `<id root="2.999.1.9"/>` }));
    expect(alone).to.include({ sourceKey: "CDA/id/2.999.1.9", replaces: undefined });
    const parent = `<parentDocument><id root="2.999.1.6" extension="d0"/><setId root="2.999.1.7" extension="set-0"/></parentDocument>`;
    const related = (type: string) => `<relatedDocument typeCode="${type}">${parent}</relatedDocument>`;
    expect(read(clinicalDocument({ related: related("RPLC") }))?.replaces).to.deep.equal([
      "CDA/id/2.999.1.6|d0",
      "CDA/setId/2.999.1.7|set-0",
    ]);
    expect(read(clinicalDocument({ related: related("APND") }))?.replaces).to.equal(undefined);
  });

  it("is told by its namespace, under any prefix, not by names", () => {
    const prefixed = clinicalDocument()
      .replaceAll(/<(\/?)(?=[A-Za-z])/g, "<$1cda:")
      .replace("xmlns=", "xmlns:cda=");
    expect(read(prefixed)).to.deep.equal(read(clinicalDocument()));
    expect(read(clinicalDocument().replace("urn:hl7-org:v3", "urn:example:other"))).to.equal(undefined);
    expect(read(`<a xmlns="urn:hl7-org:v3"><ClinicalDocument/></a>`)).to.equal(undefined);
    const foreign = clinicalDocument({
      id: `<x:id xmlns:x="urn:x" root="2.999.0"/><id root="2.999.2"/>`,
      setId: "",
    });
    expect(read(foreign)?.sourceKey).to.equal("CDA/id/2.999.2");
  });

  it("names every person of several record targets, and one without an identifier as somebody unknown", () => {
    const target = (id: string) => `<recordTarget><patientRole>${id}</patientRole></recordTarget>`;
    const two = target(`<id root="2.999.1.4" extension="p"/>`) + target(`<id nullFlavor="UNK"/>`);
    expect(read(clinicalDocument({ target: two }))?.subjects).to.deep.equal([
      [{ system: "urn:oid:2.999.1.4", value: "p" }],
      [],
    ]);
  });

  it("is read in the encoding that it names", () => {
    const chinese = clinicalDocument({ author: "<given>三</given><family>张</family>" });
    const gb = Buffer.concat(
      chinese
        .replace('encoding="UTF-8"', 'encoding="GB18030"')
        .split(/(三|张)/)
        .map((part) =>
          part === "三"
            ? Buffer.from([0xc8, 0xfd])
            : part === "张"
              ? Buffer.from([0xd5, 0xc5])
              : Buffer.from(part),
        ),
    );
    expect(readCda(gb)).to.include({ author: "三 张", encoding: "gb18030" });
    expect(read(`\ufeff${chinese}`, "utf16le")).to.include({ author: "三 张", encoding: "utf-16le" });
    expect(read(`\ufeff${chinese}`)).to.include({ author: "三 张", encoding: "utf-8" });
    expect(readCda(gb.subarray(0, 40)), "cut").to.equal(undefined);
    expect(read(chinese.replace("UTF-8", "none-such"))).to.equal(undefined);
    expect(read(clinicalDocument({ author: "<given>\xe9</given>" }), "latin1"), "not UTF-8").to.equal(
      undefined,
    );
  });

  it("is left alone with a document type: nothing is expanded and nothing fetched", () => {
    const entity = `<!DOCTYPE ClinicalDocument [<!ENTITY x SYSTEM "file:///etc/passwd">]>`;
    expect(read(clinicalDocument().replace("<ClinicalDocument", `${entity}<ClinicalDocument`))).to.equal(
      undefined,
    );
    expect(read(clinicalDocument({ author: "<given>&x;</given>" }))).to.equal(undefined);
    expect(read(clinicalDocument({ author: "<given>A&amp;B &#x4e09;</given>" }))?.author).to.equal("A&B 三");
  });

  it("that does not end within what is read is left alone, for it may name another patient", () => {
    expect(read(clinicalDocument({ author: `<given>${"x".repeat(300_000)}</given>` }))).to.equal(undefined);
    const whole = clinicalDocument();
    for (let cut = 0; cut < whole.indexOf("<component"); cut += 13)
      expect(read(whole.slice(0, cut))).to.equal(undefined);
  });

  it("with a body of any size and content is read to where the body begins", () => {
    const body = clinicalDocument({ body: `<structuredBody>${"<x>".repeat(500)}& not XML` });
    expect(read(body)?.sourceKey).to.equal("CDA/setId/2.999.1.7|set-1");
  });

  it("never is an error, whatever the bytes", () => {
    const whole = Buffer.from(clinicalDocument());
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }), (at, bytes) => {
        const damaged = Buffer.from(whole);
        damaged.set(bytes.subarray(0, whole.length - at), at);
        const facts = readCda(damaged);
        if (facts !== undefined) expect(facts.sourceKey).to.match(/^CDA\//);
      }),
    );
    const parts = [
      "<",
      ">",
      "/",
      "a",
      ":",
      "=",
      '"',
      "'",
      "&",
      ";",
      "#",
      " ",
      "xmlns",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<?",
      "?>",
      "<a>",
      "</a>",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 40 }), (list) => {
        try {
          let open = 0;
          for (const { kind } of scanXml(list.join(""))) {
            open += kind === "start" ? 1 : kind === "end" ? -1 : 0;
            expect(open).to.be.within(0, 64);
          }
        } catch (error) {
          if (!(error instanceof ChartsealError)) throw error;
          expect(error.code).to.equal("ERR_ITEM_INVALID");
        }
      }),
    );
  });

  it("is read in a moment, also where it was made to be slow", () => {
    const slow = [
      `<ClinicalDocument ${"a ".repeat(100_000)}`,
      `<ClinicalDocument ${'a="" '.repeat(50_000)}`,
      `<ClinicalDocument ${"a:".repeat(100_000)}`,
      `<ClinicalDocument>${"<a>".repeat(80_000)}`,
      `<ClinicalDocument>${"&".repeat(200_000)}`,
      `<ClinicalDocument${" ".repeat(250_000)}`,
    ];
    const started = performance.now();
    for (const text of slow) expect(read(text)).to.equal(undefined);
    expect(performance.now() - started).to.be.lessThan(5_000);
  });
});
