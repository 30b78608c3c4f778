// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { bundleSource } from "../../../src/ingest/sources/index.js";
import { jsonItems } from "../../../src/ingest/sources/json-items.js";
import { DEFAULT_RULES, isBadItem, resolveSubject } from "../../../src/records/index.js";
import { bytesOf, collect, textOf } from "./collect.js";

const packages = createRequire(import.meta.url);
const synthea = join(dirname(packages.resolve("cql-exec-fhir/package.json")), "test/fixtures/r4");
const examples = dirname(packages.resolve("hl7.fhir.r4.examples/package.json"));
const patients = readdirSync(synthea).filter((file) => /^(Johnnie|Luna)/.test(file));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Entry {
  readonly resource: { readonly resourceType: string; readonly id: string };
}

describe("bundleSource on Synthea patients", () => {
  it("finds both Bundles", () => {
    expect(patients).to.have.lengthOf(2);
  });

  for (const [index, file] of patients.entries()) {
    it(`splits Bundle ${index + 1} into the exact bytes of its entries, all of one patient`, async () => {
      const bytes = readFileSync(join(synthea, file));
      const entries = (JSON.parse(bytes.toString("utf8")) as { readonly entry: readonly Entry[] }).entry;
      const { items, bad } = await collect(
        bundleSource(join(synthea, file), { split: true, name: "b.json" }),
      );
      expect(bad).to.deep.equal([]);
      expect(items).to.have.lengthOf(entries.length);
      let from = 0;
      for (const [place, item] of items.entries()) {
        const { resourceType, id } = (entries[place] as Entry).resource;
        const slice = await bytesOf(item);
        expect(JSON.parse(slice.toString("utf8"))).to.deep.equal(entries[place]?.resource);
        const at = bytes.indexOf(slice, from);
        expect(at, "the slice stands in the file after the one before").to.be.greaterThanOrEqual(from);
        from = at + slice.length;
        expect(item).to.include({
          sourceKey: `${resourceType}/${id}`,
          label: `b.json#entry ${place + 1}`,
          size: slice.length,
        });
        const resolved = resolveSubject(item, DEFAULT_RULES, ({ system }) =>
          system.includes("smarthealthit") ? "0x1" : undefined,
        );
        const administrative = resourceType === "Organization" || resourceType === "Practitioner";
        expect(resolved, item.label).to.deep.equal(
          administrative ? { administrative: true } : { patientId: "0x1" },
        );
      }
    });

    it(`takes Bundle ${index + 1} whole as one item of one patient`, async () => {
      const source = bundleSource(join(synthea, file));
      const { items } = await collect(source);
      const bytes = readFileSync(join(synthea, file));
      expect(items).to.have.lengthOf(1);
      const [item] = items;
      if (item === undefined) throw new Error("no item");
      expect(item).to.include({
        resourceType: "Bundle",
        mediaType: "application/fhir+json",
        sourceKey: file,
        size: bytes.length,
      });
      expect(item.subjects).to.have.lengthOf(1);
      expect((await bytesOf(item)).equals(bytes)).to.equal(true);
      expect([source.totalBytes, source.bytesRead]).to.deep.equal([bytes.length, bytes.length]);
    });
  }
});

