// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";

import { expect } from "chai";

import { ChunkedEncryption } from "../../src/crypto/chunked-encryption.js";
import { expectCode } from "./expect-code.js";
import { collect, pieces } from "./streams.js";
import { base64, vectors } from "./vectors.js";

interface Vector {
  name: string;
  comment: string;
  expect: "success" | "failure";
  key: string;
  context: string;
  ciphertext: string | null; // null: no bytes at all
  compressed?: boolean;
  payload_sha256?: string;
  payload_length?: string;
}

// The vectors derive their keys with SHA-256. Cobblestone-256 differs in that hash only: see test/interop.
const cipher = new ChunkedEncryption("sha256");

describe("chunked encryption: published vectors", function () {
  this.timeout(20_000);

  for (const vector of vectors<{ vectors: Vector[] }>("chunked-encryption.json").vectors) {
    const input = base64(vector.ciphertext ?? "");
    const ciphertext = vector.compressed ? inflateSync(input) : input;
    const vectorKey = Buffer.from(vector.key, "hex");
    const vectorContext = Buffer.from(vector.context, "latin1");

    if (vector.expect === "success") {
      it(`opens: ${vector.comment}`, async () => {
        const plaintext = await collect(cipher.decrypt(vectorKey, vectorContext, pieces(ciphertext)));
        expect(plaintext.length).to.equal(Number(vector.payload_length));
        expect(createHash("sha256").update(plaintext).digest("hex")).to.equal(vector.payload_sha256);
        expect(cipher.decryptBytes(vectorKey, vectorContext, ciphertext)).to.deep.equal(plaintext);
      });

      it(`writes the same bytes: ${vector.comment}`, async () => {
        const plaintext = cipher.decryptBytes(vectorKey, vectorContext, ciphertext);
        const options = { salt: ciphertext.subarray(0, 24) };
        const expected = Uint8Array.from(ciphertext);
        expect(cipher.encryptBytes(vectorKey, vectorContext, plaintext, options)).to.deep.equal(expected);
        const stream = cipher.encrypt(vectorKey, vectorContext, pieces(plaintext, [10_007]), options);
        expect(await collect(stream)).to.deep.equal(expected);
      });
    } else {
      it(`refuses: ${vector.comment}`, async () => {
        const code = vectorKey.length === 32 ? "ERR_BODY_TAMPERED" : "ERR_KEY_INVALID";
        await expectCode(code, () => cipher.decryptBytes(vectorKey, vectorContext, ciphertext));
        let released = 0;
        await expectCode(code, async () => {
          for await (const part of cipher.decrypt(vectorKey, vectorContext, pieces(ciphertext))) {
            released += part.length;
          }
        });
        expect(released, "bytes released before the error").to.equal(Number(vector.payload_length ?? 0));
      });
    }
  }
});
