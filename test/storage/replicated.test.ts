// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { cidOfBytes, openReplicatedStore, openEmbeddedStore } from "../../src/storage/index.js";
import { expectCode, expectCodeSync } from "./expect-code.js";
import { bytesOf, keystream, keystreamBytes } from "./keystream.js";
import { Replicas, type Fault } from "./replicas.js";

const MIB = 1_048_576;
const NONE: Fault = { kind: "none" };
const DEAD: Fault = { kind: "dead" };
/** Milliseconds that a replica may hang where one does. */
const PATIENCE = 3_000;
const ABSENT = "bafkreih3swvjrvxgywbhuv7mc64xrvsh7tab3ggdk636msmjv5lthhu2ym";

describe("replicated store", function () {
  this.timeout(120_000);
  let own: Replicas;
  beforeEach(() => {
    own = new Replicas();
  });
  afterEach(() => own[Symbol.asyncDispose]());

  const temporaryFiles = (name: string): string[] =>
    readdirSync(join(own.path(name), "bodies")).filter((file) => file.startsWith("."));

  describe("a put", () => {
    for (const size of [0, 1000, MIB, 3 * MIB + 7]) {
      it(`of ${size} bytes is in every replica, under the same CID as in one alone`, async () => {
        const body = await keystreamBytes(size);
        const { cid, sha256 } = cidOfBytes(body);
        const store = own.replicated([NONE, NONE, NONE], { write: 2 });
        expect(await store.put(keystream(size, 100_003))).to.deep.equal({ cid, sha256, size });
        for (const name of ["a", "b", "c"]) {
          expect(await (await own.plain(name)).verify(cid)).to.deep.equal({ ok: true, size });
          expect(temporaryFiles(name)).to.deep.equal([]);
        }
        expect(await store.put(body)).to.deep.equal({ cid, sha256, size });
      });
    }

    it("goes on without a replica that is dead, and says which when too few are left", async () => {
      const two = own.replicated([NONE, DEAD, NONE], { write: 2 });
      const { cid } = await two.put(keystream(MIB + 1));
      expect((await (await own.plain("c")).verify(cid)).ok).to.equal(true);
      const three = own.replicated([NONE, DEAD, NONE], { write: 3 });
      const error = await expectCode("ERR_STORE_FAILED", () => three.put(keystream(MIB + 2)));
      expect(error.values).to.deep.equal({ reached: 2, needed: 3, failed: "b" });
      expect(error.message).to.contain("b: ");
    });

    it("leaves nothing half written in any replica when it fails", async () => {
      const store = own.replicated([NONE, { kind: "put", how: "fails", after: 1 }], { write: 2 });
      await expectCode("ERR_STORE_FAILED", () => store.put(keystream(3 * MIB)));
      for (const name of ["a", "b"]) {
        expect(temporaryFiles(name)).to.deep.equal([]);
        expect(await Array.fromAsync((await own.plain(name)).list())).to.deep.equal([]);
      }
    });

    it("says ERR_STORE_FULL, retryably, only when room would have been enough", async () => {
      const full: Fault = { kind: "put", how: "full", after: 0 };
      const enough = own.replicated([NONE, full], { write: 2 });
      const error = await expectCode("ERR_STORE_FULL", () => enough.put(keystream(MIB + 1)));
      expect(error.retryable).to.equal(true);
      const broken = own.replicated([full, DEAD], { write: 2 });
      expect((await expectCode("ERR_STORE_FAILED", () => broken.put(Buffer.from("a")))).retryable).to.equal(
        false,
      );
    });

    it("passes on its source's own error, and an abort's reason", async () => {
      const store = own.replicated([NONE, NONE], { write: 1 });
      const failure = new Error("source broke");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(2 * MIB);
        throw failure;
      }
      let caught: unknown;
      await store.put(failing()).catch((error: unknown) => (caught = error));
      expect(caught).to.equal(failure);
      const controller = new AbortController();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(2 * MIB);
        controller.abort();
        await new Promise(() => {});
      }
      await store.put(slow(), { signal: controller.signal }).catch((error: unknown) => (caught = error));
      expect(caught).to.equal(controller.signal.reason);
      expect(await Array.fromAsync(store.list())).to.deep.equal([]);
      expect([...temporaryFiles("a"), ...temporaryFiles("b")]).to.deep.equal([]);
    });

    it("reads its source no further than the slowest replica has written", async () => {
      const store = own.replicated([NONE, { kind: "put", how: "hangs", after: 2 }], {
        write: 2,
        patience: PATIENCE,
      });
      let given = 0;
      async function* source(): AsyncGenerator<Uint8Array> {
        for (; given < 64; given++) yield Buffer.alloc(MIB, given);
      }
      await expectCode("ERR_STORE_FAILED", () => store.put(source()));
      expect(given, "MiB taken of 64").to.be.lessThan(8);
    });

    it("waits for a replica that hangs once, and not at every put", async () => {
      const store = own.replicated([NONE, { kind: "put", how: "hangs", after: 0 }], {
        write: 1,
        patience: PATIENCE,
        rest: 600_000,
      });
      const { cid } = await store.put(keystream(MIB + 1));
      const b = store.replicas[1]!.store;
      expect(await expectCode("ERR_TIMEOUT", () => b.has(cid))).to.include({ retryable: true });
      const before = performance.now();
      for (let put = 0; put < 5; put++) await store.put(Buffer.from(`body ${put}`));
      expect(performance.now() - before, "five times the patience").to.be.lessThan(5 * PATIENCE);
    });

    it("gives the source no turn while no replica is left", async () => {
      const store = own.replicated([DEAD, DEAD], { write: 1 });
      const error = await expectCode("ERR_STORE_FAILED", () => store.put(keystream(64 * MIB)));
      expect(error.values).to.deep.include({ reached: 0, needed: 1, failed: "a, b" });
    });
  });

  describe("a read", () => {
    for (const how of ["fails", "hangs"] as const) {
      it(`goes on at the next replica, at the same byte, when one ${how} in the middle`, async () => {
        const body = await keystreamBytes(4 * MIB + 7);
        const { cid } = await own.replicated([NONE, NONE], { write: 2 }).put(body);
        const store = own.replicated([{ kind: "get", how, after: 2 }, NONE], {
          write: 2,
          patience: PATIENCE,
        });
        const pieces = await Array.fromAsync(store.get(cid));
        expect(pieces.map((piece) => piece.length)).to.deep.equal([MIB, MIB, MIB, MIB, 7]);
        expect(Buffer.compare(Buffer.concat(pieces), body)).to.equal(0);
      });
    }

    it("takes each block from whichever replica has it whole", async () => {
      const body = await keystreamBytes(4 * MIB + 7);
      const store = own.replicated([NONE, NONE], { write: 2 });
      const { cid } = await store.put(body);
      for (const block of [1, 3]) own.damage("a", cid, block);
      for (const block of [0, 2]) own.damage("b", cid, block);
      expect(Buffer.compare(await bytesOf(store.get(cid)), body)).to.equal(0);
      const range = { offset: 5, length: 4 * MIB };
      expect(Buffer.compare(await bytesOf(store.get(cid, range)), body.subarray(5, 4 * MIB + 5))).to.equal(0);
    });

    it("refuses a range that is not within the body, and a name that is no CID", async () => {
      const store = own.replicated([NONE, NONE], { write: 1 });
      const { cid } = await store.put(Buffer.from("abc"));
      await expectCode("ERR_USAGE", () => bytesOf(store.get(cid, { offset: 0, length: 4 })));
      await expectCode("ERR_USAGE", () => bytesOf(store.get(cid, { offset: 4 })));
      expectCodeSync("ERR_USAGE", () => store.get("../../etc/passwd"));
      expect(Buffer.from(await bytesOf(store.get(cid, { offset: 1 }))).toString()).to.equal("bc");
    });

    it("says that a body is missing only when every replica said so", async () => {
      const store = own.replicated([NONE, NONE], { write: 1 });
      await expectCode("ERR_BODY_MISSING", () => bytesOf(store.get(ABSENT)));
      expect(await store.has(ABSENT)).to.equal(false);
      expect(await store.verify(ABSENT)).to.deep.include({ ok: false, reason: "missing" });
      const oneDead = own.replicated([NONE, DEAD], { write: 1 });
      for (const ask of [
        () => bytesOf(oneDead.get(ABSENT)),
        () => oneDead.has(ABSENT),
        () => oneDead.verify(ABSENT),
      ]) {
        const error = await expectCode("ERR_STORE_FAILED", ask);
        expect(error).to.include({ retryable: true });
        expect(error.values["failed"]).to.equal("b");
      }
    });
  });

  describe("a delete", () => {
    it("is refused, retryably, while a replica may still hold the body, and then done by the same call", async () => {
      const both = own.replicated([NONE, NONE], { write: 2 });
      const { cid } = await both.put(keystream(MIB + 1));
      const cut = own.replicated([NONE, { kind: "put", how: "fails", after: 0 }], { write: 2 });
      const error = await expectCode("ERR_STORE_FAILED", () => cut.delete(cid));
      expect(error.retryable).to.equal(true);
      expect(error.values).to.deep.equal({ cid, failed: "b" });
      expect(await both.has(cid)).to.equal(true);
      await both.delete(cid);
      expect(await both.has(cid)).to.equal(false);
      await both.delete(cid);
    });
  });

  describe("its list", () => {
    it("has every body of any replica once, in CID order, and says who holds it", async () => {
      const bodies = Array.from({ length: 30 }, (_, i) => Buffer.from(`body ${i}`));
      const [a, b] = [await own.plain("a"), await own.plain("b")];
      await a.putMany(bodies.slice(0, 20));
      await b.putMany(bodies.slice(10));
      const store = own.replicated([NONE, NONE], { write: 1 });
      const expected = bodies.map((body) => cidOfBytes(body).cid).sort();
      expect((await Array.fromAsync(store.list())).map(({ cid }) => cid)).to.deep.equal(expected);
      const held = new Map(
        (await Array.fromAsync(store.presence())).map(({ cid, holders }) => [cid, holders]),
      );
      const holders = bodies.map((body) => held.get(cidOfBytes(body).cid));
      expect(holders.slice(0, 10)).to.deep.equal(Array.from({ length: 10 }, () => [0]));
      expect(holders.slice(10, 20)).to.deep.equal(Array.from({ length: 10 }, () => [0, 1]));
      expect(holders.slice(20)).to.deep.equal(Array.from({ length: 10 }, () => [1]));
    });

    it("ends with an error when a replica could not be asked, after the others' bodies", async () => {
      await (await own.plain("a")).putMany([Buffer.from("x"), Buffer.from("y")]);
      const store = own.replicated([NONE, DEAD], { write: 1 });
      let listed = 0;
      await expectCode("ERR_STORE_FAILED", async () => {
        for await (const _ of store.list()) listed++;
      });
      expect(listed).to.equal(2);
    });
  });

  it("asks a replica again that could not be opened before", async () => {
    let mounted = false;
    const open = async () => {
      if (!mounted) return await openEmbeddedStore(join("/dev/null", "store"));
      return await openEmbeddedStore(own.path("b"));
    };
    const replicas = [
      { name: "a", open: () => openEmbeddedStore(own.path("a")) },
      { name: "b", open },
    ];
    await using store = openReplicatedStore(replicas, { write: 2 });
    await expectCode("ERR_STORE_FAILED", () => store.put(Buffer.from("abc")));
    mounted = true;
    const { cid } = await store.put(Buffer.from("abc"));
    expect(await store.replicas[1]!.store.has(cid)).to.equal(true);
  });

  it("refuses a count of writes that no set of its replicas can reach", () => {
    for (const write of [0, 3, 1.5, NaN]) {
      expectCodeSync("ERR_USAGE", () => own.replicated([NONE, NONE], { write }));
    }
  });
});
