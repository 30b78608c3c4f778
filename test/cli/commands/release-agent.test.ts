// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Consortium, type Desk } from "../consortium.js";
import { observations, reference } from "../observations.js";

const UNTIL = ["--until", "2099-01-31"];
const pemFile = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));

describe("release-agent --listen", () => {
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  let ticket: string;

  before(async function () {
    this.timeout(60_000);
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator", "releaser");
    b = await consortium.member("b", "clinician");
    const key = consortium.keyFile("ann.key");
    await a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", key);
    writeFileSync(a.path("a.ndjson"), observations("ann", 3));
    await a.done("ingest", a.path("a.ndjson"));
    ticket = join(consortium.folder, "ticket.json");
    const to = ["--to", String(b.id), "--purpose", "TREAT", ...UNTIL];
    await a.done("grant", "--patient", reference("ann"), ...to, "--signer-key", key, "--out", ticket);
    // What goes over HTTP needs no folder.
    rmSync(join(consortium.folder, "exchange"), { recursive: true });
  });
  after(() => consortium[Symbol.asyncDispose]());

  const tls = () => ["--tls-cert", pemFile("agent.pem"), "--tls-key", pemFile("agent.key")];
  const reading = () => ["--grant", ticket, "--purpose", "TREAT"];

  it("serves another member whose configuration names its address, over TLS with certificates on both sides", async () => {
    const flags = ["--listen", "127.0.0.1:0", ...tls(), "--tls-client-ca", pemFile("ca.pem")];
    const { result, lines } = await a.serving(
      async (address) => {
        expect(address).to.match(/^https:\/\/127\.0\.0\.1:\d+$/);
        const client = { ca: pemFile("ca.pem"), cert: pemFile("reader.pem"), key: pemFile("reader.key") };
        b.configure({ exchange: { folder: "../exchange", agents: { [a.id]: [address] }, tls: client } });
        return await b.done("open", ...reading(), "--out", join(consortium.folder, "records"), "--json");
      },
      ...flags,
    );
    expect((result.json as { records: unknown[] }).records).to.have.length(3);
    expect(lines.map(({ event }) => event)).to.deep.equal([
      "ready",
      ...Array<string>(lines.length - 2).fill("answer"),
      "stopped",
    ]);
  });

  it("logs what it answers by number and code, and that it lives and has the vault open", async () => {
    mkdirSync(join(consortium.folder, "exchange"), { recursive: true });
    const log = a.path("agent.log");
    await a.serving(
      async (address) => {
        b.configure({ exchange: { folder: "../exchange", agents: { [a.id]: [address] } } });
        const beat = JSON.parse(readFileSync(a.path("alive/release-agent.json"), "utf8")) as object;
        expect(beat).to.include({ format: 1, vaultUnlocked: true });
        await b.done("request", ...reading());
      },
      ...["--listen", "127.0.0.1:0", "--log", log],
    );
    expect(existsSync(a.path("alive/release-agent.json"))).to.equal(false);
    const lines = readFileSync(log, "utf8").trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).to.deep.equal(["ready", "answered", "stopped"]);
    expect(events[1]).to.include({ level: "info", process: "release-agent", member: b.id });
    expect(events[1]!["accessId"]).to.match(/^0x[0-9a-f]{64}$/);
    rmSync(join(consortium.folder, "exchange"), { recursive: true });
  });

  it("says what cannot be used, before it says that it is ready", async () => {
    for (const flags of [
      ["--listen", "8443"],
      ["--listen", "127.0.0.1:99999"],
      ["--tls-cert", pemFile("agent.pem"), "--tls-key", pemFile("agent.key")],
      ["--listen", "127.0.0.1:0", "--tls-cert", pemFile("agent.pem")],
      ["--listen", "127.0.0.1:0", "--tls-client-ca", pemFile("ca.pem")],
      ["--listen", "127.0.0.1:0", "--tls-cert", pemFile("none.pem"), "--tls-key", pemFile("agent.key")],
      ["--listen", "0.0.0.0:0"],
      ["--peer", "http://agent.example"],
      ["--standby", a.path("state.db")],
    ]) {
      await a.refused(2, "ERR_USAGE", "release-agent", ...flags);
    }
  });

  it("is refused by a configuration that would send requests in the clear, or nowhere", async () => {
    const good = JSON.parse(readFileSync(b.config, "utf8")) as object;
    const folder = "../exchange";
    for (const [exchange, field] of [
      [{ folder, agents: { [a.id]: ["http://agent.example"] } }, `exchange.agents.${a.id}.0`],
      [{ folder, agents: { [a.id]: ["ftp://agent.example"] } }, `exchange.agents.${a.id}.0`],
      [{ folder, agents: { [a.id]: [] } }, `exchange.agents.${a.id}`],
      [{ folder, agents: { __proto__x: ["https://agent.example"] } }, "exchange.agents.__proto__x"],
      [{ agents: {} }, "exchange.folder"],
      [{ folder, tls: { cert: "only.pem" } }, "exchange.tls"],
    ] as const) {
      const path = b.path("bad.json");
      writeFileSync(path, JSON.stringify({ ...good, exchange }));
      const argv = [
        "request",
        ...reading(),
        "--config",
        path,
        "--passphrase-file",
        consortium.passphraseFile,
      ];
      const { refused } = await import("../command-line.js");
      expect((await refused(1, "ERR_CONFIG_INVALID", argv)).values["field"]).to.equal(field);
    }
  });

  it("is stood in for by a standby with copies, when it is gone", async () => {
    const copies = a.path("copies");
    expect((await a.done("replicate", "--to", copies, "--once", "--json")).json).to.deep.equal({
      event: "copied",
      folder: copies,
    });
    const config = JSON.parse(readFileSync(a.config, "utf8")) as object;
    const path = a.path("standby.json");
    const files = { vault: "copies/current/vault.db", journal: "copies/current/journal.db" };
    writeFileSync(path, JSON.stringify({ ...config, ...files }), { mode: 0o600 });
    const gone = ["--peer", "http://127.0.0.1:1"];
    const flags = ["--config", path, "--listen", "127.0.0.1:0", ...gone, "--standby", a.path("state.db")];
    const { result } = await a.serving(
      async (address) => {
        b.configure({
          exchange: { folder: "../exchange", agents: { [a.id]: ["http://127.0.0.1:1", address] } },
        });
        const out = join(consortium.folder, "by-standby");
        return await b.done("open", ...reading(), "--out", out, "--json");
      },
      ...flags,
    );
    expect((result.json as { records: unknown[] }).records).to.have.length(3);
  });

  it("tells who granted that the ticket did not reach the grantee's agent, and gives it to him", async () => {
    a.configure({ exchange: { folder: "../exchange", agents: { [b.id]: ["http://127.0.0.1:1"] } } });
    const to = ["--to", String(b.id), "--purpose", "TREAT", ...UNTIL];
    const key = ["--signer-key", join(consortium.folder, "ann.key")];
    const { code, out, err } = await a.run("grant", "--patient", reference("ann"), ...to, ...key);
    expect(code).to.equal(3);
    expect(out).to.match(/^Granted to member/);
    expect(err).to.contain(`Member ${b.id} does not have the ticket`).and.to.contain("ERR_TIMEOUT");
    const given = join(consortium.folder, "by-hand.json");
    writeFileSync(given, err.slice(err.indexOf("{")));
    expect(JSON.parse(readFileSync(given, "utf8"))).to.include({ format: 1, custodian: a.id });
  });

  it("is not found where nobody listens, and says what to look at", async () => {
    b.configure({ exchange: { folder: "../exchange", agents: { [a.id]: ["http://127.0.0.1:1"] } } });
    const error = await b.refused(1, "ERR_TIMEOUT", "request", ...reading(), "--timeout", "1");
    expect(error.message).to.contain("127.0.0.1:1");
  });
});
