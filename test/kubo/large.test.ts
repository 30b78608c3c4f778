// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { keystream } from "../storage/keystream.js";
import { runChild } from "../support/child.js";
import { LocalKubo } from "../support/kubo-node.js";
import recorded from "../vectors/kubo-cids.json" with { type: "json" };

const MIB = 1_048_576;
const SIZE = 300 * MIB;

describe("Kubo store: a body of 300 MiB", function () {
  this.timeout(300_000);
  let node: LocalKubo;
  before(async () => {
    node = await LocalKubo.start();
  });
  after(() => node[Symbol.asyncDispose]());

  it("has the CID that the embedded store gives, and is read back whole", async () => {
    await using store = await node.store();
    const { cid, size } = await store.put(keystream(SIZE));
    expect(cid).to.equal(recorded.vectors.find((vector) => vector.size === SIZE)!.cid);
    expect(await store.verify(cid)).to.deep.equal({ ok: true, size });
    await store.delete(cid);
  });

  it("streams in and out in bounded memory", async () => {
    const config = JSON.stringify({ kind: "kubo", rpc: node.rpc });
    const script = new URL("../storage/children/peak-memory.ts", import.meta.url);
    const { lines, output } = await runChild(script, [config, String(SIZE)]);
    const { ok, put, get } = lines[0] as { ok: boolean; put: number; get: number };
    expect(ok, output).to.equal(true);
    expect(put, "MiB of growth while putting").to.be.lessThan(60);
    expect(get, "MiB of growth while getting").to.be.lessThan(100);
  });
});
