// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

import { expect } from "chai";
import fc from "fast-check";

import {
  contextOf,
  decryptBytes,
  encryptBytes,
  equalBytes,
  openBytes,
  openRecord,
  paddedLength,
  sealBytes,
  sealRecord,
  sealedLength,
  toHex,
} from "../../src/crypto/index.js";
import type { Hex, Manifest, RecordKeys } from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";
import { collect, pieces } from "./streams.js";
import { base64, vectors } from "./vectors.js";

interface Vector {
  name: string;
  contentKey: Hex;
  memberId: number;
  recordId: Hex;
  manifest: Manifest;
  body: string;
  sealed: string;
}

const keys: RecordKeys = {
  contentKey: new Uint8Array(32).fill(3),
  memberId: 7,
  recordId: new Uint8Array(16).fill(9),
};
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
const fromVector = (hex: Hex) => Uint8Array.from(Buffer.from(hex.slice(2), "hex"));

function manifestOf(body: Uint8Array, more: Partial<Manifest> = {}): Manifest {
  return {
    format: 1,
    sourceKey: "Observation/42",
    label: "Blood pressure",
    mediaType: "application/fhir+json",
    size: body.length,
    sha256: toHex(createHash("sha256").update(body).digest()),
    receivedAt: "2026-01-02T03:04:05.678Z",
    ...more,
  };
}

/** Seals a plaintext as it is, as a faulty custodian could. */
const sealRaw = (plaintext: Uint8Array) =>
  encryptBytes(keys.contentKey, contextOf(keys.memberId, keys.recordId), plaintext);

async function openStreamed(sealed: Uint8Array, with_ = keys, cut: number[] = []) {
  const { manifest, body } = await openRecord(pieces(sealed, cut), with_);
  return { manifest, body: await collect(body) };
}

