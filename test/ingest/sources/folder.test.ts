// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { folderSource } from "../../../src/ingest/sources/index.js";
import { bytesOf, collect, textOf } from "./collect.js";

const basic = '{"resourceType":"Basic","id":"1"}';

describe("folderSource", () => {
  let outer = "";
  let folder = "";
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  const paths = async (): Promise<string[]> =>
    (await collect(folderSource(folder))).items.map(({ path }) => path);

  beforeEach(async () => {
    outer = await mkdtemp(join(tmpdir(), "chartseal-folder-"));
    folder = join(outer, "in");
    await mkdir(folder);
  });
  afterEach(() => rm(outer, { recursive: true, force: true }));

  it("reads every file of every sub-folder, sorted by name", async () => {
    for (const path of ["b/2.txt", "b/10.txt", "a.txt", "Z.txt", "b.txt", "é.txt"]) await put(path, "x");
    expect(await paths()).to.deep.equal(["Z.txt", "a.txt", "b/10.txt", "b/2.txt", "b.txt", "é.txt"]);
  });

  it("skips hidden files and copies under way", async () => {
    for (const path of [".hidden", ".git/x", "a.part", "b.TMP", "c.tmp/x", "ok.partial"])
      await put(path, "x");
    expect(await paths()).to.deep.equal(["ok.partial"]);
  });

  it("takes what is not JSON as it is, under its path", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await put("scans/x.bin", bytes);
    await put("note.txt", "Grüße\r\n");
    const { items } = await collect(folderSource(folder));
    const [note, scan] = items;
    expect(note).to.include({ sourceKey: "note.txt", mediaType: "text/plain", encoding: "utf-8", size: 9 });
    expect(scan).to.include({ sourceKey: "scans/x.bin", mediaType: "application/octet-stream" });
    expect(items.flatMap(({ subjects }) => subjects)).to.deep.equal([]);
    expect(Uint8Array.from(await bytesOf(scan ?? expect.fail()))).to.deep.equal(bytes);
    expect(scan?.bytes).to.deep.equal(bytes);
  });

  it("reads a large opaque file only when it is opened", async () => {
    const bytes = Buffer.alloc(3 * 1024 * 1024, 7);
    await put("x.dcm", bytes);
    const [item] = (await collect(folderSource(folder))).items;
    expect(item).to.include({ size: bytes.length, mediaType: "application/dicom" });
    expect(item).not.to.have.property("bytes");
    for (let time = 0; time < 2; time += 1)
      expect((await bytesOf(item ?? expect.fail())).equals(bytes)).to.equal(true);
  });

  it("gives a file that grew in full, so that its size no longer fits", async () => {
    await put("x.bin", Buffer.alloc(2_000_000, 0));
    const [item] = (await collect(folderSource(folder))).items;
    await put("x.bin", Buffer.alloc(2_000_001, 0));
    expect((await bytesOf(item ?? expect.fail())).length).to.equal(2_000_001);
  });

  it("reads JSON, NDJSON and Bundles by their names, split when asked", async () => {
    await put("a.json", basic);
    await put("b.ndjson", `${basic}\n${basic}\n`);
    await put("c.json", `{"resourceType":"Bundle","entry":[{"resource":${basic}},{"resource":${basic}}]}`);
    await put("d.json", '{"no":"FHIR"}');
    await put("e", basic);
    await put("f", "{not JSON");
    await put("g.JSON", basic);
    const labels = async (split: boolean) =>
      (await collect(folderSource(folder, { split }))).items.map(
        ({ label, mediaType }) => `${label} ${mediaType.replace("application/", "")}`,
      );
    const rest = ["d.json json", "e fhir+json", "f text/plain", "g.JSON fhir+json"];
    const first = ["a.json fhir+json", "b.ndjson#line 1 fhir+json", "b.ndjson#line 2 fhir+json"];
    expect(await labels(false)).to.deep.equal([...first, "c.json fhir+json", ...rest]);
    expect(await labels(true)).to.deep.equal([
      ...first,
      "c.json#entry 1 fhir+json",
      "c.json#entry 2 fhir+json",
      ...rest,
    ]);
  });

  it("makes bad JSON a bad item and goes on", async () => {
    await put("a.json", "{");
    await put("b.json", basic);
    await put("c.json", "");
    const { items, bad } = await collect(folderSource(folder));
    expect(items.map(({ path }) => path)).to.deep.equal(["b.json"]);
    expect(bad.map(({ label, error }) => [label, error.code])).to.deep.equal([
      ["a.json", "ERR_JSON_INVALID"],
      ["c.json", "ERR_JSON_INVALID"],
    ]);
  });

  it("takes an empty file as a record of no bytes", async () => {
    await put("empty", "");
    const [item] = (await collect(folderSource(folder))).items;
    expect(item).to.include({ size: 0, mediaType: "application/octet-stream" });
    expect(await textOf(item ?? expect.fail())).to.equal("");
  });

  it("never follows a link out of the folder", async () => {
    await writeFile(join(outer, "secret.json"), basic);
    await mkdir(join(outer, "in-but-not"));
    await symlink("../secret.json", join(folder, "file.json"));
    await symlink("..", join(folder, "parent"));
    await symlink("../in-but-not", join(folder, "sibling"));
    await symlink("/etc/hostname", join(folder, "absolute"));
    await symlink("nowhere", join(folder, "dangling"));
    const { items, bad } = await collect(folderSource(folder));
    expect(items).to.deep.equal([]);
    expect(bad.map(({ label }) => label)).to.deep.equal([
      "absolute",
      "dangling",
      "file.json",
      "parent",
      "sibling",
    ]);
    expect(new Set(bad.map(({ error }) => error.code))).to.deep.equal(new Set(["ERR_ITEM_INVALID"]));
  });

  it("skips a link to what it reads anyway, and reports one to what it skips", async () => {
    await put("real/a.json", basic);
    await put(".hidden/b.json", basic);
    await symlink("real/a.json", join(folder, "again.json"));
    await symlink(".", join(folder, "loop"));
    await symlink(".hidden/b.json", join(folder, "to-hidden.json"));
    const { items, bad } = await collect(folderSource(folder));
    expect(items.map(({ path }) => path)).to.deep.equal(["real/a.json"]);
    expect(bad.map(({ label }) => label)).to.deep.equal(["loop", "to-hidden.json"]);
  });

  it("does not read a file that became a link since it was listed", async () => {
    await writeFile(join(outer, "secret.bin"), Buffer.alloc(2_000_000, 1));
    await put("a.bin", Buffer.alloc(2_000_000, 0));
    const [item] = (await collect(folderSource(folder))).items;
    await rm(join(folder, "a.bin"));
    await symlink("../secret.bin", join(folder, "a.bin"));
    const error = await bytesOf(item ?? expect.fail()).catch((caught: unknown) => caught);
    expect(error).to.include({ code: "ERR_SOURCE_CHANGED" }).with.nested.property("values.code", "ELOOP");
  });

  it("may itself be named through a link", async () => {
    await put("a.json", basic);
    await symlink("in", join(outer, "link"));
    expect((await collect(folderSource(join(outer, "link")))).items).to.have.lengthOf(1);
  });

  it("refuses a pipe instead of waiting for it", async function () {
    if (process.platform === "win32") this.skip();
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await put("z.json", basic);
    const { items, bad } = await collect(folderSource(folder));
    expect([items.length, bad.length]).to.deep.equal([1, 1]);
    expect(bad[0]?.error.message).to.contain("neither a file nor a folder");
  });

  it("makes an unreadable file or folder a bad item and goes on", async () => {
    await put("a.json", basic);
    await put("b/x.json", basic);
    await put("c.json", basic);
    for (const path of [outer, folder]) await chmod(path, 0o755);
    await chmod(join(folder, "a.json"), 0);
    await chmod(join(folder, "b"), 0);
    const root = process.geteuid?.() === 0; // who may read anything
    if (root) process.seteuid?.(65_534);
    const { items, bad } = await collect(folderSource(folder)).finally(() => root && process.seteuid?.(0));
    await chmod(join(folder, "b"), 0o700);
    expect(items.map(({ path }) => path)).to.deep.equal(["c.json"]);
    expect(bad.map(({ label, error }) => [label, error.values["code"]])).to.deep.equal([
      ["a.json", "EACCES"],
      ["b", "EACCES"],
    ]);
  });

  it("makes a file that goes away before it is read a bad item", async () => {
    await put("a.json", basic);
    await put("b.json", basic);
    const seen: string[] = [];
    for await (const item of folderSource(folder)) {
      seen.push("error" in item ? `${item.label} ${item.error.code}` : item.label);
      if (seen.length === 1) await rename(join(folder, "b.json"), join(outer, "b.json"));
    }
    expect(seen).to.deep.equal(["a.json", "b.json ERR_ITEM_INVALID"]);
  });

  it("writes keys in NFC and refuses the second of two names that are then the same", async function () {
    await put("e\u0301.txt", "1");
    expect((await collect(folderSource(folder))).items[0]?.sourceKey).to.equal("\u00e9.txt");
    await put("\u00e9.txt", "2");
    const { items, bad } = await collect(folderSource(folder));
    if (items.length + bad.length === 1) this.skip(); // a file system that normalizes
    expect([items.length, bad.length]).to.deep.equal([1, 1]);
    expect(bad[0]?.error.message).to.contain("NFC");
  });

  it("makes a file name that is not UTF-8 a bad item", async function () {
    if (process.platform !== "linux") this.skip();
    await writeFile(
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff]), Buffer.from(".json")]),
      basic,
    );
    const { items, bad } = await collect(folderSource(folder));
    expect([items.length, bad.map(({ error }) => error.code)]).to.deep.equal([0, ["ERR_ITEM_INVALID"]]);
  });

  it("knows its bytes in all from the first item on, and has read them at the end", async () => {
    await put("a.json", basic);
    await put("b/c.ndjson", `${basic}\n`);
    await put("d.bin", Buffer.alloc(2_000_000));
    await put(".skipped", "xxx");
    const source = folderSource(folder);
    expect(source.totalBytes).to.equal(undefined);
    const totals = new Set<number | undefined>();
    for await (const _ of source) totals.add(source.totalBytes);
    expect([...totals]).to.deep.equal([basic.length * 2 + 1 + 2_000_000]);
    expect(source.bytesRead).to.equal(source.totalBytes);
  });

  it("is one bad item when the folder is not there", async () => {
    const { items, bad } = await collect(folderSource(join(outer, "gone")));
    expect([items.length, bad.length]).to.deep.equal([0, 1]);
  });
});
