// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { cidOfBytes, type BlobStore } from "../../src/storage/index.js";
import { expectCode } from "../storage/expect-code.js";
import { keystream, keystreamBytes } from "../storage/keystream.js";
import { LocalKubo } from "../support/kubo-node.js";

const MIB = 1_048_576;

describe("Kubo store: what is deleted", function () {
  this.timeout(60_000);
  let node: LocalKubo;
  let store: BlobStore;
  before(async () => {
    node = await LocalKubo.start();
    store = await node.store();
  });
  after(async () => {
    await store[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });

  /** Files of blocks, the node's own apart; and apart from half of one in .temp, which goes when the node starts again. */
  const blockFiles = (): string[] =>
    readdirSync(join(node.repo, "blocks"), { recursive: true, encoding: "utf8" }).filter(
      (name) => name.endsWith(".data") && !name.startsWith(".temp") && !own.has(name),
    );
  const own = new Set<string>();
  before(() => blockFiles().forEach((name) => own.add(name)));
  afterEach(async () => {
    for await (const { cid } of store.list()) await store.delete(cid);
    expect(blockFiles(), "nothing is left by the test").to.deep.equal([]);
  });

  for (const size of [0, 15, MIB, 5 * MIB + 3]) {
    it(`leaves no block of a body of ${size} bytes on the disk, and no pin`, async () => {
      const { cid } = await store.put(keystream(size));
      // With the folder that Kubo makes around what it adds.
      expect(blockFiles()).to.have.length(size > MIB ? 8 : 2);
      await store.delete(cid);
      expect(blockFiles()).to.deep.equal([]);
      const pins = await Array.fromAsync(node.client().pin.ls());
      expect(pins.map((pin) => pin.cid.toString())).not.to.include(cid);
    });
  }

  it("leaves the blocks that another body shares, whichever goes first", async () => {
    const [whole, longer] = await Promise.all([MIB, 2 * MIB + 5].map(keystreamBytes));
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const stored = await store.putMany([whole!, longer!]);
      const [first, second] = order.map((i) => stored[i]!);
      await store.delete(first!.cid);
      expect(await store.has(first!.cid)).to.equal(false);
      expect(await store.verify(second!.cid)).to.deep.equal({ ok: true, size: second!.size });
      await store.delete(second!.cid);
      expect(blockFiles()).to.deep.equal([]);
    }
  });

  it("goes though a block, or the whole tree, is already lost", async () => {
    const body = await keystreamBytes(3 * MIB);
    const { cid } = await store.put(body);
    unlinkSync(node.fileOf(cidOfBytes(body.subarray(MIB, 2 * MIB)).cid));
    await store.delete(cid);
    expect(blockFiles()).to.deep.equal([]);
    const again = await store.put(Buffer.from("abc"));
    unlinkSync(node.fileOf(again.cid));
    await store.delete(again.cid);
    expect(await store.has(again.cid)).to.equal(false);
  });

  it("is refused, with the block's name, while another body's tree is damaged", async () => {
    const [damaged, other] = [await store.put(keystream(2 * MIB)), await store.put(keystream(3 * MIB))];
    unlinkSync(node.fileOf(damaged.cid));
    const error = await expectCode("ERR_STORE_FAILED", () => store.delete(other.cid));
    expect(error.message).to.contain(damaged.cid);
    await store.delete(damaged.cid);
    await store.delete(other.cid);
    expect(blockFiles()).to.deep.equal([]);
  });

  it("goes when the call is repeated that a crash cut short", async () => {
    const { cid } = await store.put(keystream(3 * MIB));
    // What the first step leaves: unpinned, all blocks there.
    await node.client().pin.rm(CID.parse(cid));
    expect(blockFiles()).to.have.length(5);
    await store.delete(cid);
    expect(blockFiles()).to.deep.equal([]);
  });

  it("goes also where only a damaged root is left", async () => {
    const { cid } = await store.put(keystream(3 * MIB));
    writeFileSync(node.fileOf(cid), "not a tree");
    await store.delete(cid);
    expect(blockFiles()).to.deep.equal([]);
  });

  describe("of a put that failed half way", () => {
    /** Kubo writes on for a moment after the call has ended. */
    const collectedInTheEnd = async () => {
      do await node.collectGarbage();
      while (blockFiles().length > 0);
    };

    it("is seen by nobody, and garbage collection takes it", async () => {
      const failure = new Error("source broke");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield* keystream(130 * MIB); // more than the node gathers before it writes
        throw failure;
      }
      let caught: unknown;
      await store.put(failing()).catch((error: unknown) => (caught = error));
      expect(caught).to.equal(failure);
      expect(await Array.fromAsync(store.list())).to.deep.equal([]);
      await collectedInTheEnd();
    });

    it("or whose signal aborted, is seen by nobody, and garbage collection takes it", async () => {
      const controller = new AbortController();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield* keystream(130 * MIB);
        controller.abort();
        await new Promise(() => {});
      }
      let caught: unknown;
      await store.put(slow(), { signal: controller.signal }).catch((error: unknown) => (caught = error));
      expect(caught).to.equal(controller.signal.reason);
      expect(await Array.fromAsync(store.list())).to.deep.equal([]);
      await collectedInTheEnd();
    });
  });
});
