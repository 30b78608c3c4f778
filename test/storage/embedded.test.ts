// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { statSync } from "node:fs";
import { join } from "node:path";
import { INLINE_MAX } from "../../src/storage/embedded.js";
import { cidOfBytes, openEmbeddedStore } from "../../src/storage/index.js";
import { expectCode } from "./expect-code.js";
import { bytesOf, keystream, keystreamBytes } from "./keystream.js";
import { TemporaryStore } from "./temporary-store.js";

const MIB = 1_048_576;
/** Around each place where the store treats a body differently. */
const BORDERS = [
  0,
  1,
  1023,
  INLINE_MAX - 1,
  INLINE_MAX,
  INLINE_MAX + 1,
  MIB - 1,
  MIB,
  MIB + 1,
  3 * MIB,
  3 * MIB + 7,
];

describe("embedded store", function () {
  this.timeout(30_000);
  const at = TemporaryStore.forEachTest();

  describe("put and get", () => {
    for (const size of BORDERS) {
      it(`give back ${size} bytes, in memory or streamed`, async () => {
        const body = await keystreamBytes(size);
        const stored = await at.store.put(body);
        const { cid, sha256 } = cidOfBytes(body);
        expect(stored).to.deep.equal({ cid, sha256, size });
        expect(await at.store.put(keystream(size, 100_003))).to.deep.equal(stored);
        expect(Buffer.compare(await bytesOf(at.store.get(cid)), body)).to.equal(0);
        expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size });
        expect(await at.store.has(cid)).to.equal(true);
        expect(at.temporaryFiles()).to.deep.equal([]);
      });
    }

    it("give back bodies of any bytes", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 }), async (bodies) => {
          const stored = await at.store.putMany(bodies);
          for (const [i, body] of bodies.entries()) {
            expect(Buffer.compare(await bytesOf(at.store.get(stored[i]!.cid)), body)).to.equal(0);
          }
        }),
        { numRuns: 25 },
      );
    });

    it("hand out pieces of at most 1 MiB that stay as they are", async () => {
      const body = await keystreamBytes(3 * MIB + 7);
      const { cid } = await at.store.put(body);
      const pieces = await Array.fromAsync(at.store.get(cid));
      expect(pieces.map((piece) => piece.length)).to.deep.equal([MIB, MIB, MIB, 7]);
      expect(Buffer.compare(Buffer.concat(pieces), body)).to.equal(0);
    });

    it("give back any range", async () => {
      const bodies = await Promise.all([1023, MIB - 1, 3 * MIB + 7].map(keystreamBytes));
      const stored = await at.store.putMany(bodies);
      const near = fc.constantFrom(
        0,
        1,
        1022,
        MIB - 1,
        MIB,
        MIB + 1,
        2 * MIB,
        3 * MIB,
        3 * MIB + 6,
        3 * MIB + 7,
      );
      await fc.assert(
        fc.asyncProperty(fc.nat(2), near, near, async (which, a, b) => {
          const body = bodies[which]!;
          const offset = Math.min(a, b, body.length);
          const end = Math.min(Math.max(a, b), body.length);
          const got = await bytesOf(at.store.get(stored[which]!.cid, { offset, length: end - offset }));
          expect(Buffer.compare(got, body.subarray(offset, end))).to.equal(0);
        }),
      );
    });

    it("refuse a range that is not within the body", async () => {
      for (const size of [10, MIB + 10]) {
        const { cid } = await at.store.put(await keystreamBytes(size));
        const wrong = [
          { offset: 0, length: size + 1 },
          { offset: size + 1, length: 0 },
          { offset: -1, length: 2 },
          { offset: 0, length: -1 },
          { offset: 0.5, length: 1 },
          { offset: NaN, length: 1 },
        ];
        for (const range of wrong) await expectCode("ERR_USAGE", () => bytesOf(at.store.get(cid, range)));
      }
    });

    it("take the same body many times at once", async () => {
      for (const size of [2048, MIB + 1]) {
        const all = await Promise.all(Array.from({ length: 8 }, () => at.store.put(keystream(size))));
        expect(new Set(all.map(({ cid }) => cid)).size).to.equal(1);
        expect(await at.store.verify(all[0]!.cid)).to.deep.equal({ ok: true, size });
      }
      expect(await Array.fromAsync(at.store.list())).to.have.length(2);
      expect(at.temporaryFiles()).to.deep.equal([]);
    });

    it("keep what was given when the caller uses its buffer again", async () => {
      const body = Buffer.alloc(100, 1);
      const promise = at.store.put(body);
      body.fill(2);
      const { cid } = await promise;
      expect(Buffer.compare(await bytesOf(at.store.get(cid)), Buffer.alloc(100, 1))).to.equal(0);
    });

    it("store many bodies in the order given, small, large and equal ones", async () => {
      const bodies = await Promise.all([5, MIB + 1, 0, INLINE_MAX + 1, 5].map(keystreamBytes));
      const stored = await at.store.putMany(bodies);
      expect(stored.map(({ cid }) => cid)).to.deep.equal(bodies.map((body) => cidOfBytes(body).cid));
      for (const { cid, size } of stored)
        expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size });
      expect(await at.store.putMany([])).to.deep.equal([]);
    });
  });

  describe("a put that fails", () => {
    it("leaves nothing when its source fails, and throws the source's error", async () => {
      const failure = new Error("source broke");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(2 * MIB);
        throw failure;
      }
      let caught: unknown;
      await at.store.put(failing()).catch((error: unknown) => (caught = error));
      expect(caught).to.equal(failure);
      expect(at.temporaryFiles()).to.deep.equal([]);
      expect(await Array.fromAsync(at.store.list())).to.deep.equal([]);
    });

    it("leaves nothing when its signal aborts, and throws the reason", async () => {
      const controller = new AbortController();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(2 * MIB);
        controller.abort();
        await new Promise(() => {});
      }
      let caught: unknown;
      await at.store.put(slow(), { signal: controller.signal }).catch((error: unknown) => (caught = error));
      expect(caught).to.equal(controller.signal.reason);
      expect(at.temporaryFiles()).to.deep.equal([]);
      await at.store
        .put(Buffer.alloc(1), { signal: controller.signal })
        .catch((error: unknown) => (caught = error));
      expect(caught).to.equal(controller.signal.reason);
      expect(await Array.fromAsync(at.store.list())).to.deep.equal([]);
    });
  });

  it("lists everything in CID order, over more than one page", async () => {
    const bodies = Array.from({ length: 1203 }, (_, i) => Buffer.from(`body ${i}`));
    const stored = await at.store.putMany(bodies);
    const expected = stored.map(({ cid, size }) => ({ cid, size })).sort((a, b) => (a.cid < b.cid ? -1 : 1));
    expect(await Array.fromAsync(at.store.list())).to.deep.equal(expected);
  });

  it("is readable by its owner only", async () => {
    const { cid } = await at.store.put(await keystreamBytes(MIB + 1));
    const mode = (path: string): number => statSync(path).mode & 0o777;
    for (const name of ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"]) {
      expect(mode(join(at.folder, name)), name).to.equal(0o600);
    }
    expect(mode(at.fileOf(cid))).to.equal(0o600);
    expect(mode(join(at.folder, "bodies"))).to.equal(0o700);
    const deeper = join(at.folder, "new", "store");
    await (await openEmbeddedStore(deeper))[Symbol.asyncDispose]();
    expect(mode(deeper)).to.equal(0o700);
  });

  it("refuses another format", async () => {
    at.sql("PRAGMA user_version = 2");
    const error = await expectCode("ERR_FORMAT_UNSUPPORTED", () => openEmbeddedStore(at.folder));
    expect(error.values).to.deep.include({ found: 2, format: 1 });
  });

  it("opened read-only reads, and neither writes nor makes anything", async () => {
    const { cid } = await at.store.put(Buffer.from("abc"));
    await using reader = await openEmbeddedStore(at.folder, { readOnly: true });
    expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size: 3 });
    expect(Buffer.from(await bytesOf(reader.get(cid))).toString()).to.equal("abc");
    await expectCode("ERR_USAGE", () => reader.put(Buffer.from("def")));
    await expectCode("ERR_USAGE", () => reader.putMany([]));
    await expectCode("ERR_USAGE", () => reader.delete(cid));
    await expectCode("ERR_CONFIG_INVALID", () =>
      openEmbeddedStore(join(at.folder, "none"), { readOnly: true }),
    );
    expect(statSync(join(at.folder, "none"), { throwIfNoEntry: false })).to.equal(undefined);
  });

  it("finishes waiting puts when it is closed, and refuses use afterwards", async () => {
    const waiting = at.store.put(Buffer.from("abc"));
    await at.store[Symbol.asyncDispose]();
    const { cid } = await waiting;
    await expectCode("ERR_USAGE", () => at.store.put(Buffer.from("def")));
    await expectCode("ERR_USAGE", () => at.store.put(keystream(MIB + 1)));
    expect(at.temporaryFiles()).to.deep.equal([]);
    await at.store[Symbol.asyncDispose]();
    at.store = await openEmbeddedStore(at.folder);
    expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size: 3 });
  });
});
