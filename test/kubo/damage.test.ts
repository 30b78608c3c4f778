// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { cidOfBytes, type BlobStore } from "../../src/storage/index.js";
import { expectCode } from "../storage/expect-code.js";
import { bytesOf, keystream, keystreamBytes } from "../storage/keystream.js";
import { LocalKubo } from "../support/kubo-node.js";

const MIB = 1_048_576;
const SIZE = 3 * MIB + 7;

/** CIDs of the 1 MiB blocks of a body. */
function leavesOf(body: Uint8Array): string[] {
  const starts = Array.from({ length: Math.ceil(body.length / MIB) }, (_, i) => i * MIB);
  return starts.map((start) => cidOfBytes(body.subarray(start, start + MIB)).cid);
}

describe("Kubo store: damage on the node's disk", function () {
  this.timeout(60_000);
  let node: LocalKubo;
  let store: BlobStore;
  let body: Uint8Array;
  let leaves: string[];
  before(async () => {
    node = await LocalKubo.start();
    store = await node.store();
    body = await keystreamBytes(SIZE);
    leaves = leavesOf(body);
  });
  after(async () => {
    await store[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });

  const flip = (cid: string, at: number): void => {
    const bytes = readFileSync(node.fileOf(cid));
    bytes[at]! ^= 0x80;
    writeFileSync(node.fileOf(cid), bytes);
  };

  it("in one byte is found in its block, after the good blocks before it", async () => {
    const { cid } = await store.put(keystream(SIZE));
    flip(leaves[2]!, 5);
    let seen = 0;
    const error = await expectCode("ERR_BODY_TAMPERED", async () => {
      for await (const bytes of store.get(cid)) seen += bytes.length;
    });
    expect(seen).to.equal(2 * MIB);
    expect(error.values).to.deep.equal({ cid, block: 2, firstByte: 2 * MIB, lastByte: 3 * MIB - 1 });
    expect(await store.verify(cid)).to.deep.include({ ok: false, reason: "tampered" });
    // Blocks that are whole can still be read.
    const range = { offset: 3 * MIB, length: 7 };
    expect(Buffer.compare(await bytesOf(store.get(cid, range)), body.subarray(3 * MIB))).to.equal(0);
    await store.put(keystream(SIZE));
    expect(await store.verify(cid), "repaired by another put").to.deep.equal({ ok: true, size: SIZE });
  });

  it("in a body of one block is found", async () => {
    const { cid } = await store.put(Buffer.from("a sealed record"));
    flip(cid, 3);
    await expectCode("ERR_BODY_TAMPERED", () => bytesOf(store.get(cid)));
    await store.put(Buffer.from("a sealed record"));
    expect(await store.verify(cid), "repaired by another put").to.deep.equal({ ok: true, size: 15 });
  });

  it("in a block's length is found", async () => {
    const { cid } = await store.put(keystream(SIZE));
    for (const length of [0, MIB - 1]) {
      truncateSync(node.fileOf(leaves[1]!), length);
      const error = await expectCode("ERR_BODY_TAMPERED", () => bytesOf(store.get(cid)));
      expect(error.values).to.include({ block: 1 });
      await store.put(keystream(SIZE));
    }
    expect(await store.verify(cid)).to.deep.equal({ ok: true, size: SIZE });
  });

  it("in the tree above the blocks is found", async () => {
    const { cid } = await store.put(keystream(SIZE));
    flip(cid, 40);
    await expectCode("ERR_BODY_TAMPERED", () => bytesOf(store.get(cid)));
    expect(await store.verify(cid)).to.deep.include({ ok: false, reason: "tampered" });
    await store.putMany([body]);
    expect(await store.verify(cid), "repaired by another put").to.deep.equal({ ok: true, size: SIZE });
  });

  it("that removes a block makes the body missing, and names the block, without asking the network", async () => {
    const { cid } = await store.put(keystream(SIZE));
    unlinkSync(node.fileOf(leaves[1]!));
    const error = await expectCode("ERR_BODY_MISSING", () => bytesOf(store.get(cid)));
    expect(error.values).to.deep.equal({ cid, block: leaves[1] });
    expect(await store.verify(cid)).to.deep.include({ ok: false, reason: "missing" });
    await store.put(keystream(SIZE));
    expect(await store.verify(cid), "repaired by another put").to.deep.equal({ ok: true, size: SIZE });
  });

  it("that removes the root makes it not there", async () => {
    const { cid } = await store.put(Buffer.from("abc"));
    unlinkSync(node.fileOf(cid));
    expect(await store.has(cid)).to.equal(false);
    expect((await Array.fromAsync(store.list())).map((entry) => entry.cid)).not.to.include(cid);
    await store.put(Buffer.from("abc"));
    expect(await store.has(cid)).to.equal(true);
  });

  it("that the node itself finds is named in the same words", async () => {
    await using strict = await LocalKubo.start();
    await strict.client().config.set("Datastore.HashOnRead", true);
    await strict.down();
    await strict.up();
    await using other = await strict.store();
    const { cid } = await other.put(keystream(SIZE));
    const bytes = readFileSync(strict.fileOf(leaves[3]!));
    bytes[0]! ^= 1;
    writeFileSync(strict.fileOf(leaves[3]!), bytes);
    const error = await expectCode("ERR_BODY_TAMPERED", () => bytesOf(other.get(cid)));
    expect(error.values).to.include({ cid, block: 3 });
  });
});
