// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { refusal, TemporaryVault } from "./temporary-vault.js";

/** Bytes of an X-Wing public key. */
const PUBLIC_KEY_BYTES = 1216;

describe("member keys", () => {
  let made: TemporaryVault;
  beforeEach(async () => {
    made = await TemporaryVault.make();
  });
  afterEach(() => made[Symbol.dispose]());

  const pair = (epoch: number) => ({
    epoch,
    publicKey: new Uint8Array(randomBytes(PUBLIC_KEY_BYTES)),
    secretKey: new Uint8Array(randomBytes(32)),
  });

  it("are kept by epoch, old ones too", () => {
    expect(made.vault.currentEpoch()).to.equal(undefined);
    const pairs = [pair(1), pair(2), pair(10)];
    for (const each of pairs) made.vault.addMemberKey(each);
    expect(made.vault.currentEpoch()).to.equal(10);
    for (const { epoch, publicKey, secretKey } of pairs) {
      expect(made.vault.memberSecretKey(epoch)).to.deep.equal(secretKey);
      expect(made.vault.memberPublicKey(epoch)).to.deep.equal(publicKey);
    }
    refusal("ERR_KEY_MISSING", () => made.vault.memberSecretKey(3));
  });

  it("never change within an epoch", () => {
    const first = pair(1);
    made.vault.addMemberKey(first);
    made.vault.addMemberKey(first);
    refusal("ERR_USAGE", () => made.vault.addMemberKey(pair(1)));
    expect(made.vault.memberSecretKey(1)).to.deep.equal(first.secretKey);
  });

  it("have an epoch from 1 on and a secret of 32 bytes", () => {
    for (const epoch of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
      refusal("ERR_USAGE", () => made.vault.addMemberKey(pair(epoch)));
    }
    refusal("ERR_USAGE", () => made.vault.addMemberKey({ ...pair(1), secretKey: randomBytes(31) }));
  });

  it("are refused when an epoch's key was put in another's place", () => {
    made.vault.addMemberKey(pair(1));
    made.vault.addMemberKey(pair(2));
    made.tamper((database) =>
      database.exec("UPDATE member_keys SET key_pair = (SELECT key_pair FROM member_keys WHERE epoch = 1)"),
    );
    refusal("ERR_VAULT_DAMAGED", () => made.vault.memberSecretKey(2));
  });
});
