// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { MllpClient, oru } from "../../support/mllp-client.js";
import { Consortium, type Desk } from "../consortium.js";

const TOKEN = "0123456789abcdef0123456789abcdef";
const pemFile = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));

interface Ready {
  mllp?: string;
  http?: string;
  outbox?: string;
}

describe("listen", function () {
  this.timeout(60_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let outbox: string;
  let token: string;

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator");
    await a.done("patient", "enrol", "--identifier", "HARBOUR|p");
    outbox = a.path("outbox");
    mkdirSync(outbox);
    token = a.path("token");
    writeFileSync(token, `${TOKEN}\n`, { mode: 0o600 });
  });
  after(() => consortium[Symbol.asyncDispose]());

  const doors = () => ["--mllp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--http-token-file", token];
  const globals = () => ["--config", a.config, "--passphrase-file", consortium.passphraseFile];

  it("takes records by every door, says what became of them, and no word of what they say", async () => {
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Ready>();
    const onLine = (line: string) => {
      const event = JSON.parse(line) as Ready & { event: string };
      if (event.event === "ready") resolve(event);
    };
    const options = { signal: stop.signal, onLine };
    const running = a.runWith(
      options,
      "listen",
      ...doors(),
      "--outbox",
      outbox,
      "--batch-wait",
      "1",
      "--log",
      a.path("listen.log"),
      "--log-level",
      "debug",
      "--json",
    );
    const ready = await promise;
    const heartbeat = join(dirname(a.config), "alive", "listen.json");
    expect(JSON.parse(readFileSync(heartbeat, "utf8"))).to.include({ format: 1, vaultUnlocked: true });
    await using client = await MllpClient.to(ready.mllp!);
    expect((await client.ask(oru("1", "p"))).code).to.equal("AA");
    expect((await client.ask("secret")).code).to.equal("AE");
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/fhir+json" };
    const body = JSON.stringify({ resourceType: "Patient", id: "secret" });
    const response = await fetch(`${ready.http}/fhir/Patient`, { method: "POST", headers, body });
    expect(response.status).to.equal(201);
    expect(ready.outbox).to.equal(outbox);
    stop.abort();
    const { code, out, err, lines } = await running;
    expect([code, err]).to.deep.equal([0, ""]);
    expect(lines.at(-1)).to.include({ event: "stopped", sealed: 1, waiting: 1, refused: 1, anchored: 1 });
    expect(lines).to.deep.include({ event: "refused", door: "mllp", code: "ERR_ITEM_INVALID", later: false });
    expect(out).not.to.match(/secret|Hemoglobin/);
    expect(existsSync(heartbeat), "a heartbeat is left behind").to.equal(false);
    const log = readFileSync(a.path("listen.log"), "utf8");
    expect(log).not.to.match(/secret|Hemoglobin/);
    const events = log
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).to.include.members(["ready", "received", "refused", "ingested", "stopped"]);
  });

  it("says in its heartbeat, which needs no port, why it takes nothing, while that lasts", async () => {
    await chain.rpc("evm_setAutomine", [false]);
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Ready>();
    const onLine = (line: string) => {
      const event = JSON.parse(line) as Ready & { event: string };
      if (event.event === "ready") resolve(event);
    };
    const argv = ["listen", "--mllp", "127.0.0.1:0", "--most-unanchored", "1", "--batch-wait", "1", "--json"];
    const running = a.runWith({ signal: stop.signal, onLine }, ...argv);
    try {
      const { mllp } = await promise;
      const trouble = () => {
        const beat = readFileSync(join(dirname(a.config), "alive", "listen.json"), "utf8");
        return (JSON.parse(beat) as { trouble?: string }).trouble;
      };
      expect(trouble()).to.equal(undefined);
      await using client = await MllpClient.to(mllp!);
      for (let number = 0; (await client.ask(oru(`t${number}`, "p"))).code === "AA";) number++;
      while (trouble() === undefined) await new Promise((done) => setTimeout(done, 50));
      expect(trouble()).to.equal("ERR_BUSY");
      await chain.rpc("evm_setAutomine", [true]);
      await chain.rpc("evm_mine");
      while (trouble() !== undefined) await new Promise((done) => setTimeout(done, 50));
    } finally {
      await chain.rpc("evm_setAutomine", [true]);
      stop.abort();
      await running;
    }
  });

  it("is refused wrong options, before it listens", async () => {
    await a.refused(2, "ERR_USAGE", "listen");
    await a.refused(2, "ERR_USAGE", "listen", "--mllp", "2575");
    await a.refused(2, "ERR_USAGE", "listen", "--mllp", "0.0.0.0:0");
    await a.refused(2, "ERR_USAGE", "listen", "--http", "127.0.0.1:0");
    await a.refused(2, "ERR_USAGE", "listen", "--outbox", outbox, "--tls-cert", pemFile("agent.pem"));
    await a.refused(2, "ERR_USAGE", "listen", "--mllp", "127.0.0.1:0", "--most-bytes", "100000000");
    await a.refused(2, "ERR_USAGE", "listen", "--outbox", join(outbox, "nowhere"));
    const error = await a.refused(
      2,
      "ERR_USAGE",
      "listen",
      "--mllp",
      "127.0.0.1:0",
      "--tls-cert",
      pemFile("agent.pem"),
    );
    expect(error.message).to.contain("--tls-key");
  });

  it("does not take a token from a file that others may read, and never shows it", async () => {
    chmodSync(token, 0o644);
    const error = await a.refused(2, "ERR_USAGE", "listen", ...doors());
    expect(JSON.stringify(error)).not.to.contain(TOKEN);
    chmodSync(token, 0o600);
  });

  it("takes nothing with a locked vault: no port is open, and no plaintext on disk", async () => {
    const wrong = a.path("wrong");
    writeFileSync(wrong, "another passphrase entirely\n", { mode: 0o600 });
    const port = await freePort();
    writeFileSync(join(outbox, "secret.txt"), "plaintext of a locked-out file");
    const argv = ["listen", "--mllp", `127.0.0.1:${port}`, "--outbox", outbox, "--config", a.config];
    const child = start([...argv, "--passphrase-file", wrong]);
    expect(await child.exitCode()).to.equal(1);
    expect(child.err()).to.contain("ERR_VAULT_LOCKED");
    const refused: unknown = await once(connect(port, "127.0.0.1"), "connect").catch(
      (error: unknown) => error,
    );
    expect(refused).to.include({ code: "ECONNREFUSED" });
    const found = readdirSync(consortium.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => readFileSync(file).includes("plaintext of a locked-out file"));
    expect(found, "only where its sender put it").to.deep.equal([join(outbox, "secret.txt")]);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`ends on ${signal} with 0, after what is in hand`, async () => {
      const child = start(["listen", "--mllp", "127.0.0.1:0", "--json", ...globals()]);
      const line = await child.line();
      await using client = await MllpClient.to((JSON.parse(line) as Ready).mllp!);
      expect((await client.ask(oru(`of ${signal}`, "p"))).code).to.equal("AA");
      child.kill(signal);
      expect(await child.exitCode(), child.err()).to.equal(0);
      const { items } = (await a.done("status", "--json")).json as { items: { sealed: number } };
      expect(items.sealed).to.equal(0);
    });
  }
});

/** `chartseal` as systemd starts it: without a terminal. */
function start(argv: readonly string[]) {
  const flags = ["--disable-warning=ExperimentalWarning", "--import", "tsx", "src/cli/main.ts"];
  const child = spawn(process.execPath, [...flags, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let [out, err] = ["", ""];
  const first = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes("\n")) resolve(out.slice(0, out.indexOf("\n")));
    });
  });
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return {
    exitCode: async () => ((await ended) as [number])[0],
    err: () => err,
    line: () => Promise.race([first, ended.then(() => Promise.reject(new Error(err)))]),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
