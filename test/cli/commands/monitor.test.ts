// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Wallet } from "ethers";
import { keySigner } from "../../../src/chain/index.js";
import { Heartbeat } from "../../../src/monitor/index.js";
import { METRICS } from "../../../src/monitor/exposition.js";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { chartseal, refused } from "../command-line.js";
import { Consortium, type Desk } from "../consortium.js";
import { observation, observations, reference } from "../observations.js";

const DAY = 86_400;

/** What a scrape gave: values by name and labels, as `name{label="value"}`. */
type Scrape = ReadonlyMap<string, number>;

describe("monitor", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator", "releaser", "reviewer");
    b = await consortium.member("b", "clinician", "reviewer");
    await a.done("patient", "enrol", "--identifier", reference("ann"));
    writeFileSync(
      a.path("a.ndjson"),
      `${observations("ann", 5)}${observation("w", "stranger")}\n{"resourceType":\n`,
    );
    expect((await a.run("ingest", a.path("a.ndjson"))).code).to.equal(3);
  });
  after(() => consortium[Symbol.asyncDispose]());

  /** Runs the monitor, which is given no passphrase, while `work` runs. */
  async function watching<T>(work: (address: string) => Promise<T>, ...flags: string[]): Promise<T> {
    const controller = new AbortController();
    const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
    const onLine = (line: string) => {
      const { event, address = "" } = JSON.parse(line) as { event: string; address?: string };
      if (event === "ready") resolve(address);
    };
    const argv = ["monitor", "--listen", "127.0.0.1:0", ...flags, "--json", "--config", a.config];
    const monitor = chartseal(argv, { signal: controller.signal, onLine });
    void monitor.then(({ err }) => reject(new Error(err)));
    try {
      return await work(await ready);
    } finally {
      controller.abort();
      expect((await monitor).code).to.equal(0);
    }
  }
  const scrape = async (address: string): Promise<Scrape> => {
    const text = await (await fetch(`${address}/metrics`)).text();
    const samples = text.split("\n").filter((line) => line.startsWith("chartseal_"));
    return new Map(
      samples.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
    );
  };
  const once = async (...flags: string[]) =>
    await chartseal(["monitor", "--once", "--config", a.config, ...flags]);
  const ready = async (address: string) => {
    const response = await fetch(`${address}/readyz`);
    return { status: response.status, ...((await response.json()) as Record<string, boolean>) };
  };
  const operator = async () => {
    using vault = await a.vault();
    return keySigner(vault.staffKey("operator"));
  };

  it("says by a code why a living process cannot do its work, and nothing of it otherwise", async () => {
    const folder = join(dirname(a.config), "alive");
    using _ = Heartbeat.start(folder, "listen", () => ({ vaultUnlocked: true, trouble: "ERR_BUSY" }));
    using __ = Heartbeat.start(folder, "other", () => ({ vaultUnlocked: true }));
    const found = await watching(scrape);
    const told = [...found].filter(([name]) => name.startsWith("chartseal_process_trouble"));
    expect(told).to.deep.equal([['chartseal_process_trouble{process="listen",code="ERR_BUSY"}', 1]]);
  });

  it("counts items, ages, refusals and entries without the passphrase", async () => {
    const found = await watching(scrape);
    expect(found.get('chartseal_items{state="anchored"}')).to.equal(5);
    expect(found.get('chartseal_items{state="waiting"}')).to.equal(1);
    expect(found.get('chartseal_items{state="dead"}')).to.equal(1);
    expect(found.get('chartseal_dead_letters{reason="ERR_JSON_INVALID"}')).to.equal(1);
    expect(found.get("chartseal_oldest_unanchored_age_seconds")).to.equal(0);
    expect(found.get("chartseal_oldest_waiting_age_seconds")).to.be.within(0, 600);
    for (const source of ["journal", "chain"])
      expect(found.get(`chartseal_log_entries{source="${source}"}`)).to.equal(5);
    for (const metric of ["journal_up", "chain_up"]) expect(found.get(`chartseal_${metric}`)).to.equal(1);
    expect(found.get("chartseal_last_batch_lag_seconds")).to.be.within(0, 600);
    expect(found.get("chartseal_chain_head_block")).to.equal(Number(await chain.rpc("eth_blockNumber")));
    const account = (await operator()).address.toLowerCase();
    expect(found.get(`chartseal_operator_nonce_gap{account="${account}"}`)).to.equal(0);
    expect(found.get(`chartseal_operator_pending_transactions{account="${account}"}`)).to.equal(0);
    const expiry = found.get(`chartseal_operator_expiry_timestamp_seconds{account="${account}"}`)!;
    expect(expiry).to.be.greaterThan(Date.now() / 1_000 + 30 * DAY);
    for (const part of ["vault", "journal", "store", "exchange"]) {
      expect(found.get(`chartseal_disk_free_bytes{part="${part}"}`)).to.be.greaterThan(0);
      expect(found.get(`chartseal_disk_size_bytes{part="${part}"}`)).to.be.greaterThan(
        found.get(`chartseal_disk_free_bytes{part="${part}"}`)!,
      );
    }
  });

  it("never opens the vault, and writes nothing", async () => {
    renameSync(a.path("vault.db"), a.path("vault.away"));
    const before = readFileSync(a.path("journal.db"));
    try {
      expect((await once()).out).to.contain('chartseal_items{state="anchored"} 5');
    } finally {
      renameSync(a.path("vault.away"), a.path("vault.db"));
    }
    expect(readFileSync(a.path("journal.db")).equals(before)).to.equal(true);
  });

  it("names metrics with their unit, and says what each is", async () => {
    const { out } = await once();
    for (const name of Object.keys(METRICS)) {
      expect(name).to.match(/^chartseal_[a-z]+(_[a-z]+)*$/);
      expect(name).not.to.match(/_(ms|milliseconds|kb|mib|minutes|total)$/);
      expect(out)
        .to.match(new RegExp(`^# HELP ${name} \\S`, "m"))
        .and.to.contain(`# TYPE ${name} gauge`);
    }
  });

  it("knows from the agent that the vault is open, that it is locked when the agent is gone, and tells both apart from being alive", async () => {
    await watching(
      async (address) => {
        expect((await scrape(address)).get('chartseal_process_up{process="release-agent"}')).to.equal(0);
        expect((await scrape(address)).get("chartseal_vault_locked")).to.equal(1);
        expect(await ready(address)).to.include({ status: 503, vault: false, processes: false, chain: true });
        expect((await fetch(`${address}/healthz`)).status).to.equal(200);
      },
      "--expect",
      "release-agent",
    );
    await a.serving(() =>
      watching(
        async (address) => {
          const found = await scrape(address);
          expect(found.get('chartseal_process_up{process="release-agent"}')).to.equal(1);
          expect(found.get("chartseal_vault_locked")).to.equal(0);
          expect(found.get("chartseal_backup_newest_timestamp_seconds")).to.equal(0);
          expect(await ready(address)).to.include({ status: 200, ready: true });
        },
        "--expect",
        "release-agent",
      ),
    );
  });

  it("tells when the newest backup was made, and which still open what was erased", async () => {
    const keks = a.path("keks.json");
    await a.done("backup", a.path("one"), "--keks", keks, "--expires", "2099-12-31");
    await a.serving(async () => {
      const found = await watching(scrape);
      expect(Date.now() / 1_000 - found.get("chartseal_backup_newest_timestamp_seconds")!).to.be.within(
        -1,
        600,
      );
      expect(found.get("chartseal_backups_holding_erased")).to.equal(0);
    });
  });

  it("shows a node that is gone as down, without the figures of before, and that the rest works", async () => {
    await watching(async (address) => {
      expect((await scrape(address)).get("chartseal_chain_up")).to.equal(1);
      await chain.down();
      try {
        let found = await scrape(address);
        while (found.get("chartseal_chain_up") === 1) found = await scrape(address);
        expect(found.get("chartseal_chain_up")).to.equal(0);
        expect([...found.keys()].filter((name) => /chain_head|operator|source="chain"/.test(name))).to.be
          .empty;
        expect(found.get('chartseal_items{state="anchored"}')).to.equal(5);
        expect(await ready(address)).to.include({ status: 503, chain: false, journal: true });
      } finally {
        await chain.up();
      }
      let found = await scrape(address);
      while (found.get("chartseal_chain_up") === 0) found = await scrape(address);
      expect(found.get('chartseal_log_entries{source="chain"}')).to.equal(5);
    });
  });

  it("shows what is signed behind a nonce that nobody holds, and since when it is not anchored", async () => {
    const signer = await operator();
    const nonce = Number(await chain.rpc("eth_getTransactionCount", [signer.address, "latest"])) + 3;
    const { chainId } = consortium.deployment;
    const raw = await signer.signTransaction({
      ...{ type: 0, chainId, to: signer.address, data: "0x", gasPrice: 0, gasLimit: 21_000, nonce, value: 0 },
    });
    using journal = new DatabaseSync(a.path("journal.db"), { timeout: 5_000 });
    journal.exec("UPDATE items SET state = 4 WHERE log_index = 5; UPDATE batches SET state = 4");
    journal.prepare("UPDATE batches SET raw_transaction = ?").run(raw);
    journal.exec("UPDATE items SET received_at = received_at - 5000 WHERE log_index = 5");
    try {
      const { out } = await once();
      expect(out).to.contain(`chartseal_operator_nonce_gap{account="${signer.address.toLowerCase()}"} 3`);
      expect(Number(/oldest_unanchored_age_seconds (\d+)/.exec(out)![1])).to.be.within(5_000, 6_000);
      expect(out).to.contain("chartseal_open_batches 1");
    } finally {
      journal.exec(
        "UPDATE items SET state = 5 WHERE log_index = 5; UPDATE batches SET state = 5, raw_transaction = NULL",
      );
    }
  });

  it("shows transactions that wait in the pool", async () => {
    const signer = await operator();
    const nonce = Number(await chain.rpc("eth_getTransactionCount", [signer.address, "latest"]));
    const { chainId } = consortium.deployment;
    await chain.rpc("evm_setAutomine", [false]);
    try {
      const raw = await signer.signTransaction({
        ...{
          type: 0,
          chainId,
          to: signer.address,
          data: "0x",
          gasPrice: 0,
          gasLimit: 21_000,
          nonce,
          value: 0,
        },
      });
      await chain.rpc("eth_sendRawTransaction", [raw]);
      const account = signer.address.toLowerCase();
      expect((await once()).out).to.contain(
        `chartseal_operator_pending_transactions{account="${account}"} 1`,
      );
    } finally {
      await chain.rpc("evm_setAutomine", [true]);
      await chain.rpc("evm_mine");
    }
  });

  it("counts emergencies that this member owes an account of, once they are overdue", async () => {
    const key = consortium.keyFile("dr-li.key");
    const li = new Wallet(readFileSync(key, "utf8").trim()).address;
    await b.done("staff", "enrol", "--name", "dr-li", "--role", "CLINICIAN", "--account", li);
    await pass(3_700);
    const { patients } = (await a.done("patient", "list", "--json")).json as {
      patients: { patientId: string }[];
    };
    writeFileSync(b.path("reason.txt"), "unconscious");
    const act = b.path("e.act.json");
    const reason = ["--reason-file", b.path("reason.txt"), "--act", act];
    await b.done("break-glass", "--patient", patients[0]!.patientId, ...reason);
    await b.done("act", "sign", act, "--signer-key", key);
    const { json } = await b.done("act", "relay", act, "--out", b.path("e.json"), "--json");
    const { windowId } = json as { windowId: string };
    const owed = async (config: string) => {
      const { json: answer } = await chartseal(["monitor", "--once", "--json", "--config", config]);
      return (answer as { chain: { member: { overdue: object } } }).chain.member.overdue;
    };
    expect(await owed(a.config)).to.deep.equal({ justification: 0, review: 0 });
    await pass(40 * DAY);
    expect(await owed(a.config)).to.deep.equal({ justification: 0, review: 1 });
    expect(await owed(b.config)).to.deep.equal({ justification: 1, review: 0 });
    writeFileSync(b.path("statement.txt"), "seen");
    await b.done("review", "justify", windowId, "--statement-file", b.path("statement.txt"));
    expect(await owed(b.config)).to.deep.equal({ justification: 0, review: 0 });
    expect(await owed(a.config)).to.deep.equal({ justification: 0, review: 1 });
  });
  const pass = async (seconds: number) => {
    await chain.rpc("evm_increaseTime", [seconds]);
    await chain.rpc("evm_mine");
  };

  it("tells a store that is lost, a folder or an IPFS node, from one that answers", async () => {
    const stores = async (...down: string[]) => {
      for (const path of down) renameSync(path, `${path}.away`);
      try {
        const { json } = await once("--json");
        const { stores: read, ready: state } = json as { stores: object; ready: { store: boolean } };
        return { ...read, ready: state.store };
      } finally {
        for (const path of down) renameSync(`${path}.away`, path);
      }
    };
    expect(await stores()).to.deep.equal({ up: [true], needed: 1, ready: true });
    const store = a.path("../store");
    expect(await stores(store)).to.deep.equal({ up: [false], needed: 1, ready: false });
    const nowhere = { kubo: { rpc: "http://127.0.0.1:1" } };
    try {
      a.configure({ store: nowhere });
      expect(await stores()).to.deep.equal({ up: [false], needed: 1, ready: false });
      a.configure({ store: { replicas: ["../store", nowhere], write: 1 } });
      expect(await stores()).to.deep.equal({ up: [true, false], needed: 1, ready: true });
      const { out } = await once();
      expect(out).to.contain('chartseal_store_up{replica="1"} 1');
      expect(out).to.contain('chartseal_store_up{replica="2"} 0').and.to.contain("chartseal_stores_needed 1");
      a.configure({ store: { replicas: ["../store", nowhere], write: 2 } });
      expect(await stores()).to.deep.equal({ up: [true, false], needed: 2, ready: false });
    } finally {
      a.configure({});
    }
  });

  it("shows a journal that it cannot read", async () => {
    renameSync(a.path("journal.db"), a.path("journal.away"));
    writeFileSync(a.path("journal.db"), "no database, but long enough to be taken for one ".repeat(30));
    try {
      const { out } = await once();
      expect(out).to.contain("chartseal_journal_up 0").and.not.to.contain("chartseal_items{");
      expect(out).to.contain("chartseal_chain_up 1");
    } finally {
      for (const name of readdirSync(a.folder).filter((file) => file.startsWith("journal.db")))
        rmSync(a.path(name));
      renameSync(a.path("journal.away"), a.path("journal.db"));
    }
  });

  it("listens on this machine only, takes GET only, and knows three paths", async () => {
    const monitor = ["monitor", "--config", a.config];
    const error = await refused(2, "ERR_USAGE", [...monitor, "--listen", "0.0.0.0:9464"]);
    expect(error.hint).to.contain("proxy");
    await refused(2, "ERR_USAGE", [...monitor, "--listen", "9464"]);
    await refused(2, "ERR_USAGE", [...monitor, "--expect", "../release-agent"]);
    await watching(async (address) => {
      expect((await fetch(`${address}/metrics`, { method: "POST", body: "x" })).status).to.equal(405);
      expect((await fetch(`${address}/vault.db`)).status).to.equal(404);
      expect(await status(address, "/metrics", { padding: "x".repeat(20_000) })).to.equal(431);
      expect((await fetch(`${address}/healthz`)).status).to.equal(200);
    });
  });
});

/** The status of an answer to a request that fetch would not send. */
async function status(address: string, path: string, headers: Record<string, string>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(`${address}${path}`, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode!);
  })
    .on("error", reject)
    .end();
  return await promise;
}
