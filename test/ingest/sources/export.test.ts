// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChartsealError } from "../../../src/errors.js";
import { deletedKeys } from "../../../src/ingest/sources/export-lines.js";
import { parseManifest } from "../../../src/ingest/sources/export-manifest.js";
import { sourceFor } from "../../../src/ingest/sources/index.js";
import { errorOf } from "../../records/error-of.js";
import { observation } from "../../support/observations.js";
import { collect } from "./collect.js";

interface Listed {
  url: string;
  type?: string;
  count?: number | null;
}

const BASE = "https://fhir.example/bulk/7f3a";

function manifestOf(parts: {
  output?: Listed[];
  deleted?: Listed[];
  error?: Listed[];
  link?: object[];
}): string {
  return JSON.stringify({
    transactionTime: "2024-05-06T07:15:00Z",
    request: "https://fhir.example/$export?_since=2024-01-01T00:00:00Z",
    requiresAccessToken: true,
    ...{ output: [], error: [], ...parts },
  });
}

const deletions = (...urls: string[]) =>
  JSON.stringify({
    resourceType: "Bundle",
    type: "transaction",
    entry: urls.map((url) => ({ request: { method: "DELETE", url } })),
  });

describe("A FHIR bulk export", () => {
  let outer = "";
  let folder = "";
  beforeEach(async () => {
    outer = await mkdtemp(join(tmpdir(), "chartseal-export-"));
    folder = join(outer, "export");
    await mkdir(folder);
  });
  afterEach(() => rm(outer, { recursive: true }));

  const put = (name: string, ...lines: string[]) =>
    writeFile(join(folder, name), lines.map((line) => `${line}\n`).join(""));
  const read = async (path = folder) => await collect(await sourceFor(path));
  const told = ({ bad }: Awaited<ReturnType<typeof read>>) =>
    bad.map(({ label, error }) => [label, error.code]);
  const keys = ({ items }: Awaited<ReturnType<typeof read>>) => items.map(({ sourceKey }) => sourceKey);

  beforeEach(async () => {
    await put(
      "1.Observation.ndjson",
      observation({ id: "a", patient: "p" }),
      observation({ id: "b", patient: "p" }),
    );
    await put("2.Observation.ndjson", observation({ id: "c", patient: "p" }));
  });
  const OUTPUT: Listed[] = [
    { type: "Observation", url: `${BASE}/1.Observation.ndjson`, count: 2 },
    { type: "Observation", url: `${BASE}/2.Observation.ndjson?token=x` },
  ];

  it("is told by its manifest, given as its folder or as the manifest, whose own bytes are no record", async () => {
    await put("manifest.json", manifestOf({ output: OUTPUT }));
    for (const path of [folder, join(folder, "manifest.json")]) {
      const found = await read(path);
      expect(keys(found)).to.deep.equal(["Observation/a", "Observation/b", "Observation/c"]);
      expect(found.bad).to.deep.equal([]);
    }
    await writeFile(join(folder, "any-name.json"), manifestOf({ output: OUTPUT }));
    const named = await read(join(folder, "any-name.json"));
    expect(keys(named)).to.have.lengthOf(3);
    expect(told(named)).to.deep.equal([["manifest.json", "ERR_ITEM_INVALID"]]);
  });

  it("has every file that is listed, and what is not listed is named and not taken", async () => {
    await put("manifest.json", manifestOf({ output: [...OUTPUT, { url: `${BASE}/3.Observation.ndjson` }] }));
    await put("old.ndjson", observation({ id: "old", patient: "p" }));
    await mkdir(join(folder, "sub"));
    await put("sub/x.txt", "x");
    await put("4.ndjson.part", observation({ id: "part", patient: "p" }));
    const found = await read();
    expect(keys(found)).to.deep.equal(["Observation/a", "Observation/b", "Observation/c"]);
    expect(told(found)).to.deep.equal([
      ["3.Observation.ndjson", "ERR_ITEM_INVALID"],
      ["old.ndjson", "ERR_ITEM_INVALID"],
      ["sub/x.txt", "ERR_ITEM_INVALID"],
    ]);
    const messages = found.bad.map(({ error }) => error.message).join();
    for (const name of ["old.ndjson", "x.txt", "3.Observation"]) expect(messages).not.to.contain(name);
  });

  it("that has another count than its manifest says is told, and what is there is taken", async () => {
    const cut = [
      { url: `${BASE}/1.Observation.ndjson`, count: 5 },
      { ...OUTPUT[1]!, count: null },
    ];
    await put("manifest.json", manifestOf({ output: cut }));
    const found = await read();
    expect(keys(found)).to.have.lengthOf(3);
    expect(found.bad.map(({ label, error }) => [label, error.values])).to.deep.equal([
      ["1.Observation.ndjson#count", { said: 5, found: 2 }],
    ]);
  });

  it("takes back what was deleted, before it takes what there is", async () => {
    await mkdir(join(folder, "deleted"));
    await put(
      "deleted/gone.ndjson",
      deletions("Observation/x", `${BASE}/Patient/7`),
      deletions("Observation/a"),
    );
    await put(
      "manifest.json",
      manifestOf({ output: OUTPUT, deleted: [{ type: "Bundle", url: `${BASE}/gone.ndjson` }] }),
    );
    const found = await read();
    expect(found.bad).to.deep.equal([]);
    expect(keys(found)).to.deep.equal([
      "deleted/2024-05-06T07:15:00Z/deleted/gone.ndjson#line 1",
      "deleted/2024-05-06T07:15:00Z/deleted/gone.ndjson#line 2",
      "Observation/a",
      "Observation/b",
      "Observation/c",
    ]);
    expect(found.items[0]).to.deep.include({
      event: { kind: "delete", keys: ["Observation/x", "Patient/7"] },
      administrative: true,
      subjects: [],
    });
  });

  it("refuses a deletion that asks for anything but single resources, whole", async () => {
    const wrong = [
      deletions("Observation/x", "Observation?patient=p"),
      deletions("Observation/x/_history/2"),
      deletions("Observation/x").replace("DELETE", "PUT"),
      observation({ id: "x", patient: "p" }),
      `{"resourceType":"Bundle","entry":[null]}`,
      "not JSON",
    ];
    await put("gone.ndjson", ...wrong);
    await put("manifest.json", manifestOf({ output: OUTPUT, deleted: [{ url: `${BASE}/gone.ndjson` }] }));
    const found = await read();
    expect(found.items.filter(({ event }) => event !== undefined)).to.deep.equal([]);
    expect(found.bad).to.have.lengthOf(wrong.length);
  });

  it("reports the server's errors, and takes none of them as a record", async () => {
    const outcome = (severity: string) =>
      JSON.stringify({
        resourceType: "OperationOutcome",
        issue: [{ severity, code: "processing", diagnostics: "Ann" }],
      });
    await put("errors.ndjson", outcome("error"), outcome("information"), outcome("fatal"), "not JSON");
    await put("manifest.json", manifestOf({ output: OUTPUT, error: [{ url: `${BASE}/errors.ndjson` }] }));
    const found = await read();
    expect(keys(found)).to.have.lengthOf(3);
    expect(found.bad.map(({ label, error }) => [label, error.values])).to.deep.equal([
      ["errors.ndjson", { errors: 3 }],
    ]);
    expect(JSON.stringify(found.bad[0]!.error)).not.to.contain("Ann");
    await put("errors.ndjson", outcome("information"));
    expect((await read()).bad).to.deep.equal([]);
  });

  it("tells of an export that goes on in another manifest", async () => {
    const link = [{ relation: "next", url: `${BASE}/manifest-2.json` }];
    await put("manifest.json", manifestOf({ output: OUTPUT, link }));
    expect(told(await read())).to.deep.equal([["manifest.json#link", "ERR_ITEM_INVALID"]]);
  });

  it("whose manifest would lead elsewhere is refused whole: by path, by link, by URL", async () => {
    await writeFile(join(outer, "secret.ndjson"), observation({ id: "secret", patient: "p" }));
    const urls = [
      "../secret.ndjson",
      "sub/secret.ndjson",
      `${BASE}/%2e%2e%2fsecret.ndjson`,
      `${BASE}/..%5Csecret.ndjson`,
      `${BASE}/`,
      `${BASE}/.hidden`,
      `${BASE}/%00.ndjson`,
      `${BASE}/%zz.ndjson`,
      `file://${outer}/secret.ndjson`,
      join(outer, "secret.ndjson"),
      "",
      `${BASE}/${"x".repeat(300)}`,
    ];
    for (const url of urls) {
      await put("manifest.json", manifestOf({ output: [...OUTPUT, { url }] }));
      const found = await read();
      expect(keys(found), url).to.deep.equal([]);
      expect(told(found), url).to.deep.equal([["manifest.json", "ERR_ITEM_INVALID"]]);
    }
    await put("manifest.json", manifestOf({ output: [{ url: `${BASE}/a/../../secret.ndjson` }] }));
    expect(keys(await read()), "the URL's own dots are gone with its path").to.deep.equal([]);
    await symlink(join(outer, "secret.ndjson"), join(folder, "secret.ndjson"));
    expect(keys(await read())).to.deep.equal([]);
    await symlink(outer, join(folder, "output"));
    const linked = await read();
    expect(keys(linked)).to.deep.equal([]);
    expect(told(linked).map(([label]) => label)).to.include.members(["secret.ndjson", "output"]);
  });

  it("with two URLs of one file name is refused: nothing says which is which", async () => {
    await put(
      "manifest.json",
      manifestOf({ output: [{ url: `${BASE}/a/file` }, { url: `${BASE}/b/file` }] }),
    );
    expect(told(await read())).to.deep.equal([["manifest.json", "ERR_ITEM_INVALID"]]);
  });

  it("is not seen where a manifest is something else", async () => {
    await put("manifest.json", `{"name":"an app","output":[]}`);
    expect(keys(await read())).to.include("manifest.json");
    await put("manifest.json", manifestOf({ output: OUTPUT }).slice(0, -1));
    const broken = await read();
    expect(keys(broken)).to.have.lengthOf(3);
    expect(told(broken)).to.deep.equal([["manifest.json", "ERR_JSON_INVALID"]]);
  });

  it("has a manifest that is read without any but a named error", () => {
    const pieces = fc.array(
      fc.constantFrom("https://", "a", "/", "..", "%2f", "\\", "?", ":", "\0", ".", "%"),
      { maxLength: 8 },
    );
    const file = fc.record({
      url: fc.oneof(
        pieces.map((list) => list.join("")),
        fc.constantFrom(null, 1, []),
      ),
      count: fc.constantFrom(1, -1, 1.5, "1", null, undefined),
    });
    const files = fc.oneof(fc.array(file, { maxLength: 4 }), fc.constantFrom(null, "x", 1, {}, [null]));
    const hostile = fc.record(
      {
        transactionTime: fc.constantFrom("2024-05-06T07:15:00Z", "soon"),
        output: files,
        deleted: files,
        link: fc.constantFrom(undefined, null, [], [null], [{ relation: 1 }]),
      },
      { requiredKeys: ["transactionTime", "output"] },
    );
    fc.assert(
      fc.property(hostile, (value) => {
        try {
          const { output, deleted } = parseManifest(Buffer.from(JSON.stringify(value)));
          for (const { name } of [...output, ...deleted]) expect(name).to.match(/^(?!\.)[^/\\\0]+$/);
        } catch (error) {
          if (!(error instanceof ChartsealError)) throw error;
        }
      }),
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (json) => {
        const error = errorOf(() => deletedKeys(Buffer.from(json)));
        expect(["ERR_ITEM_INVALID", "ERR_JSON_INVALID"]).to.include(error.code);
      }),
    );
  });
});
