// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";

import { openCapsule, openIndexPage, sealIndexPage, toHex } from "../../src/crypto/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { sealEnvelope } from "../../src/crypto/envelope.js";
import { capsuleVector } from "./capsule-vector.js";
import { expectCode } from "./expect-code.js";

const vector = capsuleVector();
const { access, secretKey, publicKey } = vector;
const NO_LEAF: Hex = `0x${"00".repeat(32)}`;

describe("index page", () => {
  it("opens what the reference implementation sealed", async () => {
    const json = await openIndexPage(vector.indexPage, { ...access, secretKey });
    expect(json).to.equal(vector.indexPageJson);
  });

  it("opens what it sealed, byte for byte, of any length", async () => {
    for (const json of ["", "{}", '{"a": 1.00, "b": "水"}', "x".repeat(1_000_000), "\ufeff{}"]) {
      const page = await sealIndexPage({ ...access, json, publicKey, keyEpoch: 0 });
      expect(page.leafHash).to.equal(NO_LEAF);
      expect(await openIndexPage(JSON.stringify(page), { ...access, secretKey })).to.equal(json);
    }
  });

  it("refuses another access, chain, contract and key", async () => {
    const others = [
      { ...access, secretKey, accessId: NO_LEAF },
      { ...access, secretKey, chainId: 1n },
      { ...access, secretKey, accessLog: toHex(new Uint8Array(20)) },
      { ...access, secretKey: new Uint8Array(32) },
    ];
    for (const other of others) {
      await expectCode("ERR_CAPSULE_REFUSED", () => openIndexPage(vector.indexPage, other));
    }
  });

  it("is no capsule, and a capsule is no index page", async () => {
    const { leaf, capsule } = vector;
    await expectCode("ERR_CAPSULE_REFUSED", () =>
      openCapsule(vector.indexPage, { ...access, leaf, secretKey }),
    );
    await expectCode("ERR_CAPSULE_REFUSED", () => openIndexPage(capsule, { ...access, secretKey }));
    const relabelled = { ...capsule, leafHash: NO_LEAF };
    await expectCode("ERR_CAPSULE_REFUSED", () => openIndexPage(relabelled, { ...access, secretKey }));
  });

  it("refuses a content that is not UTF-8", async () => {
    const binding = { ...access, label: "chartseal/index/v1", leafHash: NO_LEAF };
    const page = await sealEnvelope(binding, { publicKey, keyEpoch: 3 }, Uint8Array.of(0xff));
    await expectCode("ERR_CAPSULE_REFUSED", () => openIndexPage(page, { ...access, secretKey }));
  });

  it("refuses chain ids and key epochs out of range", async () => {
    const page = { ...access, json: "", publicKey, keyEpoch: 0 };
    await expectCode("ERR_USAGE", () => sealIndexPage({ ...page, chainId: -1n }));
    await expectCode("ERR_USAGE", () => sealIndexPage({ ...page, chainId: 2n ** 256n }));
    await expectCode("ERR_USAGE", () => sealIndexPage({ ...page, keyEpoch: 2 ** 32 }));
  });
});
