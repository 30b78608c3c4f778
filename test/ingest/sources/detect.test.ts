// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { sourceFor } from "../../../src/ingest/sources/index.js";
import { mediaTypeOf } from "../../../src/ingest/sources/media-type.js";
import { collect } from "./collect.js";

const basic = '{"resourceType":"Basic","id":"1"}';

describe("sourceFor", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chartseal-detect-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("chooses by folder, name and content", async () => {
    const labels = async (path: string) => {
      const { items } = await collect(await sourceFor(path));
      return items.map(({ label, sourceKey }) => `${label} ${sourceKey}`);
    };
    await writeFile(join(folder, "a.ndjson"), `${basic}\n`);
    await writeFile(join(folder, "b.json"), basic);
    await writeFile(join(folder, "c"), basic);
    await writeFile(join(folder, "d.txt"), "text");
    expect(await labels(join(folder, "a.ndjson"))).to.deep.equal(["a.ndjson#line 1 Basic/1"]);
    expect(await labels(join(folder, "b.json"))).to.deep.equal(["b.json Basic/1"]);
    expect(await labels(join(folder, "c"))).to.deep.equal(["c Basic/1"]);
    expect(await labels(join(folder, "d.txt"))).to.deep.equal(["d.txt d.txt"]);
    expect(await labels(folder)).to.have.lengthOf(4);
  });

  it("is ERR_USAGE where there is nothing to read", async () => {
    for (const path of [join(folder, "gone"), "/dev/null"]) {
      const error = await sourceFor(path).catch((caught: unknown) => caught);
      expect(error, path).to.have.property("code", "ERR_USAGE");
    }
  });
});

describe("mediaTypeOf", () => {
  const typeOf = (path: string, head: string, complete = true) =>
    mediaTypeOf(path, Buffer.from(head, "latin1"), complete);

  it("goes by the first bytes before the extension", () => {
    const types: [string, string, string][] = [
      ["x.txt", "%PDF-1.4", "application/pdf"],
      ["x", `${"\0".repeat(128)}DICM`, "application/dicom"],
      ["x", "\x89PNG\r\n\x1a\n", "image/png"],
      ["x.bin", "\xff\xd8\xff\xe0", "image/jpeg"],
      ["x", '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>', "application/xml"],
      ["x", '\xef\xbb\xbf<Patient xmlns="http://hl7.org/fhir"/>', "application/fhir+xml"],
    ];
    for (const [path, head, expected] of types) expect(typeOf(path, head).mediaType).to.equal(expected);
  });

  it("goes by the extension before guessing text", () => {
    expect(typeOf("a/x.CSV", "a,b").mediaType).to.equal("text/csv");
    expect(typeOf("x.unknown", "a,b").mediaType).to.equal("text/plain");
    expect(typeOf("x.unknown", "a\0b").mediaType).to.equal("application/octet-stream");
  });

  it("names an encoding only when it has seen all bytes", () => {
    expect(typeOf("x.txt", "caf\xc3\xa9")).to.deep.equal({ mediaType: "text/plain", encoding: "utf-8" });
    expect(typeOf("x.txt", "caf\xe9")).to.deep.equal({ mediaType: "application/octet-stream" });
    expect(typeOf("x.txt", "caf\xc3", false)).to.deep.equal({ mediaType: "text/plain" });
    expect(typeOf("x.txt", "\xc3afterwards", false)).to.deep.equal({ mediaType: "application/octet-stream" });
  });
});
