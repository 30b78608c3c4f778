// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { readHl7 } from "../../src/records/hl7.js";
import { document, message, pid, report } from "../support/hl7.js";

const read = (text: string) => readHl7(Buffer.from(text, "latin1"));
const gh = (value: string) => [{ system: "GH", value }];

describe("What follows of an HL7 v2 message", () => {
  it("is nothing for a result, a corrected one, a document or an update of a patient", () => {
    const plain = [
      report("1", "p", "F1", ["5.1", "F"]),
      report("2", "p", "F1", ["5.2", "C"]),
      document("T02", "3", "p", "D1"),
      document("T08", "4", "p", "D1"),
      message("ADT^A08", "5", "EVN|A08", pid("p", "p2")),
    ];
    for (const text of plain) {
      expect(read(text)).not.to.have.any.keys("event", "replaces", "administrative");
      expect(read(text).subjects).to.have.lengthOf(1);
    }
  });

  it("is a withdrawal of the report when all its results are deleted or wrong", () => {
    for (const statuses of [["D"], ["W"], ["D", "w"]]) {
      const facts = read(
        report("1", "p", "F1", ...statuses.map((status): [string, string] => ["5.1", status])),
      );
      expect(facts).to.deep.include({
        sourceKey: "GH/OBR-3/F1^LAB",
        event: { kind: "withdraw", itself: true },
      });
    }
  });

  it("is a withdrawal of what was reported before when one result was wrong, but not when one is deleted", () => {
    expect(read(report("1", "p", "F1", ["5.1", "F"], ["5.2", "W"])).event).to.deep.equal({
      kind: "withdraw",
      itself: false,
    });
    expect(read(report("1", "p", "F1", ["5.1", "F"], ["5.2", "D"])).event).to.equal(undefined);
  });

  it("is a withdrawal also of what was known by its numbers as they stand", () => {
    const facts = read(
      message(
        "ORU^R01",
        "1",
        pid("p"),
        "OBR|1||F2",
        "OBX|1|NM|R||5||||||W",
        "OBR|2||F1",
        "OBX|2|NM|R||5||||||W",
      ),
    );
    expect(facts).to.deep.include({
      sourceKey: "GH/OBR-3/F1+F2",
      event: { kind: "withdraw", itself: true, formerKeys: ["GH/OBR-3/F2+F1"] },
    });
  });

  it("is for a person to say where no number tells what is withdrawn", () => {
    expect(read(report("1", "p", "", ["5.1", "W"]).replace("OBR|1||^LAB", "OBR|1||")).event).to.deep.equal({
      kind: "ask",
    });
    expect(read(document("T11", "1", "p", "")).event).to.deep.equal({ kind: "ask" });
  });

  it("is a cancelled document for MDM T11, and for T10 the one that takes the place of its parent", () => {
    expect(read(document("T11", "1", "p", "D1"))).to.deep.include({
      sourceKey: "GH/TXA-12/D1",
      event: { kind: "withdraw", itself: true },
    });
    expect(read(document("T10", "1", "p", "D2", "D1"))).to.deep.include({
      sourceKey: "GH/TXA-12/D2",
      replaces: ["GH/TXA-12/D1"],
    });
    expect(read(document("T06", "1", "p", "D2", "D1")).replaces, "an addendum stands beside").to.equal(
      undefined,
    );
  });

  it("is a merge of each PID with its MRG for A40, in no one's chart", () => {
    const facts = read(
      message(
        "ADT^A40^ADT_A39",
        "1",
        "EVN|A40",
        pid("s1"),
        "PD1|",
        "MRG|d1^^^GH~d2^^^GH",
        pid("s2"),
        "MRG|d3^^^GH",
      ),
    );
    expect(facts.event).to.deep.equal({
      kind: "merge",
      pairs: [
        { from: [...gh("d1"), ...gh("d2")], into: gh("s1") },
        { from: gh("d3"), into: gh("s2") },
      ],
    });
    expect(facts).to.deep.include({ administrative: true, subjects: [] });
    expect(read(message("ADT", "1", "EVN|A34", pid("s"), "MRG|d^^^GH")).event?.kind).to.equal("merge");
  });

  it("is a link or its end for A24 and A37, and a question for what moves identifiers or accounts", () => {
    const two = [pid("one"), "PV1||O", pid("two"), "PV1||O"];
    const pairs = [{ from: gh("two"), into: gh("one") }];
    expect(read(message("ADT^A24", "1", ...two)).event).to.deep.equal({ kind: "merge", pairs });
    expect(read(message("ADT^A37", "1", ...two)).event).to.deep.equal({ kind: "unlink", pairs });
    expect(read(message("ADT^A37", "1", pid("one"))).event).to.deep.equal({ kind: "ask" });
    for (const trigger of ["A43", "A44", "A47"]) {
      const facts = read(message(`ADT^${trigger}`, "1", pid("one"), "MRG|two^^^GH"));
      expect(facts).to.deep.include({ event: { kind: "ask" }, administrative: true, subjects: [] });
    }
  });

  it("is read of any message without an error", () => {
    const parts = [
      "|",
      "^",
      "~",
      "&",
      "\r",
      "PID|",
      "MRG|",
      "OBX|",
      "TXA|",
      "OBR|",
      "ORU^R01",
      "A40",
      "W",
      "D",
      "1",
      "\\",
    ];
    fc.assert(
      fc.property(
        fc.constantFrom("ADT^A40", "ADT^A37", "ORU^R01", "MDM^T11", "MDM^T10", "ADT"),
        fc.array(fc.constantFrom(...parts), { maxLength: 50 }),
        (type, list) => {
          const { event } = read(`MSH|^~\\&|A|B|||2024||${type}|1\r${list.join("")}`);
          if (event?.kind === "merge")
            for (const { from, into } of event.pairs) expect([...from, ...into]).to.be.an("array");
        },
      ),
    );
  });
});
