// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";

import { expect } from "chai";

import {
  concatBytes,
  encodeLeaf,
  fromBase64url,
  fromHex,
  generateMemberKey,
  leafHash,
  openCapsule,
  sealCapsule,
  toBase64url,
  toHex,
  uintBytes,
} from "../../src/crypto/index.js";
import { capsuleVector } from "../crypto/capsule-vector.js";
import { python } from "./python.js";

const ENC_LENGTH = 1120;
const { access, leaf, cid } = capsuleVector();
// Spelled out here a second time, from the format's description.
const info = concatBytes(
  Buffer.from("chartseal/capsule/v1"),
  uintBytes(access.chainId, 32),
  fromHex(access.accessLog),
  fromHex(access.accessId),
  leafHash(leaf),
);

describe("capsules and Python cryptography's HPKE with X-Wing", function () {
  this.timeout(60_000);
  const recordId = Uint8Array.from(randomBytes(16));
  const contentKey = Uint8Array.from(randomBytes(32));

  it("derive the same public key from a secret key", async () => {
    const { publicKey, secretKey } = await generateMemberKey();
    expect(toHex(python("publicKey", { seed: secretKey }))).to.equal(toHex(publicKey));
  });

  it("open ours there", async () => {
    const { publicKey, secretKey } = await generateMemberKey();
    const capsule = await sealCapsule({ ...access, leaf, recordId, contentKey, cid, publicKey, keyEpoch: 1 });
    const data = concatBytes(fromBase64url(capsule.enc), fromBase64url(capsule.ciphertext));
    const plaintext = python("hpkeOpen", { seed: secretKey, info, data });
    const head = concatBytes(Uint8Array.of(0, 1), encodeLeaf(leaf), recordId, contentKey, Uint8Array.of(36));
    expect(toHex(plaintext.subarray(0, head.length))).to.equal(toHex(head));
    expect(toHex(plaintext.subarray(head.length))).to.match(/^0x01551220/);
    expect(plaintext.length).to.equal(head.length + 36);
    const otherInfo = concatBytes(info.subarray(0, -1), Uint8Array.of(0));
    expect(() => python("hpkeOpen", { seed: secretKey, info: otherInfo, data })).to.throw("InvalidTag");
  });

  it("open theirs here", async () => {
    const { publicKey, secretKey } = await generateMemberKey();
    const cidBytes = concatBytes(fromHex("0x01551220"), fromHex(leaf.contentDigest));
    const data = concatBytes(
      Uint8Array.of(0, 1),
      encodeLeaf(leaf),
      recordId,
      contentKey,
      Uint8Array.of(36),
      cidBytes,
    );
    const sealed = python("hpkeSeal", { publicKey, info, data });
    const capsule = {
      format: 1,
      accessId: access.accessId,
      leafHash: toHex(leafHash(leaf)),
      keyEpoch: 1,
      enc: toBase64url(sealed.subarray(0, ENC_LENGTH)),
      ciphertext: toBase64url(sealed.subarray(ENC_LENGTH)),
    };
    const opened = await openCapsule(capsule, { ...access, leaf, secretKey });
    expect(opened).to.deep.equal({ recordId, contentKey, cid });
  });
});
