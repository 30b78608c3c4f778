// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { blocksOf } from "../../src/storage/body-blocks.js";
import { expectCode } from "./expect-code.js";

const MIB = 1_048_576;

async function* of<T>(...pieces: T[]): AsyncGenerator<T> {
  yield* pieces;
}

async function lengths(body: AsyncIterable<Uint8Array>): Promise<number[]> {
  const found: number[] = [];
  for await (const block of blocksOf(body)) found.push(block.length);
  return found;
}

describe("blocks of a stream", () => {
  it("are 1 MiB each but the last", async () => {
    expect(await lengths(of())).to.deep.equal([0]);
    expect(await lengths(of(Buffer.alloc(MIB)))).to.deep.equal([MIB]);
    expect(await lengths(of(Buffer.alloc(MIB + 1)))).to.deep.equal([MIB, 1]);
    expect(await lengths(of(Buffer.alloc(MIB), Buffer.alloc(0), Buffer.alloc(2 * MIB)))).to.deep.equal([
      MIB,
      MIB,
      MIB,
    ]);
  });

  it("hold the bytes of the stream in order", async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 900_000 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, async (given) => {
        const pieces = given.map((size, i) => Buffer.alloc(size, i + 1));
        const copies: Buffer[] = [];
        for await (const block of blocksOf(of(...pieces))) copies.push(Buffer.from(block));
        expect(Buffer.concat(copies).equals(Buffer.concat(pieces))).to.equal(true);
      }),
      { numRuns: 20 },
    );
  });

  it("keep the bytes of a source that uses one buffer again and again", async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const buffer = Buffer.alloc(4);
      for (let i = 1; i <= 3; i++) yield buffer.fill(i);
    }
    const [block] = await Array.fromAsync(blocksOf(reusing()));
    expect([...block!]).to.deep.equal([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it("leave a block untouched while the next one is filled", async () => {
    const body = of(Buffer.alloc(MIB, 1), Buffer.alloc(MIB, 2), Buffer.alloc(MIB, 3));
    let previous: Uint8Array | undefined;
    let i = 0;
    for await (const block of blocksOf(body)) {
      if (previous !== undefined) expect(previous.every((byte) => byte === i)).to.equal(true);
      previous = block;
      i += 1;
    }
  });

  it("refuse a stream of text", async () => {
    const body = of("text") as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
    await expectCode("ERR_USAGE", () => lengths(body));
  });

  it("stop when the signal aborts, even while the source is silent", async () => {
    const controller = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1);
      controller.abort(new Error("enough"));
      await new Promise(() => {});
    }
    let caught: unknown;
    try {
      await Array.fromAsync(blocksOf(silent(), controller.signal));
    } catch (error) {
      caught = error;
    }
    expect(caught).to.equal(controller.signal.reason);
  });

  it("close the source when the reader stops", async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(MIB);
      } finally {
        closed = true;
      }
    }
    for await (const block of blocksOf(endless(), new AbortController().signal)) {
      expect(block.length).to.equal(MIB);
      break;
    }
    expect(closed).to.equal(true);
  });
});
