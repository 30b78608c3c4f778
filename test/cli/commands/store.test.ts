// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hash, randomBytes } from "node:crypto";
import { sealBytes, encodeBatchManifest, toHex, type Hex } from "../../../src/crypto/index.js";
import type { DurabilityReport } from "../../../src/durability/index.js";
import { Journal } from "../../../src/records/index.js";
import { openEmbeddedStore, type BlobStore } from "../../../src/storage/index.js";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { Consortium, type Desk } from "../consortium.js";
import { damage, lose } from "../damage.js";
import { observation, observations, reference } from "../observations.js";

const HOUR = 3_600;
const ENTRIES = 6;

interface AuditAnswer {
  report: DurabilityReport;
  index?: number;
  error?: { code: string };
}
interface RepairAnswer {
  checked: number;
  replicas: { name: string; repaired: number; failed: number }[];
  lost: { cid: string; index?: number }[];
  unreachable: { name: string }[];
}
interface Examined {
  findings: { check: string; state: string; detail: string; hint?: string }[];
}

describe("the store on the command line", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let key: string;

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator");
    key = consortium.keyFile("ann.key");
    replicated(2);
    await a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", key);
    await a.done("patient", "administrative");
    writeFileSync(a.path("a.ndjson"), observations("ann", ENTRIES));
    await a.done("ingest", a.path("a.ndjson"), "--batch-items", "3");
  });
  after(() => consortium[Symbol.asyncDispose]());

  function replicated(write: number): void {
    a.configure({ store: { replicas: ["r1", "r2"], write } });
  }
  const journal = async <T>(work: (journal: Journal) => T): Promise<T> => {
    using vault = await a.vault();
    using opened = Journal.open(a.path("journal.db"), vault);
    return work(opened);
  };
  const cidOf = async (index: number): Promise<string> =>
    await journal((opened) => opened.itemAt(index)!.cid!);
  const inReplica = async <T>(name: string, work: (store: BlobStore) => Promise<T>): Promise<T> => {
    await using store = await openEmbeddedStore(a.path(name));
    return await work(store);
  };
  const held = async (name: string): Promise<string[]> =>
    await inReplica(name, async (store) => (await Array.fromAsync(store.list())).map(({ cid }) => cid));
  const whole = async (name: string, cid: string): Promise<boolean> =>
    await inReplica(name, async (store) => (await store.verify(cid)).ok);
  const both = async (): Promise<void> => {
    expect(await held("r1")).to.deep.equal(await held("r2"));
  };
  /** Makes a replica unreachable while `work` runs: where its folder was, there is a file. */
  const without = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    renameSync(a.path(name), a.path(`${name}-away`));
    writeFileSync(a.path(name), "");
    try {
      return await work();
    } finally {
      rmSync(a.path(name));
      renameSync(a.path(`${name}-away`), a.path(name));
    }
  };

  describe("audit", () => {
    it("anchors what it saw as an entry of no patient's, which a receipt proves", async () => {
      const { json, out } = await a.done("store", "audit", "--json");
      const { report, index } = json as AuditAnswer;
      expect(report.method).to.equal("sample");
      expect(report.upTo).to.equal(ENTRIES);
      expect(report.looked!.map(([entry]) => entry)).to.deep.equal([1, 2, 3, 4, 5, 6]);
      expect(report.replicas.map(({ whole: n, failed }) => [n, failed])).to.deep.equal([
        [ENTRIES + 2, 0],
        [ENTRIES + 2, 0],
      ]);
      expect(out).not.to.contain("ann").and.not.to.contain("glucose");
      const receipt = a.path("report.json");
      await a.done("receipt", String(index), "--out", receipt);
      await a.done("verify", receipt);
      const { leaf } = JSON.parse(readFileSync(receipt, "utf8")) as {
        leaf: { kind: number; ref: Hex; patientId: Hex };
      };
      expect(leaf.kind).to.equal(5);
      expect(BigInt(leaf.ref)).to.equal(BigInt(ENTRIES));
      using vault = await a.vault();
      expect(leaf.patientId).to.equal(vault.administrativeId());
    });

    it("names what a replica lacks or holds damaged, anchors it all the same, and fails", async () => {
      const [missing, damaged] = [await cidOf(2), await cidOf(5)];
      lose(a.path("r1"), missing);
      damage(a.path("r2"), damaged);
      const { code, json } = await a.run("store", "audit", "--all", "--json");
      expect(code).to.equal(1);
      const { report, index } = json as AuditAnswer;
      expect(index).to.be.a("number");
      expect(report.replicas.map(({ findings }) => findings)).to.deep.equal([
        [{ index: 2, of: "body", found: "missing" }],
        [{ index: 5, of: "body", found: "tampered" }],
      ]);
      const people = await a.run("store", "audit");
      expect(people.code).to.equal(1);
      expect(people.out).to.match(/r1: the body of entry 2 is missing/);
      expect(people.out).to.match(/r2: the body of entry 5 is tampered/);
      await a.done("store", "repair", "--verify");
      await a.done("store", "audit");
    });

    it("says of a replica that does not answer that it could not be looked at", async () => {
      replicated(1);
      const { code, json } = await without("r2", () => a.run("store", "audit", "--json"));
      replicated(2);
      expect(code).to.equal(1);
      const { report, index } = json as AuditAnswer;
      expect(index).to.be.a("number");
      expect(report.replicas[0]!.failed).to.equal(0);
      expect(new Set(report.replicas[1]!.findings.map(({ found }) => found))).to.deep.equal(
        new Set(["unreachable"]),
      );
      await a.done("store", "repair");
      await both();
    });

    it("keeps the report for later when the chain is down", async () => {
      a.configure({ store: { replicas: ["r1", "r2"], write: 2 }, url: "http://127.0.0.1:1" });
      const { code, json } = await a.run("store", "audit", "--sample", "2", "--chain-wait", "500", "--json");
      replicated(2);
      expect(code).to.equal(3);
      expect((json as AuditAnswer).error!.code).to.equal("ERR_RPC_UNAVAILABLE");
      const head = async () =>
        ((await a.done("status", "--json")).json as { head: { chain: number } }).head.chain;
      const before = await head();
      await a.done("retry");
      expect(await head()).to.equal(before + 1);
    });

    it("looks at a store of one place too, and refuses two ways at once", async () => {
      a.configure({ store: "r1" });
      const { json } = await a.done("store", "audit", "--sample", "1", "--json");
      expect((json as AuditAnswer).report.replicas.map(({ name }) => name)).to.deep.equal([a.path("r1")]);
      await a.refused(2, "ERR_USAGE", "store", "repair");
      replicated(2);
      await a.refused(2, "ERR_USAGE", "store", "audit", "--all", "--sample", "2");
      await a.refused(2, "ERR_USAGE", "store", "audit", "--sample", "0");
      await a.done("store", "repair");
    });
  });

  describe("repair", () => {
    it("copies what a replica lacks or holds damaged, small and large, and says how much", async () => {
      const large = await inReplica("r1", (store) => store.put(randomBytes(2_500_000)));
      lose(a.path("r2"), await cidOf(1));
      damage(a.path("r1"), await cidOf(3));
      const quick = (await a.done("store", "repair", "--json")).json as RepairAnswer;
      expect(quick.replicas.map(({ repaired }) => repaired)).to.deep.equal([0, 2]);
      expect(await whole("r1", await cidOf(3)), "damage shows only when it is read").to.equal(false);
      const full = (await a.done("store", "repair", "--verify", "--json")).json as RepairAnswer;
      expect(full.replicas.map(({ repaired }) => repaired)).to.deep.equal([1, 0]);
      for (const name of ["r1", "r2"]) {
        for (const cid of [large.cid, await cidOf(1), await cidOf(3)])
          expect(await whole(name, cid)).to.equal(true);
      }
      await both();
      await inReplica("r1", (store) => store.delete(large.cid));
      await inReplica("r2", (store) => store.delete(large.cid));
    });

    it("fills a replica that is new, and until then doctor says what it lacks", async () => {
      rmSync(a.path("r2"), { recursive: true });
      await inReplica("r2", async () => {});
      const { findings } = (await a.run("doctor", "--json")).json as Examined;
      const lacking = findings.filter(({ check, state }) => check === "replicas" && state === "warn");
      expect(lacking).to.have.length(1);
      expect(lacking[0]!.detail).to.match(/r2 lacks \d+ of \d+ bodies/);
      expect(lacking[0]!.hint).to.contain("store repair");
      await a.done("store", "repair");
      await both();
      const after = (await a.done("doctor", "--json")).json as Examined;
      expect(
        after.findings.filter(({ check }) => check === "replicas").map(({ state }) => state),
      ).to.deep.equal(["ok", "ok"]);
    });

    it("names the entry whose body is whole nowhere, and fails", async () => {
      const cid = await cidOf(4);
      await a.done("store", "export", a.path("safe.car"), "--index", "4");
      for (const name of ["r1", "r2"]) damage(a.path(name), cid);
      const broken = await a.run("store", "repair", "--verify", "--json");
      expect(broken.code).to.equal(1);
      expect((broken.json as RepairAnswer).lost).to.deep.equal([{ cid, index: 4 }]);
      for (const name of ["r1", "r2"]) lose(a.path(name), cid);
      const gone = await a.run("store", "repair");
      expect(gone.code).to.equal(1);
      expect(gone.out).to.contain(`Lost: ${cid}, the body of entry 4`);
      await a.done("store", "import", a.path("safe.car"));
      await a.done("store", "repair", "--verify");
    });

    it("is refused while only one replica answers", async () => {
      await without("r2", () => a.refused(1, "ERR_STORE_FAILED", "store", "repair"));
      const { findings } = (await without("r2", () => a.run("doctor", "--json"))).json as Examined;
      const silent = findings.find(({ check, detail }) => check === "replicas" && detail.includes("r2"))!;
      expect(silent.state, "two must be written").to.equal("fail");
    });
  });

  describe("an erasure", () => {
    it("is not done while a replica that is away may hold the body, and is by the same command after", async () => {
      const index = ENTRIES;
      const cid = await cidOf(index);
      const erase = ["erase", String(index), "--ground", "patient", "--signer-key", key];
      // Its certificate needs no more than the replica that is there.
      replicated(1);
      const outcome = await without("r2", () => a.run(...erase, "--json"));
      expect(outcome.code).not.to.equal(0);
      expect(outcome.err + outcome.out).to.contain("r2");
      expect(await held("r2")).to.include(cid);
      expect(await held("r1")).not.to.include(cid);
      // Its key is gone: no repair brings it back.
      await a.done("store", "repair");
      expect(await held("r1")).not.to.include(cid);
      await a.done(...erase);
      expect(await held("r2")).not.to.include(cid);
      replicated(2);
      await both();
    });

    it("leaves a body in an older copy of a replica, which doctor names and gc removes at once", async () => {
      const cid = await cidOf(ENTRIES);
      const body = randomBytes(700);
      // The erased body itself is gone for good: a stand-in takes its name in the replica's table.
      const { cid: standIn } = await inReplica("r2", (store) => store.put(body));
      await journal((opened) => opened.database.run("UPDATE items SET cid = ? WHERE cid = ?", standIn, cid));
      const { findings } = (await a.run("doctor", "--json")).json as Examined;
      expect(findings.find(({ check, state }) => check === "replicas" && state === "fail")!.detail).to.equal(
        "1 bodies of erased entries are still held",
      );
      expect((await a.done("store", "repair", "--json")).json).to.deep.include({ lost: [] });
      expect(await held("r1")).not.to.include(standIn);
      const { json } = await a.done("store", "gc", "--json");
      expect(json).to.include({ erased: 1, orphans: 0, young: 0 });
      expect(await held("r2")).not.to.include(standIn);
    });
  });

  describe("gc", () => {
    /** What an ingest leaves that is killed between its commits: a key and a body that nothing names. */
    const orphan = async (): Promise<string> => {
      const [recordId, contentKey] = [randomBytes(16), randomBytes(32)];
      const body = Buffer.from("never journaled");
      const manifest = {
        ...{ format: 1, sourceKey: "x", label: "x", mediaType: "text/plain", size: body.length },
        sha256: toHex(hash("sha256", body, "buffer")),
        receivedAt: "2027-01-01T00:00:00.000Z",
      };
      {
        using vault = await a.vault();
        vault.putKeys([{ recordId, contentKey }]);
      }
      const sealed = sealBytes({ manifest, body, contentKey, memberId: a.id, recordId });
      await inReplica("r1", (store) => store.put(sealed));
      return (await inReplica("r2", (store) => store.put(sealed))).cid;
    };
    const marks = () => a.path("journal.db.orphans.json");
    /** As if the last run had been so many hours ago. */
    const age = (hours: number): void => {
      const file = JSON.parse(readFileSync(marks(), "utf8")) as { seen: Record<string, number> };
      for (const cid of Object.keys(file.seen)) file.seen[cid]! -= hours * HOUR;
      writeFileSync(marks(), JSON.stringify(file));
    };

    it("removes what a crashed ingest left once a day has passed since it was first seen, from each replica", async () => {
      const cid = await orphan();
      const manifest = encodeBatchManifest({
        ...{ memberId: a.id, firstIndex: 900 },
        entries: [{ leafHash: toHex(randomBytes(32)), cid }],
      });
      const draft = (await inReplica("r1", (store) => store.put(manifest))).cid;
      const before = (await held("r1")).filter((one) => one !== cid && one !== draft);
      expect((await a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 2 });
      age(23);
      expect((await a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 2 });
      age(1.01);
      const dry = (await a.done("store", "gc", "--dry-run", "--json")).json;
      expect(dry).to.include({ orphans: 2, dryRun: true });
      expect(await held("r1")).to.include.members([cid, draft]);
      expect((await a.done("store", "gc", "--json")).json).to.include({ orphans: 2, young: 0 });
      expect(await held("r1")).to.deep.equal(before);
      expect(await held("r2")).to.deep.equal(before);
      await a.done("verify", "--log");
    });

    it("leaves alone what may be another member's", async () => {
      const foreign = encodeBatchManifest({
        ...{ memberId: a.id + 1, firstIndex: 1 },
        entries: [{ leafHash: toHex(randomBytes(32)), cid: await cidOf(1) }],
      });
      const { cid } = await inReplica("r1", (store) => store.put(foreign));
      const other = await inReplica("r1", (store) => store.put(randomBytes(600)));
      await a.done("store", "gc");
      if (existsSync(marks())) age(48);
      expect((await a.done("store", "gc", "--json")).json).to.include({ orphans: 0, unknown: 2 });
      for (const one of [cid, other.cid]) {
        expect(await held("r1")).to.include(one);
        await inReplica("r1", (store) => store.delete(one));
      }
    });

    it("keeps what waits, what was refused, and every body that the journal came to name since", async () => {
      writeFileSync(a.path("waiting.ndjson"), `${observation("w1", "nobody")}\n`);
      await a.run("ingest", a.path("waiting.ndjson"));
      const cid = await orphan();
      await a.done("store", "gc");
      age(48);
      // As the journal's commit of the same intake: the row comes after the body.
      await journal((opened) => {
        const row = opened.itemAt(1)!;
        opened.database.run(
          `INSERT INTO items (item_mac, source_mac, state, record_id, cid, content_digest, details, recorded_day,
             received_at) SELECT ?, ?, 1, ?, ?, content_digest, details, recorded_day, received_at
           FROM items WHERE id = ?`,
          ...[randomBytes(32), randomBytes(32), randomBytes(16), cid, row.id],
        );
      });
      expect((await a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 0 });
      expect(await held("r1")).to.include(cid);
      await journal((opened) => opened.database.run("DELETE FROM items WHERE cid = ?", cid));
      await a.done("patient", "enrol", "--identifier", reference("nobody"));
      await a.done("retry");
      await a.done("verify", "--log");
      for (const name of ["r1", "r2"]) await inReplica(name, (store) => store.delete(cid));
    });

    it("is refused while an ingest runs, with a journal older than the chain, and without a replica", async () => {
      using vault = await a.vault();
      using opened = Journal.open(a.path("journal.db"), vault);
      {
        using _ = opened.lock();
        expect((await a.refused(1, "ERR_JOURNAL_LOCKED", "store", "gc")).retryable).to.equal(true);
      }
      const batch = opened.batches().at(-1)!;
      opened.database.run("UPDATE batches SET count = count - 1 WHERE id = ?", batch.id);
      await a.refused(1, "ERR_CHAIN_MISMATCH", "store", "gc");
      opened.database.run("UPDATE batches SET count = count + 1 WHERE id = ?", batch.id);
      const before = await held("r1");
      await without("r2", () => a.refused(1, "ERR_STORE_FAILED", "store", "gc"));
      expect(await held("r1")).to.deep.equal(before);
      await a.refused(2, "ERR_USAGE", "store", "gc", "--older-than", "0");
    });
  });

  describe("export and import", () => {
    it("carry everything but what was erased to an empty store, from which the log verifies", async () => {
      const { json } = await a.done("store", "export", a.path("all.car"), "--json");
      const all = (await held("r1")).length;
      expect(json).to.include({ bodies: all }).and.to.deep.include({ leftOut: [] });
      a.configure({ store: "elsewhere" });
      expect((await a.done("store", "import", a.path("all.car"), "--json")).json).to.include({
        ...{ bodies: all, leftOut: 0, missing: 0 },
      });
      expect((await a.done("verify", "--log", "--json")).json).to.include({ ok: true, erased: 1 });
      await a.done("store", "import", a.path("all.car"));
      replicated(2);
      await a.refused(2, "ERR_USAGE", "store", "export", a.path("all.car"));
    });

    it("take the entries named, or what came since a day with its manifests", async () => {
      const { json } = await a.done("store", "export", a.path("two.car"), "--index", "1,3", "--json");
      expect(json).to.include({ bodies: 2 });
      const since = await a.done("store", "export", a.path("since.car"), "--since", "2020-01-01", "--json");
      expect(since.json).to.include({ bodies: (await held("r1")).length });
      const none = await a.done("store", "export", a.path("none.car"), "--since", "2099-01-01", "--json");
      expect(none.json).to.include({ bodies: 0 });
      await a.refused(1, "ERR_KEY_ERASED", "store", "export", a.path("x.car"), "--index", `1,${ENTRIES}`);
      await a.refused(2, "ERR_USAGE", "store", "export", a.path("x.car"), "--index", "999");
      await a.refused(
        2,
        "ERR_USAGE",
        "store",
        "export",
        a.path("x.car"),
        "--index",
        "1",
        "--since",
        "2020-01-01",
      );
      expect(existsSync(a.path("x.car"))).to.equal(false);
    });

    it("never bring an erased body back", async () => {
      const erased = await journal((opened) => opened.itemAt(ENTRIES)!.cid!);
      const first = await cidOf(1);
      await a.done("store", "export", a.path("old.car"), "--index", "1,2");
      await journal((opened) =>
        opened.database.run("UPDATE items SET erased = 1, cid = ? WHERE cid = ?", first, erased),
      );
      await journal((opened) => opened.database.run("UPDATE items SET erased = 1 WHERE log_index = 1"));
      a.configure({ store: "third" });
      expect((await a.done("store", "import", a.path("old.car"), "--json")).json).to.include({
        ...{ bodies: 1, leftOut: 1 },
      });
      expect(await held("third")).not.to.include(first);
      await journal((opened) => {
        opened.database.run("UPDATE items SET erased = 0 WHERE log_index = 1");
        opened.database.run("UPDATE items SET cid = ? WHERE log_index = ?", erased, ENTRIES);
      });
      replicated(2);
    });

    it("say what a file that was cut short lacks, keep the rest, and go on with the whole file", async () => {
      const car = readFileSync(a.path("all.car"));
      writeFileSync(a.path("cut.car"), car);
      truncateSync(a.path("cut.car"), car.length - 10);
      a.configure({ store: "fourth" });
      const error = await a.refused(1, "ERR_ITEM_INVALID", "store", "import", a.path("cut.car"));
      expect(error.message).to.contain("cut short");
      expect(error.values["stored"])
        .to.equal((await held("fourth")).length)
        .and.to.be.greaterThan(0);
      await a.done("store", "import", a.path("all.car"));
      expect((await held("fourth")).length).to.equal((await held("r1")).length);
      replicated(2);
      await a.refused(2, "ERR_USAGE", "store", "import", a.path("nowhere.car"));
    });

    it("leave out a body that is damaged everywhere, and end partly done", async () => {
      const cid = await cidOf(2);
      for (const name of ["r1", "r2"]) damage(a.path(name), cid);
      const { code, json } = await a.run("store", "export", a.path("partly.car"), "--json");
      expect(code).to.equal(3);
      expect(json).to.deep.include({ leftOut: [{ cid, code: "ERR_BODY_TAMPERED" }] });
      a.configure({ store: "fifth" });
      const imported = await a.run("store", "import", a.path("partly.car"), "--json");
      expect(imported.code).to.equal(3);
      expect(imported.json).to.include({ missing: 1 });
      replicated(2);
      await a.done("store", "import", a.path("all.car"));
      await a.done("store", "audit", "--all");
    });
  });

  describe("a member of two replicas", () => {
    it("ingests and opens with a replica away, if the others are enough, and not if they are too few", async () => {
      writeFileSync(a.path("b.ndjson"), observations("ann", 2, "p"));
      await without("r1", async () => {
        await a.refused(1, "ERR_STORE_FAILED", "ingest", a.path("b.ndjson"));
        replicated(1);
        expect((await a.done("ingest", a.path("b.ndjson"), "--json")).json).to.include({ anchored: 2 });
        await a.done("verify", "--log");
      });
      await a.done("store", "repair");
      replicated(2);
      await both();
    });

    it("refuses a configuration that has one store twice, too few, too many writes, or two kinds", async () => {
      const wrong = [
        { replicas: ["r1", "./r1"], write: 1 },
        { replicas: ["r1"], write: 1 },
        { replicas: ["r1", "r2"], write: 3 },
        { replicas: ["r1", "r2"], write: 0 },
        { replicas: ["r1", "r2"] },
        { replicas: ["r1", { replicas: ["r2", "r3"], write: 1 }], write: 1 },
        { folder: "r1", replicas: ["r2", "r3"], write: 1 },
      ];
      for (const store of wrong) {
        a.configure({ store });
        expect((await a.refused(1, "ERR_CONFIG_INVALID", "status")).message).to.contain("store");
      }
      replicated(2);
    });
  });
});