describe("sealed record", function () {
  this.timeout(20_000);

  for (const vector of vectors<{ vectors: Vector[] }>("sealed-record.json").vectors) {
    it(`opens what the reference implementation sealed: ${vector.name}`, async () => {
      const vectorKeys = {
        contentKey: fromVector(vector.contentKey),
        memberId: vector.memberId,
        recordId: fromVector(vector.recordId),
      };
      const sealed = base64(vector.sealed);
      const expected = { manifest: vector.manifest, body: base64(vector.body) };
      expect(openBytes(sealed, vectorKeys)).to.deep.equal(expected);
      expect(await openStreamed(sealed, vectorKeys)).to.deep.equal(expected);

      const source = { ...vectorKeys, ...expected };
      expect(sealedLength(vector.manifest)).to.equal(sealed.length);
      const context = contextOf(vector.memberId, vectorKeys.recordId);
      const ours = decryptBytes(vectorKeys.contentKey, context, sealBytes(source));
      expect(ours).to.deep.equal(decryptBytes(vectorKeys.contentKey, context, sealed));
    });
  }

  it("opens what it sealed, streamed and at once, at the borders of chunks", async () => {
    const overhead = paddedLength(300); // about where the manifest ends
    for (const length of [0, 1, 16_383, 16_384, 16_385, 32_768, 16_384 - overhead, 100_000]) {
      const body = bytesOf(length);
      const manifest = manifestOf(body);
      const streamed = await collect(sealRecord({ ...keys, manifest, body: pieces(body, [5000]) }));
      const atOnce = sealBytes({ ...keys, manifest, body });
      expect(streamed.length).to.equal(sealedLength(manifest));
      expect(atOnce.length).to.equal(sealedLength(manifest));
      for (const sealed of [streamed, atOnce, await collect(sealRecord({ ...keys, manifest, body }))]) {
        expect(openBytes(sealed, keys)).to.deep.equal({ manifest, body });
        expect(await openStreamed(sealed, keys, [777])).to.deep.equal({ manifest, body });
      }
    }
  });

  it("seals a body of several MiB in pieces that share their memory, if it is told to", async () => {
    const MIB = 1_048_576;
    const overhead = paddedLength(300);
    for (const length of [MIB - overhead, MIB, 2 * MIB - overhead, 2 * MIB + 16_384, 3 * MIB - 1]) {
      const body = bytesOf(length);
      const manifest = manifestOf(body);
      const source = { ...keys, manifest, body: pieces(body, [500_000]), reuse: true };
      const copies: Uint8Array[] = [];
      const buffers = new Set<ArrayBufferLike>();
      for await (const piece of sealRecord(source)) {
        copies.push(piece.slice());
        buffers.add(piece.buffer);
      }
      const sealed = Uint8Array.from(Buffer.concat(copies));
      expect(sealed.length).to.equal(sealedLength(manifest));
      expect(equalBytes(openBytes(sealed, keys).body, body), String(length)).to.equal(true);
      expect(buffers.size, "the header, and one for all that follows").to.equal(2);
    }
  });

  it("keeps every body and manifest exactly", async () => {
    const arbitrary = fc.record({
      body: fc.uint8Array({ maxLength: 2000 }),
      sourceKey: fc.string({ unit: "grapheme" }),
      label: fc.string({ unit: "binary" }),
      author: fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ body, author, ...more }) => {
        const manifest = manifestOf(body, author === undefined ? more : { ...more, author });
        expect(openBytes(sealBytes({ ...keys, manifest, body }), keys)).to.deep.equal({ manifest, body });
        const streamed = await collect(sealRecord({ ...keys, manifest, body: pieces(body) }));
        expect(openBytes(streamed, keys)).to.deep.equal({ manifest, body });
      }),
    );
  });

  it("has a padded length, the same for many lengths of body and label", () => {
    const lengths = [700, 710, 720].map((length) => {
      const body = bytesOf(length);
      return sealBytes({ ...keys, manifest: manifestOf(body, { label: "x".repeat(length % 17) }), body })
        .length;
    });
    expect(new Set(lengths).size).to.equal(1);
  });

  it("opens only under its own key, member and record id", async () => {
    const body = bytesOf(100);
    const sealed = sealBytes({ ...keys, manifest: manifestOf(body), body });
    const others: RecordKeys[] = [
      { ...keys, contentKey: new Uint8Array(32) },
      { ...keys, memberId: 8 },
      { ...keys, recordId: new Uint8Array(16) },
    ];
    for (const other of others) {
      await expectCode("ERR_BODY_TAMPERED", () => openBytes(sealed, other));
      await expectCode("ERR_BODY_TAMPERED", () => openRecord(sealed, other));
    }
  });

  it("refuses ids and keys of the wrong length", async () => {
    await expectCode("ERR_USAGE", () => contextOf(0, keys.recordId));
    await expectCode("ERR_USAGE", () => contextOf(2 ** 32, keys.recordId));
    await expectCode("ERR_USAGE", () => contextOf(1.5, keys.recordId));
    await expectCode("ERR_USAGE", () => contextOf(1, new Uint8Array(15)));
    const short = { ...keys, contentKey: new Uint8Array(31) };
    await expectCode("ERR_KEY_INVALID", () => openRecord(new Uint8Array(100), short));
  });

  it("refuses to seal a source that changed since it was hashed", async () => {
    const body = bytesOf(40_000);
    const manifest = manifestOf(body);
    const changed = body.slice();
    changed[39_999]! ^= 1;
    for (const other of [changed, body.slice(1), new Uint8Array([...body, 0]), new Uint8Array()]) {
      const atOnce = await expectCode("ERR_SOURCE_CHANGED", () =>
        sealBytes({ ...keys, manifest, body: other }),
      );
      expect(atOnce.retryable).to.equal(true);
      await expectCode("ERR_SOURCE_CHANGED", () =>
        collect(sealRecord({ ...keys, manifest, body: pieces(other, [1000]) })),
      );
    }
  });

  it("yields no complete sealed record when the source changed", async () => {
    const body = bytesOf(1000);
    const sha256: Hex = `0x${"00".repeat(32)}`;
    const manifest = { ...manifestOf(body), sha256 };
    const yielded: Uint8Array[] = [];
    await expectCode("ERR_SOURCE_CHANGED", async () => {
      for await (const part of sealRecord({ ...keys, manifest, body })) yielded.push(part);
    });
    await expectCode("ERR_BODY_TAMPERED", () => openBytes(Buffer.concat(yielded), keys));
  });

  it("refuses an unusable manifest", async () => {
    const body = bytesOf(10);
    const seal = (more: Record<string, unknown>) => () =>
      sealBytes({ ...keys, manifest: { ...manifestOf(body), ...more }, body });
    await expectCode("ERR_ITEM_INVALID", seal({ label: "x".repeat(65_536) }));
    await expectCode("ERR_ITEM_INVALID", seal({ size: -1 }));
    await expectCode("ERR_ITEM_INVALID", seal({ sha256: "00" }));
    await expectCode("ERR_ITEM_INVALID", seal({ mediaType: undefined }));
    await expectCode("ERR_ITEM_INVALID", seal({ ward: "3" }));
    await expectCode("ERR_FORMAT_UNSUPPORTED", seal({ format: 2 }));
  });

  it("names no value of a manifest in its errors", async () => {
    const body = bytesOf(10);
    const manifest = { ...manifestOf(body), label: "SECRET", author: 5, SECRET: 1 } as unknown as Manifest;
    const error = await expectCode("ERR_ITEM_INVALID", () => sealBytes({ ...keys, manifest, body }));
    expect(JSON.stringify(error)).to.not.contain("SECRET");
    const unparsed = await expectCode("ERR_JSON_INVALID", () =>
      openBytes(sealRaw(Buffer.from('{"label":"SECRET",\n')), keys),
    );
    expect(JSON.stringify(unparsed) + String(unparsed.cause)).to.not.contain("SECRET");
  });

  const noManifest: [string, Uint8Array][] = [
    ["nothing", new Uint8Array()],
    ["no newline", Buffer.from("{}")],
    ["no JSON", Buffer.from("format 1\n")],
    ["JSON of something else", Buffer.from('{"format":1}\n')],
    ["text that is not UTF-8", Buffer.from([0xff, 0x0a])],
    [
      "a first line too long",
      Buffer.from(`${JSON.stringify(manifestOf(bytesOf(0))).padEnd(131_073, " ")}\n`),
    ],
    ["a first line without end", Buffer.alloc(400_000, " ")],
  ];
  for (const [what, plaintext] of noManifest) {
    it(`refuses a record of ${what}`, async () => {
      const sealed = sealRaw(plaintext);
      await expectCode("ERR_JSON_INVALID", () => openBytes(sealed, keys));
      await expectCode("ERR_JSON_INVALID", () => openRecord(sealed, keys));
    });
  }

  it("accepts the longest first line", async () => {
    const body = bytesOf(3);
    const line = JSON.stringify(manifestOf(body)).padEnd(131_072, " ");
    const sealed = sealRaw(Buffer.concat([Buffer.from(`${line}\n`), body]));
    expect(openBytes(sealed, keys).body).to.deep.equal(body);
    expect((await openStreamed(sealed)).body).to.deep.equal(body);
  });

  it("refuses an unknown format by its own code", async () => {
    const sealed = sealRaw(Buffer.from('{"format":2,"news":true}\n'));
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => openBytes(sealed, keys));
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => openRecord(sealed, keys));
  });

  it("refuses a body that its manifest does not describe", async () => {
    const body = bytesOf(50_000);
    const changed = body.slice();
    changed[0]! ^= 1;
    for (const other of [changed, body.slice(1), new Uint8Array([...body, 0]), new Uint8Array()]) {
      const sealed = sealRaw(Buffer.concat([Buffer.from(`${JSON.stringify(manifestOf(body))}\n`), other]));
      await expectCode("ERR_BODY_TAMPERED", () => openBytes(sealed, keys));
      await expectCode("ERR_BODY_TAMPERED", () => openStreamed(sealed));
    }
  });

  it("gives the manifest of a record that is cut short, but never ends its body without an error", async () => {
    const body = bytesOf(60_000);
    const sealed = sealBytes({ ...keys, manifest: manifestOf(body), body });
    const record = await openRecord(sealed.subarray(0, 56 + 2 * 16_400), keys);
    expect(record.manifest.size).to.equal(60_000);
    const error = await expectCode("ERR_BODY_TAMPERED", () => collect(record.body));
    expect(error.values).to.deep.equal({ chunk: 3 });
  });

  it("lets the body be read only once", async () => {
    const body = bytesOf(10);
    const record = await openRecord(sealBytes({ ...keys, manifest: manifestOf(body), body }), keys);
    await collect(record.body);
    await expectCode("ERR_USAGE", () => collect(record.body));
  });

  it("closes the stored body when it is disposed of unread, left early, or refused", async () => {
    const body = bytesOf(200_000);
    const sealed = sealBytes({ ...keys, manifest: manifestOf(body), body });
    let closed = 0;
    async function* stored() {
      try {
        yield* pieces(sealed, [1000]);
      } finally {
        closed++;
      }
    }
    {
      await using record = await openRecord(stored(), keys);
      expect(record.manifest.size).to.equal(200_000);
    }
    expect(closed).to.equal(1);
    const left = await openRecord(stored(), keys);
    for await (const _ of left.body) break;
    expect(closed).to.equal(2);
    await expectCode("ERR_BODY_TAMPERED", () => openRecord(stored(), { ...keys, memberId: 1 }));
    expect(closed).to.equal(3);
  });
});
