// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { bundleSource } from "../../src/ingest/index.js";
import type { Listener, ListenOptions } from "../../src/listen/index.js";
import { Resting, type OutboxFile } from "../../src/listen/outbox-scan.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { allItems, checkLog, sorted } from "../support/log-check.js";
import { oru } from "../support/mllp-client.js";
import { observation, observations } from "../support/observations.js";
import { rejected } from "../support/rejected.js";

describe("A listener for files of an outbox folder", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let folder: string;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    hospital = await openHospital(await consortium.hospital(`o${++count}`));
    await enrol(hospital, "p");
    folder = join(consortium.folder, `outbox${count}`);
    mkdirSync(folder);
  });
  afterEach(() => hospital[Symbol.asyncDispose]());

  async function listening(options: Partial<ListenOptions> = {}): Promise<Listener> {
    return await hospital.listen({ outbox: { folder }, batchWait: 1, ...options });
  }

  function put(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }

  const there = (path: string) => existsSync(join(folder, path));

  async function until(path: string): Promise<void> {
    while (!there(path)) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  it("takes files of every kind, moves each to done/ once it is durable, and anchors their exact bytes", async () => {
    await using listener = await listening({ split: true });
    const bundle = `{"resourceType":"Bundle","entry":[{"resource":${observation({ id: 9, patient: "p" })}}]}`;
    const files = {
      "a.json": observation({ id: 1, patient: "p" }),
      "ward 3/b.ndjson": observations("p", 3, 10).join("\n"),
      "c.json": bundle,
      "d.hl7": oru("1", "q"),
    };
    for (const [path, content] of Object.entries(files)) put(path, content);
    for (const [path, content] of Object.entries(files)) {
      await until(`done/${path}`);
      expect(String(readFileSync(join(folder, "done", path)))).to.equal(content);
      expect(there(path)).to.equal(false);
    }
    expect(listener.state()).to.include({ sealed: 5, waiting: 1, refused: 0 });
    await listener[Symbol.asyncDispose]();
    const expected = [files["a.json"], ...observations("p", 3, 10), observation({ id: 9, patient: "p" })];
    expect(sorted(await checkLog(hospital))).to.deep.equal(sorted(expected.map((text) => Buffer.from(text))));
  });

  it("leaves alone what is still being written, and takes it at once when it is renamed into place", async () => {
    await using _ = await listening();
    put("a.json.part", "{");
    put(".b.json", "{");
    put("c.tmp", "{");
    put("marker.json", observation({ id: 1, patient: "p" }));
    await until("done/marker.json");
    expect(["a.json.part", ".b.json", "c.tmp"].map(there)).to.deep.equal([true, true, true]);
    writeFileSync(join(folder, "a.json.part"), observation({ id: 2, patient: "p" }));
    renameSync(join(folder, "a.json.part"), join(folder, "a.json"));
    await until("done/a.json");
    expect(allItems(hospital)).to.have.lengthOf(2);
  });

  it("moves what cannot be stored to failed/ with the reasons, and without a word of the content", async () => {
    await using listener = await listening();
    put("bad.json", '{"resourceType":"Patient","name":"secret" "}');
    put("some.ndjson", `${observation({ id: 1, patient: "p" })}\n{ secret\n`);
    symlinkSync("/etc/hostname", join(folder, "link.json"));
    for (const name of ["bad.json", "some.ndjson", "link.json"]) await until(`failed/${name}.error.txt`);
    const said = (name: string) => readFileSync(join(folder, `failed/${name}.error.txt`), "utf8");
    expect(said("bad.json")).to.match(/^ERR_JSON_INVALID: /);
    expect(said("some.ndjson")).to.match(/^line 2: ERR_JSON_INVALID: /);
    expect(said("link.json")).to.match(/^ERR_ITEM_INVALID: /);
    expect(said("bad.json") + said("some.ndjson")).not.to.contain("secret");
    expect(statSync(join(folder, "failed/bad.json.error.txt")).mode & 0o777).to.equal(0o600);
    while (there("link.json") || there("bad.json") || there("some.ndjson"))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listener.state()).to.include({ sealed: 1 });
  });

  it("replaces nothing that lies in done/ already", async () => {
    await using _ = await listening();
    put("a.json", observation({ id: 1, patient: "p" }));
    await until("done/a.json");
    put("a.json", observation({ id: 1, patient: "p", note: "second" }));
    await until("done/a.json.1");
    expect(readdirSync(join(folder, "done")).sort()).to.deep.equal(["a.json", "a.json.1"]);
    expect(allItems(hospital)).to.have.lengthOf(2);
  });

  it("takes a file again that a crash left behind, as known, and moves it", async () => {
    await hospital.ingest(bundleSource(Buffer.from(observation({ id: 1, patient: "p" }))));
    put("a.json", observation({ id: 1, patient: "p" }));
    await using listener = await listening();
    await until("done/a.json");
    expect(listener.state()).to.include({ known: 1, sealed: 0 });
  });

  it("keeps a file in place while the disk is full, and takes it when there is room", async () => {
    const { database } = hospital.journal;
    let refused: () => void = () => {};
    const seen = new Promise<void>((resolve) => (refused = resolve));
    await using listener = await listening({ onRefused: () => refused() });
    database.exec("PRAGMA max_page_count = 1"); // SQLite then says that the disk is full
    put("a.ndjson", observations("p", 300).join("\n"));
    await seen;
    expect(there("a.ndjson")).to.equal(true);
    database.exec("PRAGMA max_page_count = 1000000");
    await until("done/a.ndjson");
    expect(listener.state()).to.include({ refused: 0 });
    expect(allItems(hospital)).to.have.lengthOf(300);
  });

  it("wants a folder that it may write", async () => {
    folder = join(folder, "nowhere");
    await rejected("ERR_USAGE", listening());
    expect(await hospital.retry(), "and holds no lock").to.include({ anchored: 0 });
  });
});

describe("A file in an outbox", () => {
  const file = (changes: Partial<OutboxFile> = {}): OutboxFile => ({
    ...{ file: "a", path: "a", state: "1", identity: "1", modified: 0, plain: true },
    ...changes,
  });

  it("is whole once neither size nor time changed for two seconds", () => {
    const resting = new Resting();
    const look = (state: string, now: number) =>
      resting.ready({ files: [file({ state })], unfinished: new Set() }, now).length;
    expect(look("1", 0)).to.equal(0);
    expect(look("2", 1_900)).to.equal(0);
    expect(look("2", 3_800)).to.equal(0);
    expect(look("2", 3_900)).to.equal(1);
    expect(look("2", 9_000), "until it is moved").to.equal(1);
  });

  it("is whole at once when it had another name while it was written", () => {
    const resting = new Resting();
    expect(resting.ready({ files: [], unfinished: new Set(["7"]) }, 0)).to.deep.equal([]);
    const renamed = file({ identity: "7" });
    for (const now of [10, 20])
      expect(resting.ready({ files: [renamed], unfinished: new Set() }, now)).to.deep.equal([renamed]);
    expect(resting.ready({ files: [], unfinished: new Set() }, 30)).to.deep.equal([]);
    expect(resting.ready({ files: [renamed], unfinished: new Set() }, 40), "a new file").to.deep.equal([]);
  });
});