describe("bundleSource", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chartseal-bundle-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("preserves numbers and white space that a parser would lose", async () => {
    const file = join(examples, "Observation-decimal.json");
    const bytes = readFileSync(file);
    expect(bytes.toString("utf8")).to.match(/"value": ?1\.00[^0-9]/);
    const { items } = await collect(bundleSource(file, { split: true }));
    expect(items).to.have.lengthOf(1);
    expect(Buffer.from(items[0]?.bytes ?? []).equals(bytes)).to.equal(true);
    expect(items[0]?.sourceKey).to.equal("Observation/decimal");

    const inside = utf8(
      `{"resourceType":"Bundle","entry":[{"resource": ${bytes.toString("utf8").trim()} }]}`,
    );
    const slices = await collect(bundleSource(inside, { split: true }));
    expect(await textOf(slices.items[0] ?? expect.fail())).to.equal(bytes.toString("utf8").trim());
  });

  it("keeps multi-byte text and escapes byte for byte in slices", async () => {
    const resource =
      '{ "resourceType":"Basic" , "\\u0069d":"é", "x":"患者😀\\ud83d\\ude00\\u00e9" , "n":1.00}';
    const bytes = utf8(
      `\ufeff{"x":"ééé","entry":[{},{"fullUrl":"urn:uuid:1","resource":\r\n\t${resource}\n}],"resourceType":"Bundle"}`,
    );
    const { items } = await collect(bundleSource(bytes, { split: true, name: "b" }));
    expect(items.map(({ label, sourceKey }) => [label, sourceKey])).to.deep.equal([["b#entry 2", "Basic/é"]]);
    expect(await textOf(items[0] ?? expect.fail())).to.equal(resource);
  });

  it("knows an entry without an id by its fullUrl, else by its place", async () => {
    const bytes = utf8(
      '{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Basic"}},{"resource":{"resourceType":"Basic"}},{"resource":{}}]}',
    );
    const { items } = await collect(bundleSource(bytes, { split: true, name: "b.json" }));
    expect(items.map(({ sourceKey, mediaType }) => [sourceKey, mediaType])).to.deep.equal([
      ["urn:uuid:1", "application/fhir+json"],
      ["b.json#entry 2", "application/fhir+json"],
      ["b.json#entry 3", "application/json"],
    ]);
  });

  it("passes over an entry without a resource, and tells it in its place if somebody waits for an answer to each", () => {
    const bytes = utf8(
      '{"resourceType":"Bundle","entry":[{"request":{"method":"DELETE","url":"Basic/1"}},{"resource":{"resourceType":"Basic"}},{"resource":"x"}]}',
    );
    const place = { path: "b", label: "b" };
    const labels = (everyEntry?: boolean) =>
      [...jsonItems(bytes, { ...place, everyEntry }, true)].map((item) => [
        item.label,
        isBadItem(item) && item.error.code,
      ]);
    expect(labels()).to.deep.equal([["b#entry 2", false]]);
    expect(labels(true)).to.deep.equal([
      ["b#entry 1", "ERR_ITEM_INVALID"],
      ["b#entry 2", false],
      ["b#entry 3", "ERR_ITEM_INVALID"],
    ]);
    expect([...jsonItems(bytes, { ...place, everyEntry: true }, false)], "whole").to.have.lengthOf(1);
  });

  it("keeps a Bundle inside a Bundle as one item", async () => {
    const inner =
      '{"resourceType":"Bundle","id":"in","entry":[{"resource":{"resourceType":"Flag","subject":{"reference":"Patient/1"}}}]}';
    const bytes = utf8(`{"resourceType":"Bundle","entry":[{"resource":${inner}}]}`);
    const { items } = await collect(bundleSource(bytes, { split: true }));
    expect(items.map(({ sourceKey, subjects }) => [sourceKey, subjects.length])).to.deep.equal([
      ["Bundle/in", 1],
    ]);
    expect(await textOf(items[0] ?? expect.fail())).to.equal(inner);
  });

  it("reads a large slice from the file again, as often as it is asked", async () => {
    const data = "A".repeat(1_500_000);
    const resource = `{"resourceType":"Binary","id":"1","data":"${data}"}`;
    const file = join(folder, "b.json");
    await writeFile(
      file,
      `\ufeff{"resourceType":"Bundle","entry":[{"resource":${resource}},{"resource":{"resourceType":"Basic"}}]}`,
    );
    const { items } = await collect(bundleSource(file, { split: true }));
    const [large, small] = items;
    if (large === undefined || small === undefined) throw new Error("expected two items");
    expect(large.bytes).to.equal(undefined);
    expect(large.size).to.equal(resource.length);
    for (let time = 0; time < 2; time += 1) expect(await textOf(large)).to.equal(resource);
    expect(small.bytes?.buffer.byteLength, "a small item does not keep the file's buffer alive").to.equal(
      small.size,
    );

    await rm(file);
    const error = await bytesOf(large).catch((caught: unknown) => caught);
    expect(error).to.have.property("code", "ERR_SOURCE_CHANGED");
    await writeFile(file, "");
  });

  it("finds a large slice of a Bundle that does not begin its file", async () => {
    const resource = `{"resourceType":"Binary","id":"1","data":"${"A".repeat(1_500_000)}"}`;
    const bundle = `{"resourceType":"Bundle","entry":[{"resource":${resource}}]}`;
    const file = join(folder, "b.ndjson");
    await writeFile(file, `{}\n${bundle}\n`);
    const place = { path: "b", label: "b#line 2", part: { file, start: 3, end: 3 + bundle.length } };
    const [item] = [...jsonItems(utf8(bundle), place, true)];
    if (item === undefined || isBadItem(item)) throw new Error("expected an item");
    expect(item.label).to.equal("b#line 2#entry 1");
    expect(await textOf(item)).to.equal(resource);
  });

  it("copies what it is given, so that the caller may reuse his buffer", async () => {
    const bytes = utf8('{"resourceType":"Basic","id":"1"}');
    const source = bundleSource(bytes);
    bytes.fill(0);
    expect((await collect(source)).items[0]?.sourceKey).to.equal("Basic/1");
  });

  it("gives one bad item for JSON that is not valid, and for a file that is not there", async () => {
    const torn = await collect(
      bundleSource(utf8('{"resourceType":"Bundle","entry":[{"resource":{}'), { name: "t.json", split: true }),
    );
    expect(torn.items).to.deep.equal([]);
    expect(torn.bad.map(({ label, error }) => [label, error.code])).to.deep.equal([
      ["t.json", "ERR_JSON_INVALID"],
    ]);
    const gone = await collect(bundleSource(join(folder, "gone.json")));
    expect(gone.bad.map(({ label, error }) => [label, error.code])).to.deep.equal([
      ["gone.json", "ERR_ITEM_INVALID"],
    ]);
    expect(gone.bad[0]?.error.values).to.deep.equal({ code: "ENOENT" });
    expect(JSON.stringify(gone.bad[0]?.error)).not.to.contain(folder);
  });

  it("follows a link that the caller names himself", async () => {
    await writeFile(join(folder, "a.json"), '{"resourceType":"Basic","id":"1"}');
    await symlink(join(folder, "a.json"), join(folder, "link.json"));
    const { items } = await collect(bundleSource(join(folder, "link.json")));
    expect(items.map(({ path, sourceKey }) => [path, sourceKey])).to.deep.equal([["link.json", "Basic/1"]]);
  });

  it("can be read again from the start", async () => {
    const source = bundleSource(utf8('{"resourceType":"Basic","id":"1"}'));
    expect((await collect(source)).items).to.have.lengthOf(1);
    expect((await collect(source)).items).to.have.lengthOf(1);
    expect(source.bytesRead).to.equal(source.totalBytes);
  });
});
