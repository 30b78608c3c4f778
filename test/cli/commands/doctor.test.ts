// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Chain } from "../../../src/chain/index.js";
import { loadConfig } from "../../../src/config.js";
import { checkBackups } from "../../../src/cli/doctor/backups.js";
import { checkClock, checkStaff } from "../../../src/cli/doctor/consortium.js";
import { Diagnosis } from "../../../src/cli/doctor/diagnosis.js";
import { Journal } from "../../../src/records/index.js";
import { checkDisk, checkNodeVersion } from "../../../src/cli/doctor/machine.js";
import { TemporaryVault } from "../../vault/temporary-vault.js";
import { chartseal } from "../command-line.js";
import { Consortium, type Desk } from "../consortium.js";
import { lose } from "../damage.js";
import { observation, observations, reference } from "../observations.js";

interface Examined {
  ok: boolean;
  findings: { check: string; state: string; detail: string; hint?: string }[];
}

describe("doctor", () => {
  let consortium: Consortium;
  let a: Desk;
  before(async function () {
    this.timeout(60_000);
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator", "releaser");
    await a.done("patient", "enrol", "--identifier", reference("ann"));
    writeFileSync(a.path("a.ndjson"), observations("ann", 4));
    await a.done("ingest", a.path("a.ndjson"), "--batch-items", "2");
  });
  after(() => consortium[Symbol.asyncDispose]());

  const examine = async () => {
    const outcome = await a.run("doctor", "--json");
    return { code: outcome.code, ...(outcome.json as Examined) };
  };
  /** The findings that are not ok, after `provoke`; what it did is undone. */
  const found = async (provoke: () => unknown, undo: () => unknown) => {
    await provoke();
    try {
      const { code, findings } = await examine();
      return { code, findings: findings.filter(({ state }) => state !== "ok") };
    } finally {
      await undo();
    }
  };
  const journal = (sql: string) => {
    using database = new DatabaseSync(a.path("journal.db"), { timeout: 5_000 });
    database.exec(sql);
  };

  it("finds nothing wrong with a good set-up", async () => {
    const { code, ok, findings } = await examine();
    expect(findings.filter(({ state }) => state !== "ok")).to.deep.equal([]);
    expect({ code, ok }).to.deep.equal({ code: 0, ok: true });
    const checks = [
      "node",
      "configuration",
      "file modes",
      "exchange",
      "disk",
      "chain",
      "clock",
      "member",
      "vault",
    ];
    const more = [
      "encryption key",
      "admin",
      "staff operator",
      "journal",
      "items",
      "log head",
      "log roots",
      "store",
    ];
    expect(findings.map(({ check }) => check)).to.include.members([...checks, ...more]);
    expect((await a.done("doctor")).out).to.match(/^ok +chain /m);
  });

  it("names a vault that others may read, and tells the command", async () => {
    const { code, findings } = await found(
      () => chmodSync(a.path("vault.db"), 0o640),
      () => chmodSync(a.path("vault.db"), 0o600),
    );
    expect(code).to.equal(1);
    expect(findings).to.have.length(1);
    expect(findings[0]).to.include({
      check: "file modes",
      state: "fail",
      hint: `chmod 600 ${a.path("vault.db")}`,
    });
  });

  it("names an exchange that is not there", async () => {
    const folder = join(consortium.folder, "exchange");
    const { findings } = await found(
      () => renameSync(folder, `${folder}.away`),
      () => renameSync(`${folder}.away`, folder),
    );
    expect(findings.map(({ check, state }) => [check, state])).to.deep.equal([["exchange", "fail"]]);
  });

  it("names a node that does not answer, and still looks at the vault", async () => {
    const { code, findings } = await found(
      () => a.configure({ url: "http://127.0.0.1:1" }),
      () => a.configure({}),
    );
    expect(code).to.equal(1);
    expect(findings.map(({ check }) => check)).to.deep.equal(["chain"]);
    expect(findings[0]!.detail).to.contain("ERR_RPC_UNAVAILABLE");
  });

  it("names another chain's deployment", async () => {
    const other = { ...consortium.deployment, chainId: 99 };
    writeFileSync(join(consortium.folder, "other.json"), JSON.stringify(other));
    const { findings } = await found(
      () => a.configure({ deployment: "../other.json" }),
      () => a.configure({}),
    );
    expect(findings[0]).to.include({ check: "chain", state: "fail" });
    expect(findings[0]!.detail).to.contain("ERR_CHAIN_MISMATCH");
  });

  it("names a member that has not joined, or does not exist", async () => {
    const unjoined = await found(
      () => a.configure({ member: { name: "a" } }),
      () => a.configure({}),
    );
    expect(unjoined.findings[0]).to.include({ check: "member", state: "fail" });
    expect(unjoined.findings[0]!.hint).to.contain("member join");
    const unknown = await found(
      () => a.configure({ member: { id: 77, name: "a" } }),
      () => a.configure({}),
    );
    expect(unknown.findings[0]!.detail).to.contain("no member 77");
  });

  it("names a suspension", async () => {
    const { governance } = consortium;
    const { findings } = await found(
      () => governance.done("member", "suspend", String(a.id), "--writing"),
      () => governance.done("member", "suspend", String(a.id)),
    );
    expect(findings[0]).to.include({
      check: "member",
      state: "fail",
      detail: `member ${a.id} is suspended from writing`,
    });
  });

  it("names staff who are not enrolled, revoked, or expire soon", async () => {
    const inTenDays = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
    const { findings } = await found(
      async () => {
        using vault = await a.vault();
        vault.putStaffKey("unenrolled", `0x${"17".repeat(32)}`);
        await a.done("staff", "enrol", "--name", "brief", "--role", "CLINICIAN", "--not-after", inTenDays);
        await a.done("staff", "enrol", "--name", "gone", "--role", "CLINICIAN");
        await a.done("staff", "revoke", "gone", "--reason", "LEFT");
      },
      async () => {
        using vault = await a.vault();
        for (const name of ["unenrolled", "brief", "gone"]) vault.removeStaffKey(name);
      },
    );
    expect(findings.map(({ check, state }) => [check, state])).to.have.deep.members([
      ["staff unenrolled", "warn"],
      ["staff brief", "warn"],
      ["staff gone", "warn"],
    ]);
  });

  it("fails staff who have expired", async () => {
    using vault = await a.vault();
    using chain = Chain.open((await loadConfig(a.config)).chain);
    const diagnosis = new Diagnosis();
    await checkStaff(diagnosis, chain, { vault, memberId: a.id, now: Date.now() + 800 * 86_400_000 });
    expect(diagnosis.findings.map(({ state, detail }) => [state, detail])).to.deep.equal([
      ["fail", "has expired"],
      ["fail", "has expired"],
    ]);
  });

  it("names a vault without the published encryption key", async () => {
    const { findings } = await found(
      () => a.configure({ member: { id: a.id, name: "a" } }),
      () => a.configure({}),
    );
    expect(findings).to.deep.equal([]);
    const b = await consortium.member("b");
    const held = await consortium.desk("stranger");
    held.id = b.id;
    held.configure({});
    const outcome = await held.run("doctor", "--json");
    const checks = (outcome.json as Examined).findings
      .filter(({ state }) => state !== "ok")
      .map(({ check, state }) => [check, state]);
    expect(checks).to.have.deep.members([
      ["encryption key", "fail"],
      ["admin", "warn"],
      ["staff", "warn"],
    ]);
    const c = await consortium.desk("keyless");
    const { json } = await consortium.governance.done(
      "member",
      "admit",
      "--admin",
      c.admin,
      "--name",
      "c",
      "--json",
    );
    c.id = (json as { memberId: number }).memberId;
    c.configure({});
    const { findings: keyless } = (await c.run("doctor", "--json")).json as Examined;
    expect(keyless.find(({ check }) => check === "encryption key")?.detail).to.contain("published none");
  });

  it("names a wrong passphrase, and goes no further", async () => {
    const wrong = join(consortium.folder, "wrong");
    writeFileSync(wrong, "another horse battery staple", { mode: 0o600 });
    const locked = await chartseal(["doctor", "--json", "--config", a.config, "--passphrase-file", wrong]);
    expect(locked.code).to.equal(1);
    const failed = (locked.json as Examined).findings.filter(({ state }) => state === "fail");
    expect(failed.map(({ check }) => check)).to.deep.equal(["vault"]);
  });

  it("names items that wait or were refused", async () => {
    writeFileSync(a.path("mixed.ndjson"), `${observation("w", "stranger")}\n{"no\n`);
    await a.run("ingest", a.path("mixed.ndjson"));
    const { code, findings } = await examine();
    const items = findings.filter(({ check }) => check === "items");
    expect(items.map(({ state, detail }) => [state, detail.replace(/\d+ s$/, "N s")])).to.deep.equal([
      ["warn", "1 wait for their patient, the oldest for N s"],
      ["warn", "1 were refused by ERR_JSON_INVALID"],
    ]);
    expect(items[1]!.hint).to.contain("ingest that source again");
    expect(code).to.equal(0);
    journal("DELETE FROM items WHERE state IN (1, 6)");
  });

  it("names a process that fell silent, and what is not anchored in time", async () => {
    const alive = a.path("alive");
    mkdirSync(alive);
    const beat = { format: 1, pid: 1, startedAt: 1, beatAt: 1, vaultUnlocked: true };
    const { findings } = await found(
      () => {
        writeFileSync(join(alive, "release-agent.json"), JSON.stringify(beat));
        journal("UPDATE items SET state = 4, received_at = 1 WHERE log_index = 4");
      },
      () => {
        rmSync(alive, { recursive: true });
        journal("UPDATE items SET state = 5 WHERE log_index = 4");
      },
    );
    const [silent] = findings.filter(({ check }) => check === "processes");
    expect(silent).to.include({ state: "warn" });
    expect(silent!.hint).to.contain("systemctl restart chartseal-release-agent");
    const [late] = findings.filter(({ check }) => check === "items");
    expect(late!.detail).to.match(/not all is anchored yet, the oldest item for \d+ days$/);
  });

  it("names a newest backup that is old", async () => {
    using made = await TemporaryVault.make();
    const { backups } = made.vault;
    const madeAt = Date.now() / 1_000 - 9 * 86_400;
    backups.finish(backups.begin({ now: madeAt, expiresAt: madeAt * 2 }));
    const diagnosis = new Diagnosis();
    checkBackups(diagnosis, made.vault);
    expect(diagnosis.findings.at(-1)).to.include({ state: "warn", detail: "the newest was made 9 days ago" });
  });

  it("names every row of the journal that was altered, and status lists what may no longer be shown", async () => {
    const rows = ({ findings }: { findings: Examined["findings"] }) =>
      findings.filter(({ check }) => check === "journal rows").map(({ detail }) => detail);
    const day = new Date().toISOString().slice(0, 10);
    const all = `all as they were written; authenticated since ${day}, when 0 items were taken on trust`;
    expect(rows(await examine())).to.deep.equal([all]);
    using vault = await a.vault();
    using own = Journal.open(a.path("journal.db"), vault);
    const before = own.database.all("SELECT id, record_id FROM items");
    const items = await found(
      () => journal("UPDATE items SET record_id = zeroblob(16) WHERE id IN (1, 3)"),
      () => undefined,
    );
    expect(items.code).to.equal(1);
    expect(rows(items)).to.deep.equal(["2 items were altered past chartseal: 1, 3"]);
    const batch = await found(
      () => journal("UPDATE batches SET count = 3 WHERE id = 2; UPDATE items SET state = 6 WHERE id = 1"),
      () => journal("UPDATE batches SET count = 2 WHERE id = 2"),
    );
    expect(rows(batch)).to.deep.equal([
      "2 items were altered past chartseal: 1, 3",
      "1 batches were altered past chartseal: 2",
    ]);
    const { list } = (await a.done("status", "--list", "--json")).json as { list: unknown[] };
    expect(list).to.deep.equal([{ item: 1, state: "dead", reason: "ERR_STORE_FAILED", label: "" }]);
    journal("UPDATE items SET state = 5");
    for (const { id, record_id: recordId } of before)
      own.database.run("UPDATE items SET record_id = ? WHERE id = ?", recordId!, id!);
    expect(rows(await examine())).to.deep.equal([all]);
  });

  it("names a journal that another process writes", async () => {
    const { promise: end, resolve } = Promise.withResolvers<undefined>();
    const { promise: reading, resolve: began } = Promise.withResolvers<undefined>();
    const stdin = (async function* () {
      began(undefined);
      yield Buffer.from(`${observation("o1", "ann")}\n`);
      await end;
    })();
    const writer = a.runWith({ stdin }, "ingest", "-", "--format", "ndjson");
    await reading;
    const { findings } = await examine();
    resolve(undefined);
    await writer;
    expect(findings.find(({ check }) => check === "journal")).to.include({ state: "warn" });
  });

  it("names a journal that is behind the chain, ahead of it, or has another root", async () => {
    const behind = await found(
      () => journal("UPDATE batches SET state = 4 WHERE first_index = 3"),
      () => journal("UPDATE batches SET state = 5"),
    );
    expect(behind.findings.map(({ check }) => check)).to.include("log head");
    using vault = await a.vault();
    using own = Journal.open(a.path("journal.db"), vault);
    const batch = { ...own.batches(3)[0]!, root: new Uint8Array(32) };
    const root = await found(
      () =>
        own.database.run(
          "UPDATE batches SET root = zeroblob(32), row_mac = ? WHERE first_index = 3",
          own.rows.macOfBatch(batch),
        ),
      () => undefined,
    );
    expect(root.findings).to.have.length(1);
    expect(root.findings[0]).to.include({ check: "log roots", state: "fail" });
    expect(root.findings[0]!.detail).to.contain("2 entries from 3");
  });

  it("names a store without a batch's manifest", async () => {
    using database = new DatabaseSync(a.path("journal.db"));
    const row = database.prepare("SELECT manifest_cid AS cid FROM batches WHERE first_index = 1").get() as {
      cid: string;
    };
    lose(join(consortium.folder, "store"), row.cid);
    const { findings } = await examine();
    expect(findings.find(({ check }) => check === "store")).to.include({ state: "fail" });
  });

  it("names a machine that is too old, full, or has a wrong clock", async () => {
    using chain = Chain.open((await loadConfig(a.config)).chain);
    const diagnosis = new Diagnosis();
    checkNodeVersion(diagnosis, "20.19.0");
    const config = await loadConfig(a.config);
    await checkDisk(diagnosis, config, async () => 500 * 1024 * 1024);
    await checkDisk(diagnosis, config, async () => 1024);
    await checkClock(diagnosis, chain, Date.now() - 3_600_000);
    await checkClock(diagnosis, chain, Date.now() + 3_600_000);
    expect(diagnosis.findings.map(({ check, state }) => [check, state])).to.deep.equal([
      ["node", "fail"],
      ["disk", "warn"],
      ["disk", "warn"],
      ["disk", "fail"],
      ["disk", "fail"],
      ["clock", "fail"],
      ["clock", "warn"],
    ]);
  });

  it("says what is wrong with a configuration, and no more", async () => {
    writeFileSync(a.path("bad.json"), '{"format":1}');
    const { code, json } = await chartseal(["doctor", "--config", a.path("bad.json"), "--json"]);
    expect(code).to.equal(1);
    expect((json as Examined).findings.map(({ check, state }) => [check, state])).to.deep.equal([
      ["node", "ok"],
      ["configuration", "fail"],
    ]);
  });
});
