// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { ZipFile, type ArchiveEntry, type ArchiveManifest } from "../../../src/lifecycle/index.js";
import { report } from "../../support/hl7.js";
import { Consortium, type Desk } from "../consortium.js";

describe("an archive of a patient's records", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let a: Desk;

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
  });
  after(() => consortium[Symbol.asyncDispose]());

  async function filesOf(path: string): Promise<Map<string, Buffer>> {
    await using zip = await ZipFile.open(path);
    const files = new Map<string, Buffer>();
    for (const name of zip.names()) files.set(name, Buffer.concat(await Array.fromAsync(zip.read(name))));
    return files;
  }
  const manifestOf = (files: Map<string, Buffer>) =>
    JSON.parse(files.get("manifest.json")!.toString()) as ArchiveManifest;

  it("withholds what its source took back and the chain does not know of yet, but not what a legal hold keeps", async () => {
    const dan = "GH|dan";
    const danKey = consortium.keyFile("dan.key");
    await a.done("patient", "enrol", "--identifier", dan, "--signer-key", danKey);
    const ingest = async (name: string, ...messages: string[]) => {
      writeFileSync(a.path(name), messages.join(""));
      await a.run("ingest", a.path(name), "--chain-wait", "0");
    };
    const reports = (status: string, ...fillers: string[]) =>
      fillers.map((filler) => report(`${filler}${status}`, "dan", filler, [`value of ${filler}`, status]));
    await ingest("dan.hl7", ...reports("F", "misfiled", "held"));
    await a.done("retry");
    await a.done("export", dan, "--out", a.path("dan-before.zip"));
    const [, { index }] = manifestOf(await filesOf(a.path("dan-before.zip"))).entries as [
      unknown,
      ArchiveEntry,
    ];
    const until = new Date(Date.now() + 5 * 86_400_000).toISOString();
    await a.done("hold", "place", `${index}`, "--until", until, "--signer-key", danKey);
    a.configure({ url: "http://127.0.0.1:9" });
    await ingest("late.hl7", ...reports("F", "late"));
    await ingest("errors.hl7", ...reports("W", "misfiled", "held", "late"));
    a.configure({});
    await a.done("export", dan, "--out", a.path("dan.zip"));
    const files = await filesOf(a.path("dan.zip"));
    const { entries, pending } = manifestOf(files);
    expect(entries.map(({ kind, withheld }) => [kind, withheld]).slice(0, 2)).to.deep.equal([
      ["RECORD", "taken back"],
      ["RECORD", undefined],
    ]);
    const records = pending.filter(({ kind }) => kind === "RECORD");
    expect(records.map(({ withheld }) => withheld)).to.deep.equal(Array(4).fill("taken back"));
    const hl7 = [...files]
      .filter(([name]) => /^(records|pending)/.test(name))
      .map(([, bytes]) => bytes.toString());
    expect(hl7.some((text) => text.includes("value of held"))).to.equal(true);
    expect(hl7.some((text) => /value of (misfiled|late)/.test(text))).to.equal(false);
    expect(files.get("index.html")!.toString()).to.contain("taken back by its source");
    await a.done("export", dan, "--language", "zh", "--out", a.path("dan-zh.zip"));
    expect((await filesOf(a.path("dan-zh.zip"))).get("index.html")!.toString()).to.contain("已被来源撤回");
    const { json } = await a.done("verify", "--archive", a.path("dan.zip"), "--json");
    expect(json).to.deep.include({ ok: true, withheld: [{ index: index - 1, reason: "taken back" }] });
  });
});
