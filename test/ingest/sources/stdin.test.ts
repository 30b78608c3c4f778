// SPDX-License-Identifier: Apache-2.0
import { Readable } from "node:stream";
import { expect } from "chai";
import { stdinSource } from "../../../src/ingest/sources/index.js";
import { MAX_STREAM_BYTES } from "../../../src/ingest/sources/stdin.js";
import { collect, textOf } from "./collect.js";

const basic = '{"resourceType":"Basic","id":"1"}';
const streamOf = (...parts: (string | Uint8Array)[]) => Readable.from(parts.map((part) => Buffer.from(part)));

describe("stdinSource", () => {
  it("reads lines", async () => {
    const { items } = await collect(
      stdinSource(streamOf(`${basic}\n${basic}`), { name: "-", format: "ndjson" }),
    );
    expect(items.map(({ label }) => label)).to.deep.equal(["-#line 1", "-#line 2"]);
  });

  it("reads one file: FHIR under its own key, anything else under the given name", async () => {
    const one = async (name: string, ...parts: (string | Uint8Array)[]) => {
      const { items } = await collect(stdinSource(streamOf(...parts), { name, format: "file" }));
      return items[0] ?? expect.fail();
    };
    expect(await one("scan", "  {", basic.slice(1))).to.include({
      sourceKey: "Basic/1",
      label: "scan",
      path: "scan",
    });
    const pdf = await one("letter.pdf", "%PDF-1.7\n", Uint8Array.of(0, 1));
    expect(pdf).to.include({ sourceKey: "letter.pdf", mediaType: "application/pdf", size: 11 });
    expect(await textOf(await one("x", "{torn"))).to.equal("{torn");
    expect(await one("nothing")).to.include({ size: 0 });
  });

  it("splits a Bundle when asked", async () => {
    const bundle = `{"resourceType":"Bundle","entry":[{"resource":${basic}},{"resource":${basic}}]}`;
    const split = await collect(stdinSource(streamOf(bundle), { name: "b", format: "file", split: true }));
    expect(await Promise.all(split.items.map(textOf))).to.deep.equal([basic, basic]);
    expect(
      (await collect(stdinSource(streamOf(bundle), { name: "b", format: "file" }))).items,
    ).to.have.lengthOf(1);
  });

  it("refuses bad JSON under a JSON name", async () => {
    const { bad } = await collect(stdinSource(streamOf("{"), { name: "x.json", format: "file" }));
    expect(bad.map(({ error }) => error.code)).to.deep.equal(["ERR_JSON_INVALID"]);
  });

  it("refuses more than 64 MiB with a way out, without reading on", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      const chunk = new Uint8Array(1024 * 1024);
      for (;;) {
        given += chunk.length;
        yield chunk;
      }
    }
    const { bad } = await collect(stdinSource(endless(), { name: "x", format: "file" }));
    expect(bad[0]?.error.code).to.equal("ERR_ITEM_INVALID");
    expect(bad[0]?.error.hint).to.contain("file");
    expect(given).to.equal(MAX_STREAM_BYTES + 1024 * 1024);
  });

  it("makes a broken stream a bad item", async () => {
    const stream = new Readable({
      read() {
        this.destroy(Object.assign(new Error("gone"), { code: "EPIPE" }));
      },
    });
    const { bad } = await collect(stdinSource(stream, { name: "x", format: "file" }));
    expect(bad[0]?.error.values).to.deep.equal({ code: "EPIPE" });
  });
});
