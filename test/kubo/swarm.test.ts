// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expectCode } from "../storage/expect-code.js";
import { bytesOf, keystream, keystreamBytes } from "../storage/keystream.js";
import { LocalKubo, makeSwarmKey } from "../support/kubo-node.js";

const MIB = 1_048_576;

describe("Kubo stores of two hospitals in one private swarm", function () {
  this.timeout(120_000);
  let folder: string;
  let a: LocalKubo;
  let b: LocalKubo;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "chartseal-swarm-"));
    const swarmKey = makeSwarmKey(folder);
    [a, b] = await Promise.all([LocalKubo.start({ swarmKey }), LocalKubo.start({ swarmKey })]);
    await a.connect(b);
  });
  afterEach(async () => {
    await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("read each other's bodies if told to, checked all the same, and keep what is theirs apart", async () => {
    await using custodian = await a.store();
    await using reader = await b.store({ fromPeers: true });
    const body = await keystreamBytes(3 * MIB + 7);
    const { cid } = await custodian.put(body);
    expect(await reader.has(cid)).to.equal(false);
    expect(await reader.verify(cid), "verify looks at this node alone").to.include({ reason: "missing" });
    expect(Buffer.compare(await bytesOf(reader.get(cid)), body)).to.equal(0);
    expect(await reader.has(cid), "fetched, not kept").to.equal(false);
    const range = { offset: MIB - 1, length: 2 };
    expect(await bytesOf(reader.get(cid, range))).to.deep.equal(Buffer.from(body.subarray(MIB - 1, MIB + 1)));
    await reader.delete(cid);
    expect(await reader.verify(cid), "what was fetched is gone").to.include({ reason: "missing" });
  });

  it("ask nobody unless told to", async () => {
    await using custodian = await a.store();
    await using reader = await b.store();
    const { cid } = await custodian.put(Buffer.from("abc"));
    await expectCode("ERR_BODY_MISSING", () => bytesOf(reader.get(cid)));
  });

  it("open a record of which one node is lost from the other that holds it", async () => {
    const body = await keystreamBytes(2 * MIB + 9);
    await using first = await a.store({ fromPeers: true });
    await using second = await b.store({ fromPeers: true });
    const { cid } = await first.put(body);
    await second.put(body);
    await a.down("SIGKILL");
    expect(Buffer.compare(await bytesOf(second.get(cid)), body)).to.equal(0);
    await expectCode("ERR_STORE_FAILED", () => bytesOf(first.get(cid)));
  });

  it("give up a body that no peer has, when the time is up", async () => {
    await using custodian = await a.store();
    await using reader = await b.store({ fromPeers: true, timeoutMs: 1_000 });
    const { cid } = await custodian.put(keystream(MIB + 1));
    await a.down("SIGKILL");
    const error = await expectCode("ERR_BODY_MISSING", () => bytesOf(reader.get(cid)));
    expect(error.values).to.deep.equal({ cid });
  });

  it("connect by themselves once one was told of the other", async () => {
    const { addresses } = await a.client().id();
    await b.down();
    const script = fileURLToPath(new URL("../../network/kubo/add-peer.ts", import.meta.url));
    // A second time changes nothing.
    for (const _ of [1, 2]) execFileSync(process.execPath, [script, b.repo, String(addresses[0])]);
    await b.up();
    await using custodian = await a.store();
    await using reader = await b.store({ fromPeers: true });
    const { cid } = await custodian.put(Buffer.from("abc"));
    expect(Buffer.from(await bytesOf(reader.get(cid))).toString()).to.equal("abc");
    expect(await b.client().config.get("Peering.Peers")).to.have.length(1);
  });

  it("do not speak with a node that lacks the key", async () => {
    await using stranger = await LocalKubo.start();
    let connected = false;
    await stranger.connect(a).then(
      () => (connected = true),
      () => {},
    );
    expect(connected).to.equal(false);
    await using custodian = await a.store();
    const { cid } = await custodian.put(Buffer.from("abc"));
    await using thief = await stranger.store({ fromPeers: true, timeoutMs: 1_000 });
    await expectCode("ERR_BODY_MISSING", () => bytesOf(thief.get(cid)));
  });

  it("are set up closed: no public peer, no routing, no gateway, no other transport, private files", async () => {
    const config = (await a.client().config.getAll()) as unknown as Record<string, Record<string, unknown>>;
    expect(config["Bootstrap"]).to.deep.equal([]);
    expect(config["Routing"]).to.deep.include({ Type: "none" });
    expect(config["Provide"]).to.deep.include({ Enabled: false });
    expect(config["HTTPRetrieval"]).to.deep.include({ Enabled: false });
    expect(config["AutoConf"]).to.deep.include({ Enabled: false });
    expect(config["Addresses"]).to.deep.include({ Gateway: [], API: "/ip4/127.0.0.1/tcp/0" });
    const { addresses } = await a.client().id();
    for (const address of addresses)
      expect(String(address)).to.match(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//);
    expect(await a.client().swarm.peers()).to.have.length(1);
    for (const name of ["swarm.key", "config"]) expect(statSync(join(a.repo, name)).mode & 0o077).to.equal(0);
    expect(statSync(a.repo).mode & 0o077).to.equal(0);
  });
});
