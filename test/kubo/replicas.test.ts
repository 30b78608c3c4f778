// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { repairReplicas } from "../../src/durability/index.js";
import {
  exportCar,
  importCar,
  openEmbeddedStore,
  openReplicatedStore,
  type ReplicatedStore,
} from "../../src/storage/index.js";
import { cidOf } from "../../src/storage/unixfs-dag.js";
import { cidOfBytes } from "../../src/storage/cid.js";
import { bytesOf, keystream, keystreamBytes } from "../storage/keystream.js";
import { LocalKubo } from "../support/kubo-node.js";
import { rejected } from "../support/rejected.js";

const MIB = 1_048_576;
const RAW = 0x55;
const SIZES = [0, 1000, MIB, MIB + 1, 5 * MIB + 7];

describe("two IPFS nodes and a folder as replicas", function () {
  this.timeout(180_000);
  let folder: string;
  let nodes: [LocalKubo, LocalKubo];
  let store: ReplicatedStore;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "chartseal-replicas-"));
    nodes = await Promise.all([LocalKubo.start(), LocalKubo.start()]);
  });
  beforeEach(() => {
    const replicas = [
      { name: "first", open: () => nodes[0].store() },
      { name: "second", open: () => nodes[1].store() },
      { name: "folder", open: () => openEmbeddedStore(join(folder, "store")) },
    ];
    store = openReplicatedStore(replicas, { write: 2, patience: 5_000, rest: 1 });
  });
  afterEach(() => store[Symbol.asyncDispose]());
  after(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it("hold the same bodies under the same CIDs", async () => {
    for (const size of SIZES) {
      const { cid } = await store.put(keystream(size, 70_001));
      for (const replica of store.replicas)
        expect(await replica.store.verify(cid), replica.name).to.deep.equal({ ok: true, size });
    }
    const presence = await Array.fromAsync(store.presence());
    expect(presence.map(({ holders }) => holders)).to.deep.equal(SIZES.map(() => [0, 1, 2]));
  });

  it("take and give bodies while a node hangs, and are brought into step once it answers", async () => {
    const body = await keystreamBytes(3 * MIB + 9);
    nodes[0].pause();
    let cid: string;
    try {
      ({ cid } = await store.put(keystream(body.length, 70_001)));
      expect(Buffer.compare(await bytesOf(store.get(cid)), body)).to.equal(0);
      const error = await rejected("ERR_STORE_FAILED", store.delete(cid));
      expect(error).to.include({ retryable: true });
      expect(error.values["failed"]).to.equal("first");
    } finally {
      nodes[0].pause(false);
    }
    // The others did delete it.
    await store.replicas[2]!.store.put(body);
    const { replicas, lost, unreachable } = await repairReplicas(store);
    expect({ lost, unreachable: unreachable.length }).to.deep.equal({ lost: [], unreachable: 0 });
    expect(replicas.find(({ name }) => name === "second")!.repaired).to.equal(1);
    for (const { name, store: replica } of store.replicas)
      expect((await replica.verify(cid)).ok, name).to.equal(true);
    await store.delete(cid);
    expect(await store.has(cid)).to.equal(false);
  });

  it("give a body of which a node lost a block in the middle, and put the block back", async () => {
    // Other bytes than those of the other bodies: a block that two share is kept for the other one.
    const body = (await keystreamBytes(4 * MIB + 11)).map((byte) => byte ^ 0xff);
    const { cid } = await store.put(body);
    const { blocks } = cidOfBytes(body);
    const client = nodes[0].client();
    const leaf = cidOf(RAW, blocks.subarray(2 * 32, 3 * 32));
    await client.pin.rm(CID.parse(cid));
    for await (const removed of client.block.rm(leaf)) expect(removed.error ?? null).to.equal(null);
    expect(Buffer.compare(await bytesOf(store.get(cid)), body)).to.equal(0);
    await repairReplicas(store, { verify: true });
    expect(await store.replicas[0]!.store.verify(cid)).to.deep.equal({ ok: true, size: body.length });
  });

  it("export a CAR file that `ipfs dag import` takes and pins", async () => {
    const cids: string[] = [];
    for (const size of SIZES) cids.push((await store.put(keystream(size))).cid);
    await using fresh = await LocalKubo.start();
    const roots: string[] = [];
    for await (const { root } of fresh.client().dag.import([exportCar(store, cids)])) {
      expect(root.pinErrorMsg ?? "").to.equal("");
      roots.push(root.cid.toString());
    }
    expect(roots.toSorted()).to.deep.equal(cids.toSorted());
    await using there = await fresh.store();
    for (const [place, cid] of cids.entries())
      expect(await there.verify(cid)).to.deep.equal({ ok: true, size: SIZES[place] });
  });

  it("import what `ipfs dag export` wrote", async () => {
    const { cid } = await store.put(keystream(5 * MIB + 13));
    await using other = await openEmbeddedStore(join(folder, "other"));
    const exported = nodes[1].client().dag.export(CID.parse(cid));
    expect(await importCar(other, exported)).to.include({ bodies: 1, missing: 0 });
    expect(await other.verify(cid)).to.deep.equal({ ok: true, size: 5 * MIB + 13 });
  });
});
