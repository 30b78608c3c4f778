// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { INLINE_MAX } from "../../src/storage/embedded.js";
import { cidOfBytes, type BlobStore } from "../../src/storage/index.js";
import { expectCode, expectCodeSync } from "./expect-code.js";
import { bytesOf, keystream, keystreamBytes } from "./keystream.js";

const MIB = 1_048_576;
const ABSENT = "bafkreih3swvjrvxgywbhuv7mc64xrvsh7tab3ggdk636msmjv5lthhu2ym";
/** Around each place where a store treats a body differently. */
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

/** A store that is empty before each test. */
export interface StoreUnderTest {
  store: BlobStore;
  /** Another one over the same bodies. */
  reopen: (readOnly: boolean) => Promise<BlobStore>;
}

/** What holds for every store. @param listed bodies that `list` is tried with: more than it takes at a time */
export function shouldBehaveLikeBlobStore(at: StoreUnderTest, listed: number): void {
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
      await at.store
        .put(Buffer.alloc(1), { signal: controller.signal })
        .catch((error: unknown) => (caught = error));
      expect(caught).to.equal(controller.signal.reason);
      expect(await Array.fromAsync(at.store.list())).to.deep.equal([]);
    });
  });

  it("lists everything in CID order", async () => {
    const bodies = Array.from({ length: listed }, (_, i) => Buffer.from(`body ${i}`));
    const stored = await at.store.putMany(bodies);
    const expected = stored.map(({ cid, size }) => ({ cid, size })).sort((a, b) => (a.cid < b.cid ? -1 : 1));
    expect(await Array.fromAsync(at.store.list())).to.deep.equal(expected);
  });

  it("opened read-only reads, and does not write", async () => {
    const { cid } = await at.store.put(Buffer.from("abc"));
    await using reader = await at.reopen(true);
    expect(await reader.verify(cid)).to.deep.equal({ ok: true, size: 3 });
    expect(Buffer.from(await bytesOf(reader.get(cid))).toString()).to.equal("abc");
    await expectCode("ERR_USAGE", () => reader.put(Buffer.from("def")));
    await expectCode("ERR_USAGE", () => reader.put(keystream(MIB + 1)));
    await expectCode("ERR_USAGE", () => reader.putMany([]));
    await expectCode("ERR_USAGE", () => reader.delete(cid));
    expect(await reader.has(cid)).to.equal(true);
  });

  it("finishes waiting puts when it is closed, and refuses use afterwards", async () => {
    const waiting = at.store.put(Buffer.from("abc"));
    await at.store[Symbol.asyncDispose]();
    const { cid } = await waiting;
    await expectCode("ERR_USAGE", () => at.store.put(Buffer.from("def")));
    await expectCode("ERR_USAGE", () => at.store.put(keystream(MIB + 1)));
    await at.store[Symbol.asyncDispose]();
    at.store = await at.reopen(false);
    expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size: 3 });
  });

  describe("a body that is not there", () => {
    it("is ERR_BODY_MISSING to get, false to has, a value to verify, nothing to delete", async () => {
      const error = await expectCode("ERR_BODY_MISSING", () => bytesOf(at.store.get(ABSENT)));
      expect(error.values).to.deep.equal({ cid: ABSENT });
      expect(await at.store.has(ABSENT)).to.equal(false);
      expect(await at.store.verify(ABSENT)).to.deep.include({ ok: false, reason: "missing" });
      await at.store.delete(ABSENT);
    });

    for (const size of [100, MIB + 1]) {
      it(`is one of ${size} bytes after delete`, async () => {
        const body = await keystreamBytes(size);
        const { cid } = await at.store.put(body);
        const other = await at.store.put(Buffer.from("other"));
        await at.store.delete(cid);
        expect(await at.store.has(cid)).to.equal(false);
        await expectCode("ERR_BODY_MISSING", () => bytesOf(at.store.get(cid)));
        expect(await Array.fromAsync(at.store.list())).to.deep.equal([{ cid: other.cid, size: 5 }]);
        await at.store.put(body);
        expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size });
      });
    }

    it("is not looked for under a name that is no CID", async () => {
      const wrong = "../../etc/passwd";
      expectCodeSync("ERR_USAGE", () => at.store.get(wrong));
      await expectCode("ERR_USAGE", () => at.store.has(wrong));
      await expectCode("ERR_USAGE", () => at.store.delete(wrong));
      await expectCode("ERR_USAGE", () => at.store.verify(wrong));
    });
  });
}
