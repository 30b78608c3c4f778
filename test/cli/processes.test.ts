// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { RpcProxy } from "../support/rpc-proxy.js";
import { Consortium, type Desk } from "./consortium.js";
import { observations, reference } from "./observations.js";

const RECORDS = 3_000;
const POLL_MS = 20;
/** Between two presses of Ctrl-C. */
const BETWEEN_KEYS_MS = 500;

/** `chartseal` as its users start it. */
function start(argv: readonly string[], nodeFlags: readonly string[] = [], detached = false): Running {
  const flags = ["--disable-warning=ExperimentalWarning", "--import", "tsx", ...nodeFlags];
  const stdio = ["ignore", "pipe", "pipe"] as ("ignore" | "pipe")[];
  const child = spawn(process.execPath, [...flags, "src/cli/main.ts", ...argv], { stdio, detached });
  return new Running(child);
}

class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  out = "";
  err = "";

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.on("data", (chunk: Buffer) => (this.out += chunk.toString()));
    child.stderr!.on("data", (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = once(child, "close");
  }

  async exitCode(): Promise<unknown> {
    return (await this.ended)[0];
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

describe("chartseal as a process", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let a: Desk;
  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator", "releaser");
    await a.done("patient", "enrol", "--identifier", reference("ann"));
  });
  after(() => consortium[Symbol.asyncDispose]());
  const globals = () => ["--config", a.config, "--passphrase-file", consortium.passphraseFile];

  const taken = () => {
    if (!existsSync(a.path("journal.db"))) return 0;
    using database = new DatabaseSync(a.path("journal.db"), { timeout: 5_000 });
    return Number(database.prepare("SELECT count(*) AS n FROM items").get()!["n"]);
  };

  it("ends an ingest on Ctrl-C with 130, says what is safe, and anchors every record once when run again", async () => {
    writeFileSync(a.path("many.ndjson"), observations("ann", RECORDS));
    const running = start(["ingest", a.path("many.ndjson"), ...globals()]);
    await until(() => taken() > 0);
    running.child.kill("SIGINT");
    expect(await running.exitCode(), running.err).to.equal(130);
    expect(running.err)
      .to.match(/Stopped: \d+ items read/)
      .and.to.contain("stopped by SIGINT")
      .and.not.to.contain("at ");
    const before = taken();
    expect(before).to.be.greaterThan(0).and.to.be.lessThan(RECORDS);
    const again = await a.done("ingest", a.path("many.ndjson"), "--json");
    expect(again.json).to.include({
      read: RECORDS,
      known: before,
      sealed: RECORDS - before,
      dead: 0,
      waiting: 0,
    });
    const { items, head } = (await a.done("status", "--json")).json as { items: object; head: object };
    expect(items).to.include({ anchored: RECORDS, sealed: 0 });
    expect(head).to.deep.equal({ journal: RECORDS, chain: RECORDS });
  });

  it("ends an ingest at once on a second Ctrl-C, though its node never answers, and loses nothing", async () => {
    await using proxy = await RpcProxy.before(consortium.chain.url);
    const asked = Promise.withResolvers<undefined>();
    proxy.intercept = async ({ method }) => {
      if (method !== "eth_sendRawTransaction") return undefined;
      asked.resolve(undefined);
      return await new Promise<never>(() => {});
    };
    const silent = a.path("silent.json");
    a.configure({ url: proxy.url, path: silent });
    writeFileSync(a.path("few.ndjson"), observations("ann", 10, "few"));
    const before = taken();
    const unlock = ["--config", silent, "--passphrase-file", consortium.passphraseFile];
    const running = start(["ingest", a.path("few.ndjson"), ...unlock]);
    await asked.promise;
    running.child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_KEYS_MS));
    expect(running.child.exitCode, running.err).to.equal(null); // the first one waits for what is under way
    running.child.kill("SIGINT");
    expect(await running.exitCode(), running.err).to.equal(130);
    expect(taken()).to.equal(before + 10);
    const again = await a.done("ingest", a.path("few.ndjson"), "--json");
    expect(again.json).to.include({ known: 10, sealed: 0, anchored: 10 });
  });

  it("ends an import on Ctrl-C with 130, after the line in hand, and says which line is next", async () => {
    const rows = Array.from({ length: 500 }, (_, row) => `urn:import,${row}`);
    writeFileSync(a.path("patients.csv"), ["system,value", ...rows].join("\n"));
    const running = start(["patient", "import", a.path("patients.csv"), ...globals()]);
    const enrolled = () => {
      using database = new DatabaseSync(a.path("vault.db"), { timeout: 5_000 });
      return Number(database.prepare("SELECT count(*) AS n FROM patients").get()!["n"]);
    };
    const before = enrolled();
    await until(() => enrolled() > before + 2);
    running.child.kill("SIGINT");
    expect(await running.exitCode(), running.err).to.equal(130);
    expect(running.err).to.equal("chartseal: stopped by SIGINT\n");
    const count = enrolled() - before;
    expect(running.out)
      .to.contain(`${count} enrolled, 0 failed`)
      .and.to.contain(`line ${count + 2} and what`);
  });

  it("serves until SIGTERM, and ends with 0", async () => {
    const running = start(["release-agent", "--json", ...globals()]);
    await until(() => running.out.includes("ready") || running.child.exitCode !== null);
    running.child.kill("SIGTERM");
    expect(await running.exitCode(), running.err).to.equal(0);
    const events = running.out
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).to.deep.equal(["ready", "stopped"]);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const running = start(["patient", "list", ...globals()]);
    running.child.stdout!.destroy();
    expect(await running.exitCode(), running.err).to.equal(0);
    expect(running.err).to.equal("");
  });

  it("shows its help without loading the chain's library", async () => {
    const watch = `import { registerHooks } from "node:module";
      let loaded = 0;
      registerHooks({ load: (url, context, next) => (loaded += /node_modules.(ethers|zod|hpke)/.test(url) ? 1 : 0, next(url, context)) });
      process.on("exit", () => process.stderr.write(String(loaded)));`;
    const flags = ["--import", `data:text/javascript,${encodeURIComponent(watch)}`];
    const help = start(["--help"], flags);
    expect(await help.exitCode()).to.equal(0);
    expect(help.err).to.equal("0");
    const list = start(["member", "list", ...globals()], flags);
    await list.exitCode();
    expect(Number(list.err)).to.be.greaterThan(10); // the watch sees what is loaded
  });

  it("says that there is no terminal to ask on", async () => {
    const running = start(["patient", "list", "--config", a.config], [], true); // of a session without a terminal
    expect(await running.exitCode()).to.equal(1);
    expect(running.err).to.contain("ERR_VAULT_LOCKED");
  });
});
