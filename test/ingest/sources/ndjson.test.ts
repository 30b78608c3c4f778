// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { ndjsonSource } from "../../../src/ingest/sources/index.js";
import { MAX_LINE_BYTES, splitLines } from "../../../src/ingest/sources/lines.js";
import type { Line } from "../../../src/ingest/sources/lines.js";
import { collect, textOf } from "./collect.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
async function* chunksOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? utf8(part) : part;
}
const basic = (id: number) => `{"resourceType":"Basic","id":"${id}"}`;

describe("ndjsonSource", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chartseal-ndjson-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("gives a record per line without its line end, LF or CRLF, the last with or without one", async () => {
    const lines = [basic(1), ` ${basic(2)} `, '{"resourceType":"Basic","id":"é","n":1.00}'];
    for (const text of [
      lines.join("\n"),
      `${lines.join("\r\n")}\r\n`,
      `\n\r\n${lines.join("\n \t\n\n")}\n\n`,
    ]) {
      const { items, bad } = await collect(ndjsonSource(chunksOf(text), { name: "x" }));
      expect(bad).to.deep.equal([]);
      expect(await Promise.all(items.map(textOf))).to.deep.equal(lines);
    }
  });

  it("counts lines from 1, the empty ones too", async () => {
    const { items } = await collect(
      ndjsonSource(chunksOf(`${basic(1)}\n\n${basic(2)}`), { name: "x.ndjson" }),
    );
    expect(items.map(({ label, path, sourceKey }) => [label, path, sourceKey])).to.deep.equal([
      ["x.ndjson#line 1", "x.ndjson", "Basic/1"],
      ["x.ndjson#line 3", "x.ndjson", "Basic/2"],
    ]);
  });

  it("makes a bad line a bad item with its place in the file, and goes on", async () => {
    const text = `${basic(1)}\n{"resourceType":"Basic",}\n[1\n5\n${basic(2)}\n{"a":"\u0000`;
    const { items, bad } = await collect(ndjsonSource(chunksOf(text), { name: "x" }));
    expect(items.map(({ sourceKey }) => sourceKey)).to.deep.equal(["Basic/1", "x#line 4", "Basic/2"]);
    expect(bad.map(({ label, error }) => [label, error.code, error.values["line"]])).to.deep.equal([
      ["x#line 2", "ERR_JSON_INVALID", 2],
      ["x#line 3", "ERR_JSON_INVALID", 3],
      ["x#line 6", "ERR_JSON_INVALID", 6],
    ]);
    expect(bad[0]?.error.values).to.deep.equal({ offset: text.indexOf(",}") + 1, line: 2, column: 25 });
  });

  it("keeps a byte order mark in the first record's bytes", async () => {
    const { items } = await collect(ndjsonSource(chunksOf(`\ufeff${basic(1)}\n${basic(2)}`)));
    expect(items.map(({ size }) => size)).to.deep.equal([basic(1).length + 3, basic(2).length]);
    expect(items[0]?.sourceKey).to.equal("Basic/1");
  });

  it("refuses invalid UTF-8 in one line only", async () => {
    const { items, bad } = await collect(
      ndjsonSource(chunksOf('{"a":"', Uint8Array.of(0xff), `"}\n${basic(1)}`)),
    );
    expect(items).to.have.lengthOf(1);
    expect(bad[0]?.error.values).to.deep.equal({ offset: 6, line: 1, column: 7 });
  });

  it("splits the same however the stream is cut", async () => {
    const text = utf8(`${basic(1)}\r\n\r\n\n${basic(22)}\n{"a":"é"}\r\n${basic(3)}`);
    const whole: Line[] = [];
    for await (const line of splitLines(chunksOf(text))) whole.push(line);
    expect(whole).to.have.lengthOf(4);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 12 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const parts = at.slice(1).map((end, index) => text.subarray(at[index], end));
        const lines: Line[] = [];
        for await (const line of splitLines(chunksOf(...parts))) lines.push(line);
        expect(lines).to.deep.equal(whole);
      }),
    );
    for (const { start, bytes } of whole) {
      expect(text.subarray(start, start + (bytes?.length ?? 0))).to.deep.equal(bytes);
    }
  });

  it("takes a line of 16 MiB and makes a longer one a bad item", async () => {
    const lineOf = (length: number) => `{"data":"${"A".repeat(length - 11)}"}`;
    const text = chunksOf(
      lineOf(MAX_LINE_BYTES),
      "\r\n",
      lineOf(MAX_LINE_BYTES + 1),
      "\n",
      lineOf(3 * MAX_LINE_BYTES),
      `\n${basic(1)}`,
    );
    const { items, bad } = await collect(ndjsonSource(text, { name: "x" }));
    expect(items.map(({ label, size }) => [label, size])).to.deep.equal([
      ["x#line 1", MAX_LINE_BYTES],
      ["x#line 4", basic(1).length],
    ]);
    expect(bad.map(({ label, error }) => [label, error.code, error.values["line"]])).to.deep.equal([
      ["x#line 2", "ERR_ITEM_INVALID", 2],
      ["x#line 3", "ERR_ITEM_INVALID", 3],
    ]);
    expect(items[0]?.bytes).to.equal(undefined);
    expect((await textOf(items[0] ?? expect.fail())).length).to.equal(MAX_LINE_BYTES);
  });

  it("reads a long line of a file again from its place", async () => {
    const file = join(folder, "Binary.ndjson");
    const long = `{"resourceType":"Binary","id":"1","data":"${"é".repeat(800_000)}"}`;
    await writeFile(file, `${basic(1)}\r\n${long}\r\n${basic(2)}\r\n`);
    const source = ndjsonSource(file);
    const { items } = await collect(source);
    expect(await Promise.all(items.map(textOf))).to.deep.equal([basic(1), long, basic(2)]);
    expect(items[1]?.bytes).to.equal(undefined);
    expect(items[1]?.label).to.equal("Binary.ndjson#line 2");
    expect(source.bytesRead).to.equal(source.totalBytes);
  });

  it("takes a Bundle in a line whole", async () => {
    const text =
      '{"resourceType":"Bundle","id":"b","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}';
    const { items } = await collect(ndjsonSource(chunksOf(text)));
    expect(items.map(({ sourceKey, subjects }) => [sourceKey, subjects])).to.deep.equal([
      ["Bundle/b", [[{ system: "fhir:Patient", value: "1" }]]],
    ]);
  });

  it("ends with a bad item when the stream breaks, after the lines before", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield utf8(`${basic(1)}\n{"half`);
      throw Object.assign(new Error("read failed at /secret"), { code: "EIO" });
    }
    const { items, bad } = await collect(ndjsonSource(broken(), { name: "x" }));
    expect(items).to.have.lengthOf(1);
    expect(bad.map(({ label, error }) => [label, error.code])).to.deep.equal([["x", "ERR_ITEM_INVALID"]]);
    expect(JSON.stringify(bad[0]?.error)).not.to.contain("secret");
    const gone = await collect(ndjsonSource(join(folder, "gone.ndjson")));
    expect(gone.bad[0]?.error.values).to.deep.equal({ code: "ENOENT" });
  });

  it("closes its stream when the reader stops early", async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield utf8(`${basic(1)}\n`);
      } finally {
        closed = true;
      }
    }
    for await (const item of ndjsonSource(endless())) {
      expect(item.label).to.equal("stream#line 1");
      break;
    }
    expect(closed).to.equal(true);
  });
});
