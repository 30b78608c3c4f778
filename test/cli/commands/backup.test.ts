// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Journal } from "../../../src/records/index.js";
import { Vault, passphrase } from "../../../src/vault/index.js";
import { openDatabase } from "../../../src/sqlite.js";
import { runChild } from "../../support/child.js";
import { Needles } from "../../support/needles.js";
import { Consortium, PASSPHRASE, type Desk } from "../consortium.js";
import { observations, reference } from "../observations.js";

interface Finding {
  check: string;
  state: string;
  detail: string;
}

describe("backups on the command line", function () {
  this.timeout(120_000);
  let consortium: Consortium;
  let a: Desk;
  let key: string;
  let moved = 0;

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    key = consortium.keyFile("ann.key");
    await a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", key);
    await ingest("first", 3);
  });
  after(() => consortium[Symbol.asyncDispose]());

  const ingest = async (name: string, count: number) => {
    writeFileSync(a.path(`${name}.ndjson`), observations("ann", count, name));
    return (await a.done("ingest", a.path(`${name}.ndjson`), "--json")).json;
  };
  const keks = () => a.path("keks.json");
  const backup = (name: string, ...flags: string[]) => [
    ...["backup", a.path(name), "--keks", keks(), "--expires", "2099-12-31"],
    ...flags,
  ];
  const restore = (name: string) => ["restore", a.path(name), "--keks", keks()];
  const erase = (index: string) =>
    a.done("erase", index, "--ground", "patient", "--signer-key", key, "--json");
  const findings = async () =>
    ((await a.run("doctor", "--json")).json as { findings: Finding[] }).findings.filter(
      ({ check }) => check === "backups",
    );
  /** As after a disk was lost. */
  const lose = () => {
    moved++;
    for (const name of readdirSync(a.folder).filter((file) => /^(vault|journal)\.db/.test(file)))
      renameSync(a.path(name), a.path(`lost-${moved}-${name}`));
  };
  /** What the vault answers for the key of an entry. */
  async function keyOf(index: number, file = a.path("vault.db")): Promise<string> {
    using vault = await Vault.open(file, passphrase(PASSPHRASE));
    using journal = Journal.open(a.path("journal.db"), vault);
    try {
      return Buffer.from(vault.keyOf(journal.itemAt(index)!.recordId!)).toString("hex");
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  it("hold all but the key-encryption keys, are private, and are listed until they expire", async () => {
    expect((await findings())[0]!.detail).to.contain("there is none that can be restored");
    const { json } = await a.done(...backup("one", "--json"));
    expect(json).to.include({ folder: a.path("one"), erased: 0 });
    expect(readdirSync(a.path("one")).sort()).to.deep.equal(["journal.db", "vault.db"]);
    for (const path of [keks(), a.path("one/vault.db")]) expect(statSync(path).mode & 0o077).to.equal(0);
    expect(statSync(a.path("one")).mode & 0o077).to.equal(0);
    const needles = new Needles();
    using live = openDatabase(a.path("vault.db"), {
      format: 1,
      schema: "",
      damagedCode: "ERR_VAULT_DAMAGED",
    });
    for (const { wrapped } of live.all("SELECT wrapped FROM keks"))
      needles.addEncodings("wrapped key-encryption key", wrapped as Uint8Array);
    expect(needles.findIn(readFileSync(a.path("vault.db"))).concat(needles.findIn(readFileSync(keks())))).not
      .to.be.empty;
    for (const name of ["journal.db", "vault.db"])
      expect(needles.findIn(readFileSync(a.path(`one/${name}`)))).to.deep.equal([]);
    const [finding] = await findings();
    expect(finding).to.include({ state: "ok" });
    expect(finding!.detail).to.contain("can be restored");
  });

  it("are never half there, in the way of another, or beside their own keys", async () => {
    await a.refused(2, "ERR_USAGE", ...backup("one"));
    await a.refused(
      2,
      "ERR_USAGE",
      "backup",
      a.path("x"),
      "--keks",
      a.path("x/keks"),
      "--expires",
      "2099-12-31",
    );
    await a.refused(2, "ERR_USAGE", "backup", a.path("x"), "--keks", keks(), "--expires", "2001-12-31");
    await a.refused(
      2,
      "ERR_USAGE",
      "backup",
      a.path("x"),
      "--keks",
      a.path("first.ndjson"),
      "--expires",
      "2099-12-31",
    );
    // Fails when all but its place is there: nothing of it is left to be counted.
    symlinkSync("nowhere", a.path("y"));
    expect((await a.run(...backup("y"))).code).not.to.equal(0);
    expect(await findings()).to.have.length(1);
    expect(readdirSync(a.folder).filter((name) => name.includes("tmp") || name === "x")).to.deep.equal([]);
  });

  it("that hold the key of an erased record are named by its certificate and by doctor", async () => {
    const { erased } = (await erase("1")).json as { erased: { backups: number }[] };
    expect(erased[0]!.backups).to.equal(1);
    const [finding] = await findings();
    expect(finding).to.include({ state: "warn" });
    expect(finding!.detail).to.contain("still holds the keys of 1 erased records");
  });

  it("put in place by hand give no key, and neither while the chain does not answer", async () => {
    lose();
    for (const name of ["journal.db", "vault.db"]) copyFileSync(a.path(`one/${name}`), a.path(name));
    expect(await keyOf(2)).to.equal("ERR_VAULT_RESTORED");
    writeFileSync(a.path("new.ndjson"), observations("ann", 1, "new"));
    await a.refused(1, "ERR_VAULT_RESTORED", "ingest", a.path("new.ndjson"));
    await a.refused(1, "ERR_VAULT_RESTORED", ...backup("of-a-copy"));
    expect((await a.run("doctor", "--json")).code).to.equal(1);
    a.configure({ url: "http://127.0.0.1:9" });
    await a.refused(1, "ERR_RPC_UNAVAILABLE", ...restore("one"));
    a.configure({});
    expect(await keyOf(2)).to.equal("ERR_VAULT_RESTORED");
  });

  it("are restored with every erasure since, and then serve", async () => {
    const { json } = await a.done(...restore("one"), "--json");
    // The certificate came after the backup.
    expect(json).to.deep.equal({ erased: 1, lost: 1 });
    expect(await keyOf(1)).to.equal("ERR_KEY_ERASED");
    expect(await keyOf(2)).to.match(/^[0-9a-f]{64}$/);
    expect(await ingest("second", 2)).to.include({ anchored: 2 });
    expect((await a.done("verify", "--log", "--json")).json).to.include({ ok: true });
    await a.refused(1, "ERR_CONFIG_INVALID", ...restore("one"));
  });

  it("that are older than the last erasure open nothing once another was made", async () => {
    const before = readFileSync(keks(), "utf8");
    await a.done(...backup("two"));
    expect(readFileSync(keks(), "utf8")).not.to.equal(before);
    expect((await findings()).map(({ state, detail }) => [state, /: (.*)$/.exec(detail)![1]])).to.deep.equal([
      ["ok", "opens nothing, its key-encryption key was destroyed"],
      ["ok", "can be restored"],
    ]);
    lose();
    await a.refused(1, "ERR_KEY_ERASED", ...restore("one"));
    lose();
    await a.done(...restore("two"));
    expect(await keyOf(2)).to.match(/^[0-9a-f]{64}$/);
    expect(await ingest("third", 2)).to.include({ anchored: 2 });
  });

  it("without an erasure in between all stay good", async () => {
    await a.done(...backup("three"));
    expect((await findings()).filter(({ detail }) => detail.includes("can be restored"))).to.have.length(2);
  });

  it("that are cut short count in every certificate, and keep the key-encryption key until the next one", async () => {
    const b = await consortium.member("b", "operator");
    const bKey = consortium.keyFile("b.key");
    await b.done("patient", "enrol", "--identifier", reference("bob"), "--signer-key", bKey);
    writeFileSync(b.path("bob.ndjson"), observations("bob", 2));
    await b.done("ingest", b.path("bob.ndjson"));
    const make = (name: string) => [
      ...["backup", b.path(name), "--keks", b.path("keks.json"), "--expires", "2099-12-31"],
      ...["--config", b.config, "--passphrase-file", consortium.passphraseFile],
    ];
    // Killed when the copy of the vault is whole, and the backup is not.
    const { signal } = await runChild(new URL("../../../src/cli/main.ts", import.meta.url), make("one"), {
      imports: [new URL("../../support/kill-point.ts", import.meta.url)],
      env: { KILL_AT: "2", KILL_WHAT: "after write to vault.db" },
    });
    expect(signal).to.equal("SIGKILL");
    expect(existsSync(b.path("one"))).to.equal(false);
    expect(readdirSync(b.folder).filter((name) => name.endsWith(".tmp"))).to.have.length(1);
    const doctor = async () =>
      ((await b.run("doctor", "--json")).json as { findings: Finding[] }).findings
        .filter(({ check }) => check === "backups")
        .map(({ state, detail }) => [state, /(?:: )?([^:]*)$/.exec(detail)![1]]);
    const cutShort = "was begun and not finished, and may hold keys";
    const none = "there is none that can be restored; `chartseal backup` makes one";
    expect(await doctor()).to.deep.equal([
      ["warn", cutShort],
      ["ok", none],
    ]);
    const kekIds = async () => {
      using vault = await b.vault();
      return vault.backups.keks().map(({ kekId }) => kekId);
    };
    const before = await kekIds();
    const { json } = await b.done("erase", "1", "--ground", "patient", "--signer-key", bKey, "--json");
    const [erased] = (json as { erased: { backups: number; certificateIndex: number }[] }).erased;
    expect(erased!.backups).to.equal(1);
    expect(await kekIds()).to.deep.equal(before);
    await b.done(...make("two").slice(0, 6));
    expect(await kekIds()).not.to.have.members(before);
    expect((await doctor()).map(([state]) => state)).to.deep.equal(["ok", "ok"]);
  });

  it("are not put over a vault, and take no other vault's keys", async () => {
    await a.refused(1, "ERR_CONFIG_INVALID", ...restore("three"));
    lose();
    const other = await consortium.member("other");
    await other.done("backup", other.path("b"), "--keks", other.path("keks"), "--expires", "2099-12-31");
    await a.refused(1, "ERR_VAULT_DAMAGED", "restore", a.path("three"), "--keks", other.path("keks"));
    expect(await keyOf(2)).to.equal("ERR_VAULT_RESTORED");
    await a.done(...restore("three"));
    lose();
    writeFileSync(a.path("journal.db"), "");
    await a.refused(1, "ERR_CONFIG_INVALID", ...restore("three"));
    expect(existsSync(a.path("vault.db"))).to.equal(false);
  });

  it("are not put beside what another file left behind: SQLite would replay it over the copy", async () => {
    for (const left of ["journal.db-wal", "journal.db-shm", "vault.db-wal", "vault.db-shm"]) {
      lose();
      writeFileSync(a.path(left), "left by a crash");
      const { hint } = await a.refused(1, "ERR_CONFIG_INVALID", ...restore("three"));
      expect(hint, left).to.contain("-wal");
      expect(["journal.db", "vault.db"].map((name) => existsSync(a.path(name)))).to.deep.equal([
        false,
        false,
      ]);
    }
    lose();
    await a.done(...restore("three"));
  });
});
