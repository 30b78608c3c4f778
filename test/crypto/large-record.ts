// SPDX-License-Identifier: Apache-2.0
// Seals and opens one record of 1 GiB, then prints what it took. A process of its own, so that the memory is
// this work's alone.
import { createHash } from "node:crypto";

import { openRecord, sealRecord } from "../../src/crypto/sealed-record.js";
import { toHex } from "../../src/crypto/bytes.js";
import { peakMemoryMiB } from "../support/peak-memory.js";

const PIECE = 256 * 1024;
const SIZE = Number(process.argv[2] ?? 2 ** 30);

async function* body(): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(PIECE);
  for (let offset = 0; offset < SIZE; offset += PIECE) {
    piece.writeDoubleBE(offset, 0);
    yield piece.subarray(0, Math.min(PIECE, SIZE - offset));
  }
}

const digest = createHash("sha256");
for await (const piece of body()) digest.update(piece);
const sha256 = toHex(digest.digest());

const keys = { contentKey: new Uint8Array(32).fill(1), memberId: 1, recordId: new Uint8Array(16).fill(2) };
const manifest = {
  format: 1,
  sourceKey: "large",
  label: "",
  mediaType: "application/dicom",
  size: SIZE,
  sha256,
  receivedAt: "2026-01-02T03:04:05Z",
};
const started = performance.now();
await using record = await openRecord(sealRecord({ ...keys, manifest, body: body() }), keys);
let read = 0;
for await (const piece of record.body) read += piece.length;

process.stdout.write(
  JSON.stringify({
    read,
    seconds: (performance.now() - started) / 1000,
    rssMiB: peakMemoryMiB(),
  }),
);
