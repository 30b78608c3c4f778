// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { AEAD_ChaCha20Poly1305, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from "hpke";

import { SUITE } from "../../src/crypto/member-key.js";
import { vectors } from "./vectors.js";

interface Vector {
  info: string;
  skRm: string;
  pkRm: string;
  enc: string;
  shared_secret: string;
  encryptions: { aad: string; ct: string; nonce: string; pt: string }[];
}

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

// The published vector has our KEM and KDF, with ChaCha20-Poly1305. AES-256-GCM is tested in test/interop.
describe("HPKE with X-Wing: published vector", () => {
  const [vector] = vectors<{ vectors: [Vector] }>("hpke-x-wing.json").vectors;
  const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_ChaCha20Poly1305);

  it("decapsulates to the published shared secret", async () => {
    const kem = KEM_MLKEM768_X25519();
    const secretKey = await kem.DeserializePrivateKey(bytes(vector.skRm), false);
    const sharedSecret = await kem.Decap(bytes(vector.enc), secretKey, undefined);
    expect(sharedSecret).to.deep.equal(bytes(vector.shared_secret));
  });

  it("derives the published public key from the published seed", async () => {
    const secretKey = await suite.DeserializePrivateKey(bytes(vector.skRm), true);
    expect(await suite.SerializePrivateKey(secretKey)).to.deep.equal(bytes(vector.skRm));
    const publicKey = await suite.DeserializePublicKey(bytes(vector.pkRm));
    const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKey, bytes("00"));
    expect(await suite.Open(secretKey, encapsulatedSecret, ciphertext)).to.deep.equal(bytes("00"));
  });

  it("opens the published messages", async () => {
    const secretKey = await suite.DeserializePrivateKey(bytes(vector.skRm));
    const info = bytes(vector.info);
    const context = await suite.SetupRecipient(secretKey, bytes(vector.enc), { info });
    for (const { aad, ct, pt } of vector.encryptions.slice(0, 3)) {
      expect(await context.Open(bytes(ct), bytes(aad))).to.deep.equal(bytes(pt));
    }
  });

  it("is the suite that capsules use, but for the AEAD", () => {
    expect([SUITE.KEM.id, SUITE.KDF.id, SUITE.AEAD.id]).to.deep.equal([0x647a, 0x0001, 0x0002]);
  });
});
