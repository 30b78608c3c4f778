// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { acknowledge, type Verdict } from "../../src/listen/acknowledge.js";
import { readHl7, readHl7Header } from "../../src/records/index.js";
import { Ack } from "../support/mllp-client.js";

const TAKEN: Verdict = { code: "A" };
const FAULTY: Verdict = { code: "E", error: "ERR_ITEM_INVALID" };
const LATER: Verdict = { code: "R", error: "ERR_STORE_FULL" };

function answersTo(message: string | Uint8Array, verdict: Verdict): Ack[] {
  const sender = readHl7Header(Buffer.from(message as string, "latin1"));
  return acknowledge(sender, verdict).map((bytes) => new Ack(Buffer.from(bytes).toString("latin1")));
}

function header(changes: Record<number, string> = {}): string {
  const fields = ["|", "^~\\&", "LAB", "HARBOUR", "EHR", "NORTH", "20240506", "", "ORU^R01^ORU_R01", "4711"];
  const all = [...fields, "P", "2.5.1", "", "", "", "", "", ""];
  for (const [number, value] of Object.entries(changes)) all[Number(number) - 1] = value;
  return `MSH|${all.slice(1).join("|")}\rPID|1||secret\r`;
}

describe("An acknowledgement of HL7 v2", () => {
  it("gives sender and receiver back the other way round, with the message's number, version and mode", () => {
    const [ack] = answersTo(header(), TAKEN);
    const fields = [3, 4, 5, 6].map((number) => ack!.field("MSH", number));
    expect(fields).to.deep.equal(["EHR", "NORTH", "LAB", "HARBOUR"]);
    expect(ack!.field("MSH", 9)).to.equal("ACK^R01^ACK");
    expect(ack!.field("MSH", 10)).to.match(/^[0-9a-f]{20}$/);
    expect([ack!.field("MSH", 11), ack!.field("MSH", 12)]).to.deep.equal(["P", "2.5.1"]);
    expect([ack!.code, ack!.field("MSA", 2)]).to.deep.equal(["AA", "4711"]);
    expect(ack!.text).not.to.contain("ERR");
    expect(ack!.text.endsWith("\r")).to.equal(true);
  });

  it("says why with a code, and nothing of the message", () => {
    const [faulty] = answersTo(header(), FAULTY);
    expect(faulty!.code).to.equal("AE");
    expect(faulty!.field("ERR", 3)).to.equal("100^Segment sequence error^HL70357");
    expect([faulty!.field("ERR", 4), faulty!.error]).to.deep.equal(["E", "ERR_ITEM_INVALID"]);
    const [later] = answersTo(header(), LATER);
    expect([later!.code, later!.error]).to.deep.equal(["AR", "ERR_STORE_FULL"]);
    expect(faulty!.text + later!.text).not.to.contain("secret");
  });

  it("writes the error as versions before 2.5 have it", () => {
    const [ack] = answersTo(header({ 12: "2.3" }), FAULTY);
    expect(ack!.field("ERR", 1)).to.equal("MSH^1^^100&Segment sequence error&HL70357&ERR_ITEM_INVALID");
    expect(ack!.field("MSA", 3)).to.equal("ERR_ITEM_INVALID");
    expect(ack!.field("MSH", 9)).to.equal("ACK^R01");
  });

  for (const [accept, application, taken, faulty, later] of [
    ["AL", "NE", ["CA"], ["CE"], ["CR"]],
    ["AL", "AL", ["CA", "AA"], ["CE"], ["CR"]],
    ["NE", "AL", ["AA"], ["AE"], ["AR"]],
    ["", "AL", ["AA"], ["AE"], ["AR"]],
    ["AL", "", ["CA"], ["CE"], ["CR"]],
    ["ER", "NE", [], ["CE"], ["CR"]],
    ["SU", "NE", ["CA"], [], []],
    ["SU", "ER", ["CA"], ["AE"], ["AR"]],
    ["NE", "NE", [], [], []],
    ["ER", "SU", ["AA"], ["CE"], ["CR"]],
    ["??", "NE", ["CA"], ["CE"], ["CR"]],
  ] as const) {
    it(`comes as MSH-15 ${accept || "(empty)"} and MSH-16 ${application || "(empty)"} want it`, () => {
      const codes = (verdict: Verdict) =>
        answersTo(header({ 15: accept, 16: application }), verdict).map(({ code }) => code);
      expect([codes(TAKEN), codes(FAULTY), codes(LATER)]).to.deep.equal([taken, faulty, later]);
    });
  }

  it("uses the sender's delimiters", () => {
    const [ack] = answersTo("MSH#*~\\&#LAB#HARBOUR#EHR#NORTH#1##ADT*A01#9#P#2.6\r", FAULTY);
    expect(ack!.text).to.match(/^MSH#\*~\\&#EHR#NORTH#LAB#HARBOUR#/);
    expect(ack!.field("MSH", 9)).to.equal("ACK*A01*ACK");
    expect(ack!.field("ERR", 3)).to.equal("100*Segment sequence error*HL70357");
  });

  it("gives a name in GB18030 back byte for byte, also where half a character looks like a delimiter", () => {
    // In GB18030 80 7C-like trail bytes exist: 亅 is 81 7C, whose second byte is "|".
    const facility = Buffer.from([0x81, 0x7c, 0xd6, 0xd0, 0x81, 0x30, 0x81, 0x30]);
    const parts = header({ 4: "@", 18: "GB 18030-2000" }).split("@");
    const message = Buffer.concat([Buffer.from(parts[0]!), facility, Buffer.from(parts[1]!)]);
    expect(new TextDecoder("gb18030", { fatal: true }).decode(facility)).to.have.lengthOf(3);
    const [ack] = answersTo(message, TAKEN);
    const text = Buffer.from(ack!.text, "latin1");
    expect(text.includes(Buffer.concat([Buffer.from("|LAB|"), facility, Buffer.from("|")]))).to.equal(true);
    expect(ack!.text).to.contain("|GB 18030-2000\r");
    expect([ack!.code, ack!.field("MSA", 2)]).to.deep.equal(["AA", "4711"]);
  });

  it("cannot be ended early by what the sender wrote", () => {
    const [ack] = answersTo(header({ 10: "47\x1c\x0b11", 18: "x\x1c" }), TAKEN);
    expect(ack!.text).not.to.match(/[\x0b\x1c]/);
  });

  it("cannot be ended early by delimiters that are control characters: such a message is refused", () => {
    for (const control of ["\x00", "\x0b", "\x1b", "\x1c", "\x7f"]) {
      const odd = [`MSH${control}^~\\&${control}LAB`, `MSH|${control}~\\&|LAB`, `MSH|^~\\&${control}|LAB`];
      for (const message of odd) {
        const [ack] = answersTo(message, FAULTY);
        expect(ack!.text).not.to.match(/[\x00-\x0c\x0e-\x1f\x7f]/);
        expect(ack!.text).to.match(/^MSH\|\^~\\&\|/);
        expect([ack!.code, ack!.error]).to.deep.equal(["AE", "ERR_ITEM_INVALID"]);
        expect(() => readHl7(Buffer.from(message, "latin1"))).to.throw("does not begin with an MSH segment");
      }
    }
  });

  it("is given also to what has no header, and to anything whatever", () => {
    const [ack] = answersTo("{}", FAULTY);
    expect([ack!.code, ack!.field("MSA", 2)]).to.deep.equal(["AE", ""]);
    for (const odd of [
      "MSH|",
      "MSH||",
      "MSH|^",
      "MSH|^~\\&",
      "MSH|||||||||||||||||||",
      `MSH|${"x".repeat(10_000)}`,
    ])
      expect(answersTo(odd, LATER).map(({ text }) => text.includes("ERR_STORE_FULL"))).to.deep.equal([true]);
  });
});
