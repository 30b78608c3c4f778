// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Chartseal } from "../../../src/chartseal.js";
import { ItemState, openJournalFile } from "../../../src/records/index.js";
import { openEmbeddedStore } from "../../../src/storage/index.js";
import { passphrase } from "../../../src/vault/index.js";
import { openItem, sorted } from "../../support/log-check.js";
import { Consortium, PASSPHRASE, type Desk } from "../consortium.js";
import { cut, damage, lose } from "../damage.js";
import { observation, observations, reference } from "../observations.js";

interface Bodies {
  named: number;
  copied: number;
  bytes: number;
  removed: number;
  missing: { cid: string; logIndex?: number; code: string }[];
}

const LARGE = 3 * 1024 * 1024;

describe("A backup with its store", function () {
  this.timeout(180_000);
  let consortium: Consortium;
  let a: Desk;
  let moved = 0;
  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    for (const patient of ["ann", "bob"])
      await a.done("patient", "enrol", "--identifier", reference(patient), "--signer-key", key(patient));
  });
  after(() => consortium[Symbol.asyncDispose]());

  const keys = new Map<string, string>();
  const key = (patient: string) => {
    if (!keys.has(patient)) keys.set(patient, consortium.keyFile(`${patient}.key`));
    return keys.get(patient)!;
  };
  const store = () => join(consortium.folder, "store");
  const pool = () => a.path("pool");
  const backup = (name: string, ...flags: string[]) => [
    ...["backup", a.path(name), "--keks", a.path("keks.json"), "--expires", "2099-12-31"],
    ...["--bodies", pool(), "--json", ...flags],
  ];
  const bodiesOf = (outcome: { json: object }) => (outcome.json as { bodies: Bodies }).bodies;
  /** As after the machine was lost. */
  const loseAll = () => {
    moved++;
    for (const name of readdirSync(a.folder).filter((file) => /^(vault|journal)\.db/.test(file)))
      renameSync(a.path(name), a.path(`lost-${moved}-${name}`));
    renameSync(store(), `${store()}-lost-${moved}`);
  };
  const restore = (name: string) => [
    ...["restore", a.path(name), "--keks", a.path("keks.json"), "--bodies", pool(), "--json"],
  ];
  /** The bytes of every anchored record, opened with its key. */
  async function openAll(): Promise<string[]> {
    await using hospital = await Chartseal.open(a.config, { unlock: passphrase(PASSPHRASE) });
    const items = hospital.journal
      .itemsIn(ItemState.ANCHORED)
      .filter((item) => !item.erased && item.kind === 0);
    const bodies: Buffer[] = [];
    for (const item of items) bodies.push((await openItem(hospital, item)).body);
    return sorted(bodies);
  }

  it("is made while an ingest runs, whole, and restored elsewhere opens every record that it names", async () => {
    const lines = Array.from({ length: 1_500 }, (_, n) =>
      observation(`run${n}`, n % 2 === 0 ? "ann" : "bob"),
    );
    writeFileSync(a.path("run.ndjson"), `${lines.join("\n")}\n`);
    const ingest = ["ingest", a.path("run.ndjson"), "--batch-items", "40", "--json", "--config", a.config];
    const flags = ["--disable-warning=ExperimentalWarning", "--import", "tsx", "src/cli/main.ts"];
    const child = spawn(
      process.execPath,
      [...flags, ...ingest, "--passphrase-file", consortium.passphraseFile],
      {
        stdio: "ignore",
      },
    );
    const ended = once(child, "close");
    const anchored = () => {
      if (!existsSync(a.path("journal.db"))) return 0;
      using journal = openJournalFile(a.path("journal.db"));
      return Number(journal.get("SELECT count(*) AS n FROM batches WHERE state = 5")!["n"]);
    };
    while (anchored() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    const taken = bodiesOf(await a.done(...backup("running")));
    expect(child.exitCode, "the ingest still runs").to.equal(null);
    child.kill("SIGKILL");
    await ended;
    expect(taken.missing).to.deep.equal([]);
    expect(taken.copied).to.equal(taken.named);
    expect(taken.named).to.be.within(4 * 41, lines.length + lines.length / 40);

    loseAll();
    const restored = await a.done(...restore("running"));
    expect(bodiesOf(restored)).to.deep.include({ named: taken.named, copied: taken.named, missing: [] });
    const opened = await openAll();
    expect(opened.length).to.be.greaterThan(4 * 40 - 1);
    // What came after the backup is taken in again from its source; what the backup has is known.
    await a.done("ingest", a.path("run.ndjson"), "--batch-items", "500");
    const all = sorted(lines.map((line) => Buffer.from(line)));
    expect((await openAll()).filter((body, place) => body !== all[place])).to.deep.equal([]);
    expect(await openAll()).to.have.lengthOf(lines.length);
    const doctor = await a.run("doctor", "--json");
    const failed = (doctor.json as { findings: { state: string }[] }).findings.filter(
      ({ state }) => state === "fail",
    );
    expect(failed).to.deep.equal([]);
    expect(doctor.code).to.equal(0);
  });

  it("copies only what is new the next time, large bodies too", async () => {
    const first = bodiesOf(await a.done(...backup("first")));
    expect(first.missing).to.deep.equal([]);
    writeFileSync(a.path("scan.dat"), randomBytes(LARGE));
    writeFileSync(a.path("rules.json"), JSON.stringify(RULES));
    await a.done("ingest", a.path("scan.dat"), "--rules", a.path("rules.json"));
    writeFileSync(a.path("day.ndjson"), observations("ann", 3, "day"));
    await a.done("ingest", a.path("day.ndjson"));
    const second = bodiesOf(await a.done(...backup("second")));
    // Four records and the manifests of two batches.
    expect(second).to.include({ named: first.named + 6, copied: 6, removed: 0 });
    expect(second.bytes).to.be.within(LARGE, LARGE + 200_000);
    expect(bodiesOf(await a.done(...backup("third")))).to.include({
      named: second.named,
      copied: 0,
      bytes: 0,
    });
    loseAll();
    await a.done(...restore("third"));
    expect((await openAll()).some((body) => body.length > LARGE)).to.equal(true);
  });

  it("copies a body again that was cut short in its folder, be it a row or a file", async () => {
    const [small] = named();
    cut(pool(), small!);
    const files = readdirSync(join(pool(), "bodies"), { recursive: true, withFileTypes: true });
    const large = files.find((entry) => entry.isFile())!;
    truncateSync(join(large.parentPath, large.name), LARGE - 1);
    expect(bodiesOf(await a.done(...backup("of-cut")))).to.include({ copied: 2 });
    await using copied = await openEmbeddedStore(pool(), { readOnly: true });
    for (const cid of [small!, large.name]) expect(await copied.verify(cid)).to.include({ ok: true });
  });

  it("takes the bodies of erased records out of its folder, and restores none", async () => {
    using before = openJournalFile(a.path("journal.db"));
    const { cid, log_index: index } = before.get(
      "SELECT cid, log_index FROM items WHERE state = 5 AND kind = 0 ORDER BY id LIMIT 1",
    ) as { cid: string; log_index: number };
    await a.done("erase", String(index), "--ground", "patient", "--signer-key", key("ann"));
    expect(bodiesOf(await a.done(...backup("after-erasure")))).to.include({ removed: 1 });
    await using copied = await openEmbeddedStore(pool(), { readOnly: true });
    expect(await copied.has(cid)).to.equal(false);
  });

  it("names a body that is damaged or missing, copies the rest, and ends with 3", async () => {
    const [gone, flipped] = named().slice(-2);
    lose(pool(), gone!);
    lose(pool(), flipped!);
    lose(store(), gone!);
    damage(store(), flipped!);
    const outcome = await a.run(...backup("damaged"));
    expect(outcome.code).to.equal(3);
    expect(bodiesOf(outcome).missing.map(({ cid, code }) => [cid, code])).to.have.deep.members([
      [gone, "ERR_BODY_MISSING"],
      [flipped, "ERR_BODY_TAMPERED"],
    ]);
  });

  it("fills a store again that was lost alone, without touching vault and journal", async () => {
    await a.refused(2, "ERR_USAGE", "restore", "--keks", a.path("keks.json"));
    renameSync(store(), `${store()}-alone`);
    const outcome = await a.run("restore", "--bodies", pool(), "--json");
    const { copied, missing, named: all } = bodiesOf(outcome);
    expect(missing).to.have.lengthOf(2);
    expect(copied).to.equal(all - 2);
    expect(outcome.code).to.equal(3);
  });

  it("brings back what is damaged in the store, and names what is damaged in its folder", async () => {
    const [rotten, spoilt] = named();
    damage(store(), rotten!);
    damage(pool(), spoilt!);
    lose(store(), spoilt!);
    const outcome = await a.run("restore", "--bodies", pool(), "--json");
    const { copied, missing } = bodiesOf(outcome);
    expect(copied).to.equal(1);
    expect(missing.find(({ cid }) => cid === spoilt)).to.include({ code: "ERR_BODY_TAMPERED" });
    expect(missing, "and the two of before").to.have.lengthOf(3);
    expect(outcome.code).to.equal(3);
    await using healed = await openEmbeddedStore(store(), { readOnly: true });
    expect(await healed.verify(rotten!)).to.include({ ok: true });
    expect(await healed.has(spoilt!)).to.equal(false);
  });

  it("is not made into the store itself, nor into the backup's own folder", async () => {
    const into = (folder: string) => backup("none").map((word) => (word === pool() ? folder : word));
    await a.refused(2, "ERR_USAGE", ...into(store()));
    mkdirSync(a.path("links"));
    await a.refused(2, "ERR_USAGE", ...into(a.path("none/bodies")));
    expect(existsSync(a.path("none"))).to.equal(false);
    expect(readdirSync(a.folder).filter((name) => name.endsWith(".tmp"))).to.deep.equal([]);
  });

  /** CIDs of the entries that are not erased. */
  function named(): string[] {
    using journal = openJournalFile(a.path("journal.db"));
    const sql = "SELECT cid FROM items WHERE erased = 0 AND log_index IS NOT NULL ORDER BY id";
    return journal.all(sql).map(({ cid }) => String(cid));
  }
});

/** An opaque file is ann's. */
const RULES = {
  format: 1,
  rules: [{ path: "*.dat", patient: { system: "fhir:Patient", value: "ann" } }],
};
