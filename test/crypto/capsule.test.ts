// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";

import {
  fromBase64url,
  openCapsule,
  sealCapsule,
  toBase64url,
  toHex,
  leafHash,
} from "../../src/crypto/index.js";
import type { Capsule, Hex } from "../../src/crypto/index.js";
import { openEnvelope, sealEnvelope } from "../../src/crypto/envelope.js";
import { capsuleVector, flipped } from "./capsule-vector.js";
import { expectCode } from "./expect-code.js";

const vector = capsuleVector();
const { access, leaf, secretKey, publicKey, recordId, contentKey, cid } = vector;
const content = { recordId, contentKey, cid };
const toSeal = { ...access, ...content, leaf, publicKey, keyEpoch: 3 };
const toOpen = { ...access, leaf, secretKey };
const OTHER: Hex = `0x${"11".repeat(32)}`;

const refusedToOpen = (capsule: unknown, change: Partial<typeof toOpen> = {}) =>
  expectCode("ERR_CAPSULE_REFUSED", () => openCapsule(capsule, { ...toOpen, ...change }));

/** Seals a content that sealCapsule would not make. */
async function sealContent(change: (plaintext: Uint8Array) => Uint8Array): Promise<Capsule> {
  const binding = { ...access, label: "chartseal/capsule/v1", leafHash: toHex(leafHash(leaf)) };
  const plaintext = await openEnvelope(vector.capsule, binding, secretKey);
  return sealEnvelope(binding, { publicKey, keyEpoch: 3 }, change(plaintext));
}

