// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { keccak256 } from "ethers";

import { generateMemberKey, keyDigest, openIndexPage, sealIndexPage, toHex } from "../../src/crypto/index.js";
import { capsuleVector } from "./capsule-vector.js";
import { expectCode } from "./expect-code.js";

describe("member key", () => {
  it("is new each time, has the lengths of X-Wing, and opens what is sealed to it", async () => {
    const [one, other] = await Promise.all([generateMemberKey(), generateMemberKey()]);
    expect([one.publicKey.length, one.secretKey.length]).to.deep.equal([1216, 32]);
    expect(toHex(one.publicKey)).to.not.equal(toHex(other.publicKey));
    const { access } = capsuleVector();
    const page = await sealIndexPage({ ...access, json: "{}", publicKey: one.publicKey, keyEpoch: 1 });
    expect(await openIndexPage(page, { ...access, secretKey: one.secretKey })).to.equal("{}");
    await expectCode("ERR_CAPSULE_REFUSED", () =>
      openIndexPage(page, { ...access, secretKey: other.secretKey }),
    );
  });

  it("has its Keccak-256 as digest", async () => {
    const { publicKey } = capsuleVector();
    expect(keyDigest(publicKey)).to.equal(keccak256(publicKey));
    await expectCode("ERR_KEY_INVALID", () => keyDigest(publicKey.subarray(1)));
  });
});
