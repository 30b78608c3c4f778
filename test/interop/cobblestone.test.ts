// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";

import { expect } from "chai";

import {
  contextOf,
  decrypt,
  decryptBytes,
  encrypt,
  encryptBytes,
  openBytes,
  sealBytes,
  toHex,
} from "../../src/crypto/index.js";
import { collect, pieces } from "../crypto/streams.js";
import { python } from "./python.js";

const MIB = 1024 * 1024;
const LENGTHS = [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 5 * MIB];

describe("Cobblestone-256 and Python cryptography", function () {
  this.timeout(60_000);

  for (const length of LENGTHS) {
    it(`open each other's ${length} bytes`, async () => {
      const key = randomBytes(32);
      const context = randomBytes(32);
      const plaintext = Uint8Array.from(randomBytes(length));

      const theirs = python("seal", { key, context, data: plaintext });
      expect(Buffer.compare(decryptBytes(key, context, theirs), plaintext)).to.equal(0);
      const opened = await collect(decrypt(key, context, pieces(theirs, [65_536])));
      expect(Buffer.compare(opened, plaintext)).to.equal(0);

      const atOnce = encryptBytes(key, context, plaintext);
      const streamed = await collect(encrypt(key, context, pieces(plaintext, [65_536])));
      for (const ours of [atOnce, streamed]) {
        expect(ours.length).to.equal(theirs.length);
        expect(Buffer.compare(python("open", { key, context, data: ours }), plaintext)).to.equal(0);
      }
    });
  }

  it("agree that another context is refused", () => {
    const key = randomBytes(32);
    const data = encryptBytes(key, Buffer.from("a"), Buffer.from("text"));
    expect(() => python("open", { key, context: Buffer.from("b"), data })).to.throw("InvalidTag");
    expect(() => decryptBytes(key, Buffer.from("b"), data)).to.throw("header");
  });

  it("open a sealed record without chartseal: a line of JSON, then the source bytes", () => {
    const body = Buffer.from('{"value": 1.00}\r\n');
    const keys = { contentKey: randomBytes(32), memberId: 7, recordId: randomBytes(16) };
    const manifest = {
      format: 1,
      sourceKey: "Observation/42",
      label: "水",
      mediaType: "application/fhir+json",
      size: body.length,
      sha256: toHex(createHash("sha256").update(body).digest()),
      receivedAt: "2026-01-02T03:04:05Z",
    };
    const sealed = sealBytes({ ...keys, manifest, body });
    const context = contextOf(keys.memberId, keys.recordId);
    const plaintext = Buffer.from(python("open", { key: keys.contentKey, context, data: sealed }));
    const newline = plaintext.indexOf("\n");
    expect(JSON.parse(plaintext.subarray(0, newline).toString())).to.deep.equal(manifest);
    expect(plaintext.subarray(newline + 1).equals(body)).to.equal(true);
    expect(
      openBytes(python("seal", { key: keys.contentKey, context, data: plaintext }), keys).manifest,
    ).to.deep.equal(manifest);
  });
});
