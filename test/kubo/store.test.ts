// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CID } from "multiformats/cid";
import { openKuboStore } from "../../src/storage/kubo.js";
import { openStore } from "../../src/storage/index.js";
import { shouldBehaveLikeBlobStore, type StoreUnderTest } from "../storage/blob-store-behaviour.js";
import { expectCode } from "../storage/expect-code.js";
import { keystream, keystreamBytes } from "../storage/keystream.js";
import { LocalKubo } from "../support/kubo-node.js";
import recorded from "../vectors/kubo-cids.json" with { type: "json" };

const MIB = 1_048_576;

describe("Kubo store", function () {
  this.timeout(120_000);
  let node: LocalKubo;
  const at = {} as StoreUnderTest;
  before(async () => {
    node = await LocalKubo.start({ token: true });
    at.reopen = (readOnly) => node.store({ readOnly });
  });
  after(() => node[Symbol.asyncDispose]());
  beforeEach(async () => {
    at.store = await node.store();
  });
  afterEach(async () => {
    for await (const { cid } of at.store.list()) await at.store.delete(cid);
    await at.store[Symbol.asyncDispose]();
  });

  shouldBehaveLikeBlobStore(at, 120);

  it("is what chartseal.json's `kubo` opens", async () => {
    await using store = await openStore({ kind: "kubo", rpc: node.rpc, tokenFile: node.tokenFile! });
    const { cid } = await store.put(Buffer.from("abc"));
    expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size: 3 });
  });

  it("keeps bodies as any IPFS client finds them: pinned recursively, under the CIDs that Kubo gives", async () => {
    const client = node.client();
    for (const size of [0, 1, MIB, MIB + 1, 3 * MIB + 7]) {
      const body = await keystreamBytes(size);
      const { cid } = await (size % 2 === 0 ? at.store.put(body) : at.store.put(keystream(size, 77_777)));
      expect(
        Buffer.compare(Buffer.concat(await Array.fromAsync(client.cat(cid))), body),
        String(size),
      ).to.equal(0);
      const [pin] = await Array.fromAsync(client.pin.ls({ paths: cid, type: "recursive" }));
      expect(pin!.cid.toString()).to.equal(cid);
      const again = await client.add(body, {
        cidVersion: 1,
        rawLeaves: true,
        chunker: `size-${MIB}`,
        onlyHash: true,
      });
      expect(again.cid.toString()).to.equal(cid);
    }
  });

  for (const { size, cid } of recorded.vectors.filter(({ size: bytes }) => bytes <= 6 * MIB)) {
    it(`gives ${size} bytes the recorded CID, streamed or at once`, async () => {
      expect((await at.store.put(keystream(size, 50_001))).cid).to.equal(cid);
      await at.store.delete(cid);
      expect((await at.store.put(await keystreamBytes(size))).cid).to.equal(cid);
    });
  }

  it("gives the profile's CIDs whatever the node's own settings for imports are", async () => {
    await using other = await LocalKubo.start();
    await other.client().config.profiles.apply("unixfs-v0-2015");
    await other.down();
    await other.up();
    await using store = await other.store();
    const { cid } = await store.put(keystream(5_242_883));
    expect(cid).to.equal(recorded.vectors.find(({ size }) => size === 5_242_883)!.cid);
    expect(await store.verify(cid)).to.deep.equal({ ok: true, size: 5_242_883 });
  });

  it("lists bodies only: not the node's own folder, not what others pinned there of another kind", async () => {
    const client = node.client();
    const folder = await client.add(
      { path: "folder/file", content: "x" },
      { wrapWithDirectory: true, cidVersion: 1 },
    );
    const { cid } = await at.store.put(Buffer.from("abc"));
    expect(await Array.fromAsync(at.store.list())).to.deep.equal([{ cid, size: 3 }]);
    await client.pin.rm(folder.cid);
  });

  it("counts what is there but not pinned as not stored", async () => {
    const { cid } = await at.store.put(Buffer.from("abc"));
    await node.client().pin.rm(CID.parse(cid));
    expect(await at.store.has(cid)).to.equal(false);
    expect(await Array.fromAsync(at.store.list())).to.deep.equal([]);
    await at.store.put(Buffer.from("abc"));
    expect(await at.store.has(cid)).to.equal(true);
    await node.collectGarbage();
    expect(await at.store.verify(cid), "kept by garbage collection").to.deep.equal({ ok: true, size: 3 });
  });

  it("says of a missing or wrong token which setting is wrong", async () => {
    await using none = await openKuboStore({ rpc: node.rpc });
    const file = join(dirname(node.repo), "other.token");
    writeFileSync(file, "0123456789abcdef\n", { mode: 0o600 });
    await using other = await openKuboStore({ rpc: node.rpc, tokenFile: file });
    for (const stranger of [none, other]) {
      const error = await expectCode("ERR_CONFIG_INVALID", () => stranger.put(Buffer.from("abc")));
      expect(error.hint).to.contain("tokenFile");
    }
  });
});
