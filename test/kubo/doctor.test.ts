// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { Consortium, type Desk } from "../cli/consortium.js";
import { observations, reference } from "../cli/observations.js";
import { LocalKubo } from "../support/kubo-node.js";

interface Finding {
  check: string;
  state: string;
  detail: string;
  hint?: string;
}

describe("doctor with a Kubo store", function () {
  this.timeout(120_000);
  let node: LocalKubo;
  let consortium: Consortium;
  let a: Desk;
  before(async () => {
    [node, consortium] = await Promise.all([LocalKubo.start({ token: true }), Consortium.start()]);
    a = await consortium.member("a", "operator", "releaser");
    useNode({});
    await a.done("patient", "enrol", "--identifier", reference("ann"));
    writeFileSync(a.path("a.ndjson"), observations("ann", 4));
    await a.done("ingest", a.path("a.ndjson"), "--batch-items", "2");
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    await consortium[Symbol.asyncDispose]();
  });

  function useNode(changes: object): void {
    const { rpc, tokenFile } = node;
    const file = JSON.parse(readFileSync(a.config, "utf8")) as object;
    writeFileSync(
      a.config,
      JSON.stringify({ ...file, store: { kubo: { rpc, tokenFile, timeout: 10, ...changes } } }),
    );
  }
  const found = async (...states: string[]): Promise<Finding[]> => {
    const { json } = await a.run("doctor", "--json");
    return (json as { findings: Finding[] }).findings.filter(({ state }) => states.includes(state));
  };

  it("finds nothing wrong with a node that network/kubo set up, and all manifests there", async () => {
    expect(await found("warn", "fail")).to.deep.equal([]);
    const [asked] = (await found("ok")).filter(({ check }) => check === "IPFS node");
    expect(asked!.detail).to.match(/^Kubo 0\.42\.0 answers at http:\/\/127\.0\.0\.1:\d+$/);
    const [store] = (await found("ok")).filter(({ check }) => check === "store");
    expect(store!.detail).to.equal("holds the manifests of 2 batches");
    await a.done("verify", "--log");
  });

  it("names settings that lose bodies or open the node", async () => {
    const path = `${node.repo}/config`;
    const before = readFileSync(path, "utf8");
    const config = JSON.parse(before) as {
      Datastore: { Spec: { mounts: { sync?: boolean }[] } };
      Routing: object;
    };
    config.Datastore.Spec.mounts[0]!.sync = false;
    config.Routing = { Type: "dht" };
    await node.down();
    writeFileSync(path, JSON.stringify(config));
    await node.up();
    useNode({});
    const findings = await found("warn", "fail");
    expect(findings.map(({ check, state }) => [check, state])).to.deep.equal([
      ["IPFS node", "fail"],
      ["IPFS node", "warn"],
    ]);
    expect(findings[0]!.hint).to.contain('"sync": true');
    await node.down();
    writeFileSync(path, before);
    await node.up();
    useNode({});
    expect(await found("warn", "fail")).to.deep.equal([]);
  });

  it("names a manifest that the node lacks", async () => {
    const pins = await Array.fromAsync(node.client().pin.ls({ type: "recursive" }));
    const ours = pins.filter(({ cid }) => cid.version === 1);
    for (const { cid } of ours) await node.client().pin.rm(cid);
    const findings = await found("fail");
    expect(findings.map(({ check }) => check)).to.deep.equal(["store"]);
    for (const { cid } of ours) await node.client().pin.add(cid);
    expect(await found("fail")).to.deep.equal([]);
  });

  it("names a token file that others may read, a wrong address and a node that is down", async () => {
    chmodSync(node.tokenFile!, 0o644);
    const [open] = await found("fail");
    expect(open!.hint).to.equal(`chmod 600 ${node.tokenFile!}`);
    chmodSync(node.tokenFile!, 0o600);
    await node.down();
    const down = await found("fail");
    expect(down.map(({ check }) => check)).to.include.members(["IPFS node", "store"]);
    expect(down[0]!.detail).to.contain("ERR_STORE_FAILED");
    useNode({ rpc: "http://10.0.0.7:5001" });
    const [config] = await found("fail");
    expect(config).to.include({ check: "configuration" });
    expect(config!.detail).to.contain("store.kubo.rpc: http only to this machine");
  });
});
