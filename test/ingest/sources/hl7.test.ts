// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { folderSource, sourceFor, stdinSource } from "../../../src/ingest/sources/index.js";
import { MAX_MESSAGE_BYTES, splitMessages, type Hl7Part } from "../../../src/ingest/sources/hl7-messages.js";
import { bytesOf, collect } from "./collect.js";

// Of npm simple-hl7: an ADT, an ORU and an ORM message, with the carriage returns of the standard.
const samples = join(
  dirname(createRequire(import.meta.url).resolve("simple-hl7/package.json")),
  "test/samples",
);
const [ADT, ORU, ORM] = ["adt", "oru", "orm"].map((name) => readFileSync(join(samples, `${name}.hl7`))) as [
  Buffer,
  Buffer,
  Buffer,
];

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const latin1 = (string: string) => Buffer.from(string, "latin1");
const message = (id: string, ...segments: string[]) =>
  latin1([`MSH|^~\\&|LAB|GH|||20240506||ORU^R01|${id}|P|2.5`, "PID|1||7^^^MRN", ...segments, ""].join("\r"));

describe("HL7 v2 files", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chartseal-hl7-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const read = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes);
    return await collect(await sourceFor(join(folder, name)));
  };

  it("give one record per message, of its exact bytes, the last carriage return too", async () => {
    const { items, bad } = await read("feed.hl7", Buffer.concat([ORU, latin1("\r"), ORM, latin1("\r"), ADT]));
    expect(bad).to.deep.equal([]);
    const bodies = await Promise.all(items.map(bytesOf));
    expect(bodies.map(text)).to.deep.equal([`${text(ORU)}\r`, `${text(ORM)}\r`, text(ADT)]);
    expect(items.map(({ label }) => label)).to.deep.equal([1, 2, 3].map((n) => `feed.hl7#message ${n}`));
    for (const item of items)
      expect(item).to.include({ mediaType: "x-application/hl7-v2+er7", path: "feed.hl7" });
  });

  it("are known by the sending facility with the filler number, else the control id and its time", async () => {
    const { items } = await read("feed.hl7", Buffer.concat([ORU, latin1("\r"), ORM, latin1("\r"), ADT]));
    expect(items.map(({ sourceKey }) => sourceKey)).to.deep.equal([
      "C/OBR-3/185L29839X64489JLPF~X64489^ACC_NUM",
      "MedCenter/MSH-10/MSGID20060307110114@20060307110114",
      "EPICADT/MSH-10/1817457@199912271408",
    ]);
    expect(items.map(({ subjects }) => subjects)).to.deep.equal([
      [[{ system: "Priority Health", value: "94000000000" }]],
      [[{ system: "MedCenter", value: "12001" }]],
      [[{ system: "EPICADT", value: "454721" }]],
    ]);
  });

  it("are told by their content where the name says nothing, also in a folder and from standard input", async () => {
    for (const name of ["message", "captured.txt"]) {
      const { items } = await read(name, ORU);
      expect(items[0]?.sourceKey).to.match(/^C\/OBR-3\//);
    }
    await mkdir(join(folder, "in"));
    await writeFile(join(folder, "in/x.HL7"), ADT);
    expect((await collect(folderSource(join(folder, "in")))).items[0]?.label).to.equal("x.HL7#message 1");
    const stream = stdinSource(chunksOf(ORU, 10), { name: "-", format: "file" });
    expect((await collect(stream)).items[0]?.sourceKey).to.match(/^C\/OBR-3\//);
    expect(stream.bytesRead).to.equal(ORU.length);
  });

  it("may be batches: their headers and trailers are no records, and a short count is told", async () => {
    const batch = (count: number) =>
      Buffer.concat([
        latin1("FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r"),
        message("1"),
        message("2"),
        latin1(`BTS|${count}\rFTS|1\r`),
      ]);
    const whole = await read("a.hl7", batch(2));
    expect(whole.bad).to.deep.equal([]);
    expect((await Promise.all(whole.items.map(bytesOf))).map(text)).to.deep.equal(
      [message("1"), message("2")].map(text),
    );
    const short = await read("b.hl7", batch(3));
    expect(short.items).to.have.lengthOf(2);
    expect(short.bad.map(({ label, error }) => [label, error.code, error.values])).to.deep.equal([
      ["b.hl7#batch", "ERR_ITEM_INVALID", { said: 3, found: 2 }],
    ]);
    const cut = await read("c.hl7", batch(2).subarray(0, -16));
    expect(cut.items).to.have.lengthOf(2);
    expect(cut.bad[0]?.error.message).to.equal("a batch has no end");
  });

  it("may be frames of MLLP, whose block characters are no part of a message", async () => {
    const framed = Buffer.concat([
      latin1("\x0b"),
      message("1"),
      latin1("\x1c\r\x0b"),
      message("2").subarray(0, -1), // without the end of its last segment
      latin1("\x1c\r"),
    ]);
    const { items, bad } = await read("capture", framed);
    expect(bad).to.deep.equal([]);
    const bodies = (await Promise.all(items.map(bytesOf))).map(text);
    expect(bodies).to.deep.equal([text(message("1")), text(message("2")).slice(0, -1)]);
  });

  it("that were edited have LF or CRLF: they stay as they are", async () => {
    for (const end of ["\n", "\r\n"]) {
      const edited = latin1(text(ORU).replaceAll("\r", end));
      const { items } = await read("edited.hl7", edited);
      expect(text(await bytesOf(items[0]!))).to.equal(text(edited));
      expect(items[0]?.subjects[0]?.[0]?.value).to.equal("94000000000");
    }
  });

  it("with what belongs to no message are told where, and the messages are taken", async () => {
    const { items, bad } = await read("x.hl7", Buffer.concat([latin1("hello\rworld\r"), message("1"), ORU]));
    expect(items).to.have.lengthOf(2);
    expect(bad.map(({ label }) => label)).to.deep.equal(["x.hl7#byte 0"]);
    const none = await read("y.hl7", latin1("no message at all"));
    expect([none.items.length, none.bad.length]).to.deep.equal([0, 1]);
  });

  it("may hold a message larger than what is held in memory, but not one larger than the limit", async () => {
    const report = message("1", `OBX|1|ED|PDF||^^PDF^Base64^${"QUJD".repeat(500_000)}`);
    const { items } = await read("large.hl7", Buffer.concat([ORU, latin1("\r"), report]));
    expect(items[1]?.bytes).to.equal(undefined);
    expect((await bytesOf(items[1]!)).equals(report)).to.equal(true);
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield latin1("MSH|^~\\&|LAB\rOBX|");
      for (let sent = 0; sent <= MAX_MESSAGE_BYTES; sent += 1 << 20) yield Buffer.alloc(1 << 20, 0x41);
      yield latin1("\r");
      yield message("2");
    }
    const parts = await Array.fromAsync(splitMessages(endless()));
    expect(parts.map((part) => part.kind === "message" && part.bytes?.length)).to.deep.equal([
      undefined,
      message("2").length,
    ]);
  });

  it("give the same messages however the bytes come, and lose none", async () => {
    const parts = ["\r", "\n", "MSH|^~\\&|A", "BHS|", "BTS|1", "PID|", "\x0b", "\x1c", "x", "MS", "\u00ff"];
    const hostile = fc
      .array(fc.constantFrom(...parts), { maxLength: 40 })
      .map((list) => latin1(list.join("")));
    const seen = async (bytes: Uint8Array, size: number) =>
      (await Array.fromAsync(splitMessages(chunksOf(bytes, size)))).map((part: Hl7Part) =>
        part.kind === "message" ? { ...part, bytes: text(part.bytes!) } : part,
      );
    await fc.assert(
      fc.asyncProperty(hostile, fc.integer({ min: 1, max: 7 }), async (bytes, size) => {
        const whole = await seen(bytes, bytes.length || 1);
        expect(await seen(bytes, size)).to.deep.equal(whole);
        for (const part of whole) {
          if (part.kind !== "message") continue;
          expect(text(bytes.subarray(part.start, part.start + part.bytes.length))).to.equal(part.bytes);
          expect(part.bytes).to.match(/^MSH/);
        }
        const starts = text(bytes).match(/(?<=^|[\r\n]\x0b?|^\x0b)MSH/g) ?? [];
        expect(whole.filter(({ kind }) => kind === "message").length).to.equal(starts.length);
      }),
    );
  });
});
