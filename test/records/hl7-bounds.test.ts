// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readHl7 } from "../../src/records/hl7.js";
import { MOST_REPETITIONS, MOST_SEGMENTS, MOST_VALUE_LENGTH } from "../../src/records/hl7-text.js";
import { message, pid, report } from "../support/hl7.js";
import { errorOf } from "./error-of.js";

const MIB = 1_048_576;
const read = (text: string) => readHl7(Buffer.from(text, "latin1"));
const ids = (count: number) => Array.from({ length: count }, (_, at) => `m${at}`);

describe("An HL7 v2 message of more parts than anybody needs", () => {
  for (const [what, text, limit] of [
    ["16 Mi components of one identifier", () => `PID|1||${"^".repeat(16 * MIB)}`, MOST_VALUE_LENGTH],
    ["16 Mi sub-components", () => `PID|1||1^^^${"&".repeat(16 * MIB)}`, MOST_VALUE_LENGTH],
    ["16 Mi escapes", () => `PID|1||${"\\".repeat(16 * MIB)}`, MOST_VALUE_LENGTH],
    ["16 Mi empty repetitions", () => `PID|1||${"~".repeat(16 * MIB)}`, MOST_REPETITIONS],
    ["8 Mi identifiers", () => `PID|1||${"1~".repeat(8 * MIB)}`, MOST_REPETITIONS],
    ["identifiers of many persons", () => "PID|1||1~2~3\r".repeat(MOST_REPETITIONS / 2), MOST_REPETITIONS],
    ["8 Mi segments", () => "X\r".repeat(8 * MIB), MOST_SEGMENTS],
  ] as const) {
    it(`is refused for ${what}`, () => {
      const error = errorOf(() => read(message("ORU^R01", "1", text())));
      expect([error.code, error.values["limit"]]).to.deep.equal(["ERR_ITEM_INVALID", limit]);
    });
  }

  it("is refused for merges that name one patient's identifiers again and again", () => {
    const merges = Array.from({ length: MOST_REPETITIONS / 10 }, () => "MRG|d");
    const error = errorOf(() => read(message("ADT^A40", "1", pid(...ids(20)), ...merges)));
    expect(error.values["limit"]).to.equal(MOST_REPETITIONS);
  });

  it("is read up to the limits", () => {
    const many = read(message("ORU^R01", "1", pid(...ids(MOST_REPETITIONS))));
    expect(many.subjects[0]).to.have.lengthOf(MOST_REPETITIONS);
    const long = "9".repeat(MOST_VALUE_LENGTH);
    expect(read(message("ORU^R01", "1", `PID|1||${long}`)).subjects[0]?.[0]?.value).to.equal(long);
    const segments = Array.from({ length: MOST_SEGMENTS - 1 }, (_, at) => `OBX|${at}|NM|R||5||||||F`);
    expect(read(message("ORU^R01", "1", ...segments)).event).to.equal(undefined);
  });

  it("may have what it likes where nobody looks: a document of 10 MiB, 16 Mi fields, an empty status", () => {
    const base64 = "QUJD".repeat((10 * MIB) / 4);
    const facts = read(report("1", "p", "F1", [`^^PDF^Base64^${base64}`, "F"], ["^~&\\".repeat(MIB), "W"]));
    expect(facts).to.deep.include({
      sourceKey: "GH/OBR-3/F1^LAB",
      subjects: [[{ system: "GH", value: "p" }]],
      event: { kind: "withdraw", itself: false },
    });
    const fields = read(message("ORU^R01", "1", `${pid("p")}${"|".repeat(16 * MIB)}`));
    expect(fields.subjects[0]?.[0]?.value).to.equal("p");
    const empty = read(
      message("ORU^R01", "1", pid("p"), "OBR|1||F1", `OBX|1||||||||||${"~".repeat(16 * MIB)}W`),
    );
    expect(empty.event?.kind).to.equal("withdraw");
  });
});