describe("capsule", function () {
  this.timeout(20_000);

  it("opens what the reference implementation sealed, parsed or as text", async () => {
    expect(await openCapsule(vector.capsule, toOpen)).to.deep.equal(content);
    expect(await openCapsule(JSON.stringify(vector.capsule), toOpen)).to.deep.equal(content);
  });

  it("opens what it sealed, and seals no two alike", async () => {
    const capsule = await sealCapsule(toSeal);
    expect(await openCapsule(JSON.stringify(capsule), toOpen)).to.deep.equal(content);
    expect(capsule).to.include({ format: 1, accessId: access.accessId, keyEpoch: 3 });
    expect(capsule.leafHash).to.equal(toHex(leafHash(leaf)));
    expect((await sealCapsule(toSeal)).enc).to.not.equal(capsule.enc);
  });

  it("refuses another access, chain, contract, leaf and key", async () => {
    const { capsule } = vector;
    const access_ = await refusedToOpen(capsule, { accessId: OTHER });
    expect(access_.values).to.deep.equal({ made: access.accessId, asked: OTHER });
    await refusedToOpen(capsule, { chainId: access.chainId + 1n });
    await refusedToOpen(capsule, { accessLog: `0x${"11".repeat(20)}` });
    for (const change of [{ index: leaf.index + 1 }, { salt: OTHER }, { compartment: 0 }, { memberId: 8 }]) {
      await refusedToOpen(capsule, { leaf: { ...leaf, ...change } });
    }
    const key = await refusedToOpen(capsule, { secretKey: new Uint8Array(32).fill(1) });
    expect(key.message).to.contain("epoch 3");
  });

  it("refuses a capsule whose labels were rewritten to another access or leaf", async () => {
    const otherLeaf = { ...leaf, index: leaf.index + 1 };
    await refusedToOpen({ ...vector.capsule, accessId: OTHER }, { accessId: OTHER });
    await refusedToOpen(
      { ...vector.capsule, leafHash: toHex(leafHash(otherLeaf)) },
      {
        leaf: otherLeaf,
      },
    );
  });

  it("refuses any flipped bit of encapsulation and ciphertext", async () => {
    const enc = fromBase64url(vector.capsule.enc);
    const ciphertext = fromBase64url(vector.capsule.ciphertext);
    // The X25519 part is the last 32 bytes, and X25519 ignores its top bit: X-Wing binds it all the same.
    const examples: [number][] = [[0], [1088 * 8], [enc.length * 8 - 1], [(enc.length + 438) * 8]];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: (enc.length + ciphertext.length) * 8 - 1 }), async (bit) => {
        const inEnc = bit < enc.length * 8;
        await refusedToOpen({
          ...vector.capsule,
          enc: toBase64url(inEnc ? flipped(enc, bit) : enc),
          ciphertext: toBase64url(inEnc ? ciphertext : flipped(ciphertext, bit - enc.length * 8)),
        });
      }),
      { numRuns: 60, examples },
    );
  });

  it("refuses what is cut short or extended", async () => {
    const { enc, ciphertext } = vector.capsule;
    const [encBytes, ctBytes] = [fromBase64url(enc), fromBase64url(ciphertext)];
    for (const bytes of [encBytes.subarray(1), encBytes.subarray(0, 1119), new Uint8Array(1121), ctBytes]) {
      await refusedToOpen({ ...vector.capsule, enc: toBase64url(bytes) });
    }
    for (const length of [0, 15, 16, ctBytes.length - 1]) {
      await refusedToOpen({ ...vector.capsule, ciphertext: toBase64url(ctBytes.subarray(0, length)) });
    }
    await refusedToOpen({ ...vector.capsule, ciphertext: toBase64url(Buffer.concat([ctBytes, encBytes])) });
  });

  // RFC 7748, 6.1: an all-zero shared secret must be refused. The low-order points of Curve25519.
  for (const point of ["00", "01", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"]) {
    it(`refuses the low-order X25519 point ${point.slice(0, 8)}, as encapsulation and as public key`, async () => {
      const low = Buffer.from(point.padEnd(64, "0"), "hex");
      const enc = fromBase64url(vector.capsule.enc);
      enc.set(low, 1088);
      await refusedToOpen({ ...vector.capsule, enc: toBase64url(enc) });
      const weak = publicKey.slice();
      weak.set(low, 1184);
      await expectCode("ERR_CAPSULE_REFUSED", () => sealCapsule({ ...toSeal, publicKey: weak }));
    });
  }

  it("refuses an ML-KEM key whose coefficients are out of range (FIPS 203, 7.2)", async () => {
    const bad = publicKey.slice();
    bad.fill(0xff, 0, 3);
    await expectCode("ERR_CAPSULE_REFUSED", () => sealCapsule({ ...toSeal, publicKey: bad }));
  });

  it("refuses keys of the wrong length", async () => {
    const short = publicKey.subarray(1);
    await expectCode("ERR_KEY_INVALID", () => sealCapsule({ ...toSeal, publicKey: short }));
    await expectCode("ERR_KEY_INVALID", () =>
      openCapsule(vector.capsule, { ...toOpen, secretKey: secretKey.subarray(1) }),
    );
    for (const change of [{ recordId: contentKey }, { contentKey: recordId }]) {
      await expectCode("ERR_CAPSULE_REFUSED", () => sealCapsule({ ...toSeal, ...change }));
    }
  });

  it("refuses to seal a CID that is malformed or of another body", async () => {
    const otherLeaf = { ...leaf, contentDigest: OTHER };
    await expectCode("ERR_CAPSULE_REFUSED", () => sealCapsule({ ...toSeal, leaf: otherLeaf }));
    for (const wrong of [
      "",
      "bafk",
      cid.toUpperCase(),
      `${cid}a`,
      `${cid}=`,
      "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKuFgs",
    ]) {
      await expectCode("ERR_CAPSULE_REFUSED", () => sealCapsule({ ...toSeal, cid: wrong }));
    }
  });

  it("refuses a content that names another leaf, or a CID of another length or body", async () => {
    await refusedToOpen(await sealContent((plaintext) => flipped(plaintext, 2 * 8 + 63 * 8)));
    await refusedToOpen(await sealContent((plaintext) => flipped(plaintext, (2 + 352 + 48) * 8)));
    await refusedToOpen(await sealContent((plaintext) => flipped(plaintext, plaintext.length * 8 - 1)));
    await refusedToOpen(await sealContent((plaintext) => plaintext.subarray(0, -1)));
    await refusedToOpen(await sealContent((plaintext) => plaintext.subarray(0, 2 + 352 + 48)));
    await refusedToOpen(await sealContent(() => new Uint8Array()));
  });

  it("refuses unknown formats by their own code", async () => {
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => openCapsule({ ...vector.capsule, format: 2 }, toOpen));
    const inner = await sealContent((plaintext) => flipped(plaintext, 8 + 1));
    await expectCode("ERR_FORMAT_UNSUPPORTED", () => openCapsule(inner, toOpen));
  });

  const malformed: Record<string, unknown> = {
    "no object": [],
    "no JSON": "{",
    null: null,
    "an empty object": {},
    "an unknown field": { ...vector.capsule, note: 1 },
    "padded base64": { ...vector.capsule, enc: `${vector.capsule.enc}=` },
    "a number for enc": { ...vector.capsule, enc: 5 },
    "a negative key epoch": { ...vector.capsule, keyEpoch: -1 },
    "an access id in upper case": { ...vector.capsule, accessId: access.accessId.toUpperCase() },
  };
  for (const [what, capsule] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      await refusedToOpen(capsule);
    });
  }
});
