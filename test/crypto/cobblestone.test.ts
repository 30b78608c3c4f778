// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";

import { expect } from "chai";
import fc from "fast-check";

import {
  CHUNK_LENGTH,
  ciphertextLength,
  concatBytes,
  decrypt,
  decryptBytes,
  encrypt,
  encryptBytes,
} from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";
import { collect, pieces } from "./streams.js";

const HEADER = 56;
const SEALED_CHUNK = CHUNK_LENGTH + 16;
const LENGTHS = [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 50_000];
const key = new Uint8Array(32).fill(7);
const context = Buffer.from("context");
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

describe("Cobblestone-256", function () {
  this.timeout(20_000);

  for (const length of LENGTHS) {
    it(`opens what it sealed: ${length} bytes, streamed and at once`, async () => {
      const plaintext = bytesOf(length);
      for (const cut of [[], [1000], [16_384], [16_400, 3], [65_536]]) {
        const sealed = await collect(encrypt(key, context, pieces(plaintext, cut)));
        expect(sealed.length).to.equal(ciphertextLength(length));
        expect(await collect(decrypt(key, context, pieces(sealed, cut)))).to.deep.equal(plaintext);
        expect(decryptBytes(key, context, sealed)).to.deep.equal(plaintext);
      }
      const sealed = encryptBytes(key, context, plaintext);
      expect(await collect(decrypt(key, context, pieces(sealed)))).to.deep.equal(plaintext);
    });
  }

  it("seals pieces of any length to what it seals at once", async () => {
    const cuts = fc.array(
      fc.integer({ min: 0, max: 40_000 }).filter((n) => n > 0),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 70_000 }), cuts, async (length, cut) => {
        const salt = randomBytes(24);
        const plaintext = bytesOf(length);
        const atOnce = encryptBytes(key, context, plaintext, { salt });
        expect(await collect(encrypt(key, context, pieces(plaintext, cut), { salt }))).to.deep.equal(atOnce);
        expect(await collect(decrypt(key, context, pieces(atOnce, cut)))).to.deep.equal(plaintext);
      }),
      { numRuns: 50 },
    );
  });

  it("takes pieces one byte long", async () => {
    const sealed = encryptBytes(key, context, bytesOf(300));
    expect(await collect(decrypt(key, context, pieces(sealed, [1])))).to.deep.equal(bytesOf(300));
  });

  it("never seals the same plaintext to the same bytes", () => {
    expect(encryptBytes(key, context, key)).to.not.deep.equal(encryptBytes(key, context, key));
  });

  it("refuses any flipped bit", async () => {
    const sealed = encryptBytes(key, context, bytesOf(33_000));
    const places = fc.integer({ min: 0, max: sealed.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(places, async (bit) => {
        const changed = sealed.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        await expectCode("ERR_BODY_TAMPERED", () => decryptBytes(key, context, changed));
        await expectCode("ERR_BODY_TAMPERED", () => collect(decrypt(key, context, pieces(changed))));
      }),
    );
  });

  it("refuses every truncation", async () => {
    const sealed = encryptBytes(key, context, bytesOf(33_000));
    const borders = [0, 23, 24, 55, 56, 57, 71, 72, 73].concat(
      [1, 2].flatMap((n) => [-1, 0, 1, 15, 16, 17].map((d) => HEADER + n * SEALED_CHUNK + d)),
    );
    const lengths = fc.oneof(fc.constantFrom(...borders), fc.integer({ min: 0, max: sealed.length - 1 }));
    await fc.assert(
      fc.asyncProperty(lengths, async (length) => {
        const cut = sealed.slice(0, length);
        await expectCode("ERR_BODY_TAMPERED", () => decryptBytes(key, context, cut));
        await expectCode("ERR_BODY_TAMPERED", () => collect(decrypt(key, context, pieces(cut))));
      }),
      { numRuns: 200, examples: borders.map((length) => [length]) },
    );
  });

  it("refuses any extension", async () => {
    for (const length of [0, 100, 16_384, 20_000]) {
      const sealed = encryptBytes(key, context, bytesOf(length));
      for (const more of [1, 16, 17, 16_399, 16_400, 16_416]) {
        const extended = concatBytes(sealed, new Uint8Array(more));
        await expectCode("ERR_BODY_TAMPERED", () => decryptBytes(key, context, extended));
        await expectCode("ERR_BODY_TAMPERED", () => collect(decrypt(key, context, pieces(extended))));
      }
    }
  });

  it("refuses chunks that are swapped, repeated, left out or from another message, and names the first", async () => {
    const sealed = encryptBytes(key, context, bytesOf(5 * CHUNK_LENGTH));
    const other = encryptBytes(key, context, bytesOf(5 * CHUNK_LENGTH));
    const chunk = (from: Uint8Array, i: number) =>
      from.subarray(HEADER + i * SEALED_CHUNK, HEADER + (i + 1) * SEALED_CHUNK);
    const head = sealed.subarray(0, HEADER);
    const build = (order: number[]) => concatBytes(head, ...order.map((i) => chunk(sealed, i)));
    expect(decryptBytes(key, context, build([0, 1, 2, 3, 4, 5])).length).to.equal(5 * CHUNK_LENGTH);

    const cases: [Uint8Array, number][] = [
      [build([0, 2, 1, 3, 4, 5]), 2],
      [build([0, 1, 1, 2, 3, 4, 5]), 3],
      [build([0, 1, 2, 4, 5]), 4],
      [build([0, 1, 2, 3, 4]), 6],
      [concatBytes(head, chunk(sealed, 0), chunk(other, 1), chunk(sealed, 2)), 2],
    ];
    for (const [body, named] of cases) {
      const error = await expectCode("ERR_BODY_TAMPERED", () => decryptBytes(key, context, body));
      expect(error.values).to.deep.equal({ chunk: named });
      expect(error.message).to.contain(`16 KiB chunk ${named} of the body`);
      const streamed = await expectCode("ERR_BODY_TAMPERED", () =>
        collect(decrypt(key, context, pieces(body))),
      );
      expect(streamed.message).to.equal(error.message);
    }
  });

  it("refuses another key and another context by the commitment, before any chunk", async () => {
    const sealed = encryptBytes(key, context, bytesOf(10));
    const otherKey = key.slice();
    otherKey[31]! ^= 1;
    const other = await expectCode("ERR_BODY_TAMPERED", () => decryptBytes(otherKey, context, sealed));
    expect(other.message).to.contain("header");
    await expectCode("ERR_BODY_TAMPERED", () => decryptBytes(key, Buffer.from("contexT"), sealed));
  });

  it("refuses keys and salts of another length", async () => {
    for (const length of [0, 16, 31, 33, 64]) {
      const wrong = new Uint8Array(length);
      await expectCode("ERR_KEY_INVALID", () => encryptBytes(wrong, context, key));
      await expectCode("ERR_KEY_INVALID", () => collect(encrypt(wrong, context, pieces(key))));
      await expectCode("ERR_KEY_INVALID", () =>
        decryptBytes(wrong, context, encryptBytes(key, context, key)),
      );
    }
    await expectCode("ERR_USAGE", () => encryptBytes(key, context, key, { salt: new Uint8Array(23) }));
  });

  it("refuses a stream of something other than bytes", async () => {
    async function* texts() {
      yield "text" as unknown as Uint8Array;
    }
    await expectCode("ERR_USAGE", () => collect(encrypt(key, context, texts())));
  });

  it("closes its source when the reader stops early", async () => {
    let closed = false;
    async function* source() {
      try {
        for (;;) yield new Uint8Array(20_000);
      } finally {
        closed = true;
      }
    }
    for await (const part of encrypt(key, context, source())) if (part.length > HEADER) break;
    expect(closed).to.equal(true);
  });
});
