// SPDX-License-Identifier: Apache-2.0
import { CarReader, CarWriter } from "@ipld/car";
import { expect } from "chai";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { hash } from "node:crypto";
import {
  UNIXFS_V1_2025,
  childrenOf,
  cidOf,
  rootOfBlocks,
  type InnerBlock,
} from "../../src/storage/unixfs-dag.js";
import { cidOfBytes, exportCar, importCar, openEmbeddedStore } from "../../src/storage/index.js";
import { expectCode } from "./expect-code.js";
import { bytesOf, keystreamBytes } from "./keystream.js";
import { Replicas } from "./replicas.js";
import { TemporaryStore } from "./temporary-store.js";

const MIB = 1_048_576;
const RAW = 0x55;
const SIZES = [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 7];

/** In pieces of a length that fits nothing. */
async function* pieces(bytes: Uint8Array, length = 70_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

describe("CAR files", function () {
  this.timeout(60_000);
  const at = TemporaryStore.forEachTest();
  let other: Replicas;
  beforeEach(() => {
    other = new Replicas();
  });
  afterEach(() => other[Symbol.asyncDispose]());

  const filled = async (sizes: readonly number[] = SIZES): Promise<string[]> => {
    const bodies = await Promise.all(sizes.map(keystreamBytes));
    return (await at.store.putMany(bodies)).map(({ cid }) => cid);
  };
  const listed = async (): Promise<string[]> =>
    (await Array.fromAsync((await other.plain("a")).list())).map(({ cid }) => cid);

  it("carry bodies of any size to another store, the same a second time", async () => {
    const cids = await filled();
    const car = await bytesOf(exportCar(at.store, cids));
    const store = await other.plain("a");
    const total = SIZES.reduce((sum, size) => sum + size, 0);
    for (let time = 0; time < 2; time++) {
      expect(await importCar(store, pieces(car))).to.deep.equal({
        ...{ bodies: SIZES.length, bytes: total, leftOut: 0, missing: 0 },
      });
    }
    expect(await listed()).to.deep.equal(cids.toSorted());
    for (const [place, cid] of cids.entries()) {
      expect(await store.verify(cid)).to.deep.equal({ ok: true, size: SIZES[place] });
    }
  });

  it("hold, for another reader, the bodies as roots, each tree's blocks from its root on", async () => {
    const cids = await filled([5, 2 * MIB + 7]);
    const reader = await CarReader.fromBytes(await bytesOf(exportCar(at.store, cids)));
    expect((await reader.getRoots()).map(String)).to.deep.equal(cids);
    const body = await keystreamBytes(2 * MIB + 7);
    const leaf = (block: number) => body.subarray(block * MIB, (block + 1) * MIB);
    const leaves = [0, 1, 2].map((block) => cidOf(RAW, hash("sha256", leaf(block), "buffer")).toString());
    const found = await Array.fromAsync(reader.blocks());
    expect(found.map(({ cid }) => cid.toString())).to.deep.equal([...cids, ...leaves]);
    for (const { cid, bytes } of found)
      expect(cid.multihash.digest).to.deep.equal(new Uint8Array(hash("sha256", bytes, "buffer")));
  });

  it("that another writer made are taken", async () => {
    const { blocks, cid, size } = cidOfBytes(Buffer.alloc(2 * MIB, 9));
    const nodes: InnerBlock[] = [];
    const root = rootOfBlocks(blocks, size, UNIXFS_V1_2025, (node) => nodes.push(node));
    expect(root.toString()).to.equal(cid);
    const { writer, out } = CarWriter.create([root]);
    const collected = Array.fromAsync(out);
    await writer.put(nodes[0]!);
    for (const child of childrenOf(nodes[0]!.bytes))
      await writer.put({ cid: child, bytes: Buffer.alloc(MIB, 9) });
    await writer.close();
    const result = await importCar(await other.plain("a"), pieces(Buffer.concat(await collected)));
    expect(result).to.include({ bodies: 1, missing: 0 });
    expect(await listed()).to.deep.equal([cid]);
  });

  it("cut short anywhere are refused or called incomplete, and what came before is kept", async () => {
    const sizes = [100, MIB + 1, 300_000, 2 * MIB + 7, 7];
    const cids = await filled(sizes);
    const car = await bytesOf(exportCar(at.store, cids));
    await fc.assert(
      fc.asyncProperty(fc.nat(car.length - 1), async (length) => {
        await using place = new Replicas();
        const store = await place.plain("a");
        const outcome = await importCar(store, pieces(car.subarray(0, length))).catch(
          (error: unknown) => error,
        );
        const kept = (await Array.fromAsync(store.list())).map(({ cid }) => cid);
        for (const cid of kept) expect((await store.verify(cid)).ok).to.equal(true);
        const whole = cids.filter((cid) => kept.includes(cid));
        expect(kept, "nothing but whole bodies, in their order").to.have.length(whole.length);
        expect(whole).to.deep.equal(cids.slice(0, whole.length));
        if (outcome instanceof Error) {
          expect(outcome).to.have.property("code", "ERR_ITEM_INVALID");
          expect((outcome as unknown as { values: object }).values).to.include({ stored: whole.length });
        } else expect(outcome).to.deep.include({ missing: cids.length - whole.length });
        await importCar(store, pieces(car));
        expect(await Array.fromAsync(store.list())).to.have.length(cids.length);
      }),
      { numRuns: 20 },
    );
  });

  it("with a flipped bit anywhere store no body but those that were exported", async () => {
    const cids = await filled([100, MIB + 1, 7]);
    const car = await bytesOf(exportCar(at.store, cids));
    await fc.assert(
      fc.asyncProperty(fc.nat(car.length - 1), fc.nat(7), async (place, bit) => {
        await using replicas = new Replicas();
        const store = await replicas.plain("a");
        const forged = Buffer.from(car);
        forged[place]! ^= 1 << bit;
        const outcome = await importCar(store, pieces(forged)).catch((error: unknown) => error);
        expect(outcome)
          .to.have.property("code")
          .that.is.oneOf(["ERR_ITEM_INVALID", "ERR_BODY_TAMPERED", "ERR_FORMAT_UNSUPPORTED"]);
        for await (const { cid } of store.list()) expect(cids).to.include(cid);
      }),
      { numRuns: 40 },
    );
  });

  describe("that were made to harm", () => {
    const header = async (roots: CID[]): Promise<Buffer> => {
      const { writer, out } = CarWriter.create(roots);
      const collected = Array.fromAsync(out);
      await writer.close();
      return Buffer.concat(await collected);
    };
    const refusedAs = async (
      code: "ERR_ITEM_INVALID" | "ERR_FORMAT_UNSUPPORTED",
      car: AsyncIterable<Uint8Array>,
    ) => {
      const error = await expectCode(code, async () => importCar(await other.plain("a"), car));
      expect(await listed()).to.deep.equal([]);
      return error;
    };
    const root = cidOfBytes(Buffer.from("abc"));

    it("are read no further than their first impossible length", async () => {
      let given = 0;
      async function* endless(start: Uint8Array): AsyncGenerator<Uint8Array> {
        yield start;
        for (; given < 4_096; given++) yield Buffer.alloc(MIB);
      }
      const claims = [
        Buffer.from("ffffff7f", "hex"), // a header of 256 MiB
        Buffer.from("ffffffffffffffff7f", "hex"),
        Buffer.concat([
          await header([CID.parse(root.cid)]),
          Buffer.from("ffffff7f", "hex"),
          CID.parse(root.cid).bytes,
        ]),
      ];
      for (const claim of claims) await refusedAs("ERR_ITEM_INVALID", endless(claim));
      expect(given, "MiB taken").to.be.lessThan(10);
    });

    it("are refused: no CAR at all, nothing, version 2, other hashes, blocks of no root", async () => {
      await refusedAs("ERR_ITEM_INVALID", pieces(Buffer.from('{"resourceType":"Bundle"}'.repeat(9))));
      await refusedAs("ERR_ITEM_INVALID", pieces(Buffer.alloc(0)));
      await refusedAs("ERR_FORMAT_UNSUPPORTED", pieces(Buffer.from("0aa16776657273696f6e02", "hex")));
      const identity = CID.parse("bafkqaaa");
      await refusedAs("ERR_ITEM_INVALID", pieces(await header([identity])));
      const stray = cidOfBytes(Buffer.from("stray"));
      const { writer, out } = CarWriter.create([CID.parse(root.cid)]);
      const collected = Array.fromAsync(out);
      await writer.put({ cid: CID.parse(stray.cid), bytes: Buffer.from("stray") });
      await writer.close();
      const error = await refusedAs("ERR_ITEM_INVALID", pieces(Buffer.concat(await collected)));
      expect(error.message).to.contain(stray.cid);
    });

    it("are refused when a tree is cut otherwise than the profile says, and store nothing under any name", async () => {
      const body = await keystreamBytes(2 * MIB + 7);
      const layout = { chunkSize: MIB / 2, maxLinks: 1024 };
      const leaves = Array.from({ length: 5 }, (_, i) => body.subarray((i * MIB) / 2, ((i + 1) * MIB) / 2));
      const digests = Buffer.concat(leaves.map((leaf) => hash("sha256", leaf, "buffer")));
      const nodes: InnerBlock[] = [];
      const foreign = rootOfBlocks(digests, body.length, layout, (node) => nodes.push(node));
      const { writer, out } = CarWriter.create([foreign]);
      const collected = Array.fromAsync(out);
      await writer.put(nodes[0]!);
      for (const [place, cid] of childrenOf(nodes[0]!.bytes).entries())
        await writer.put({ cid, bytes: leaves[place]! });
      await writer.close();
      const error = await refusedAs("ERR_ITEM_INVALID", pieces(Buffer.concat(await collected)));
      expect(error.message).to.contain("profile");
    });

    it("are refused when nodes lie under nodes without end", async () => {
      const chain: { cid: CID; bytes: Uint8Array }[] = [];
      let below = { digest: hash("sha256", "leaf", "buffer"), code: RAW };
      for (let depth = 0; depth < 6; depth++) {
        const { encode, createLink, createNode } = await import("@ipld/dag-pb");
        const bytes = encode(
          createNode(Buffer.alloc(0), [createLink("", 4, cidOf(below.code, below.digest))]),
        );
        below = { digest: hash("sha256", bytes, "buffer"), code: 0x70 };
        chain.unshift({ cid: cidOf(0x70, below.digest), bytes });
      }
      const { writer, out } = CarWriter.create([chain[0]!.cid]);
      const collected = Array.fromAsync(out);
      for (const block of chain) await writer.put(block);
      await writer.close();
      const error = await refusedAs("ERR_ITEM_INVALID", pieces(Buffer.concat(await collected)));
      expect(error.message).to.contain("too deep");
    });
  });

  it("leave out what the store lacks or holds damaged, say so, and import as incomplete", async () => {
    const cids = await filled([100, 200, MIB + 1]);
    await at.store.delete(cids[0]!);
    at.sql("UPDATE blob SET blocks = zeroblob(64) WHERE cid = ?", cids[2]!);
    const left: string[] = [];
    const car = await bytesOf(
      exportCar(at.store, cids, { onLeftOut: ({ cid, error }) => left.push(`${cid} ${error.code}`) }),
    );
    expect(left).to.deep.equal([`${cids[0]} ERR_BODY_MISSING`, `${cids[2]} ERR_BODY_TAMPERED`]);
    const result = await importCar(await other.plain("a"), pieces(car));
    expect(result).to.include({ bodies: 1, missing: 2 });
  });

  it("are taken but for the bodies that are to be left out", async () => {
    const cids = await filled([100, 200, MIB + 1]);
    const car = await bytesOf(exportCar(at.store, cids));
    const leaveOut = (cid: string) => cid !== cids[1];
    const result = await importCar(await other.plain("a"), pieces(car), { leaveOut });
    expect(result).to.deep.equal({ bodies: 1, bytes: 200, leftOut: 2, missing: 0 });
    expect(await listed()).to.deep.equal([cids[1]]);
  });

  it("repair a damaged body when they are imported", async () => {
    const cids = await filled([MIB + 1]);
    const car = await bytesOf(exportCar(at.store, cids));
    at.sql("UPDATE blob SET size = size - 1 WHERE cid = ?", cids[0]!);
    await using again = await openEmbeddedStore(at.folder);
    await importCar(again, pieces(car));
    expect((await at.store.verify(cids[0]!)).ok).to.equal(true);
  });
});
