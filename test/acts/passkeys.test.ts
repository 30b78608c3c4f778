// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Interface } from "ethers";
import { addSignature, papersFor } from "../../src/acts/index.js";
import {
  passkeyChallenge,
  passkeySignature,
  passkeySigner,
  signAs,
  type PasskeyAssertion,
} from "../../src/consent/index.js";
import { fromHex, toHex, type Hex } from "../../src/crypto/index.js";
import { actStage, carriedOut, withDevice, type ActStage } from "../support/acts.js";
import { Authenticator, PRESENT_AND_VERIFIED } from "../support/passkey.js";
import { rejected } from "../support/rejected.js";
import { IN_A_YEAR } from "../support/sharing.js";
import { errorOf } from "../records/error-of.js";

/** W3C Web Authentication Level 3, 16.1: ES256 credential with no attestation; UV is not set in it. */
const W3C = {
  x: "afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61",
  y: "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
  challenge: "0x39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
  authenticatorData: "0xbfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
  clientDataJSON:
    "0x7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
  signature:
    "0x3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
} as const;
const VERIFIER = new Interface([
  "function verify(bytes key, bytes32 hash, bytes signature) view returns (bytes4)",
]);

describe("passkeys", function () {
  this.timeout(60_000);
  let s: ActStage;
  before(async () => {
    s = await actStage();
  });
  after(() => s[Symbol.asyncDispose]());

  const verifies = async (signer: Hex, hash: Hex, signature: Hex) => {
    const key = `0x${signer.slice(42)}`;
    const data = VERIFIER.encodeFunctionData("verify", [key, hash, signature]);
    const answer = await s.a.chain.provider.call({ to: s.a.chain.deployment.passkeys, data });
    return answer.startsWith(VERIFIER.getFunction("verify")!.selector);
  };
  const terms = (patient: Hex) =>
    s.a.consent.terms({ patient, grantee: s.b.memberId, purposes: ["TREAT"], notAfter: IN_A_YEAR });

  it("register, grant, rotate and act as guardians as any key does", async () => {
    const { passkeys } = s.a.chain.deployment;
    const [phone, next] = [new Authenticator(passkeys), new Authenticator(passkeys)];
    const patient = await withDevice(s, phone);
    const prepared = terms(patient);
    await s.a.consent.grant(prepared, await signAs(phone, prepared.typedData));
    await carriedOut(s, s.a.acts().rotation(patient, next.signer), phone, next);
    expect((await s.a.acts().standing(patient)).signer).to.equal(next.signer);
  });

  it("sign on a web page: the challenge goes out, the assertion comes back", async () => {
    const phone = new Authenticator(s.a.chain.deployment.passkeys);
    const patient = await withDevice(s, phone);
    const file = await s.a.acts().directive({ patient, denyAll: true });
    const [paper] = papersFor(file, s.a.chain.deployment, phone.signer);
    const challenge = passkeyChallenge(paper!.typedData);
    expect(challenge).to.have.length(32);
    const signature = passkeySignature(phone.assert(challenge));
    const signed = await addSignature(file, s.a.chain, signature);
    await s.a.acts().relay(signed);
    expect((await s.a.chain.consents.directiveOf(patient)).denyAll).to.be.true;
  });

  it("are refused for another challenge, another key, a registration, or a person who was not verified", async () => {
    const { chain } = s.a;
    const [phone, other] = [
      new Authenticator(chain.deployment.passkeys),
      new Authenticator(chain.deployment.passkeys),
    ];
    const file = await s.a.acts().directive({ patient: await withDevice(s, phone), denyAll: true });
    const challenge = passkeyChallenge(papersFor(file, chain.deployment, phone.signer)[0]!.typedData);
    const wrong = {
      "another challenge": phone.assert(challenge.toReversed()),
      "another key": other.assert(challenge),
      "user not present": phone.assert(challenge, { flags: PRESENT_AND_VERIFIED & ~0x01 }),
      "user not verified": phone.assert(challenge, { flags: PRESENT_AND_VERIFIED & ~0x04 }),
    };
    for (const [why, assertion] of Object.entries(wrong)) {
      const signature = passkeySignature(assertion);
      const error = await rejected("ERR_ACT_INVALID", addSignature(file, chain, signature));
      expect(error.message, why).to.contain("nobody who has yet to sign");
    }
    expect(() => passkeySignature(phone.assert(challenge, { type: "webauthn.create" }))).to.throw(
      "clientDataJSON",
    );
  });

  it("count characters of the client data as bytes", async () => {
    const phone = new Authenticator(s.a.chain.deployment.passkeys);
    const challenge = new Uint8Array(32).fill(7);
    const plain = phone.assert(challenge);
    const text = Buffer.from(plain.clientDataJSON).toString().replace("{", '{"extra":"病历",');
    const clientDataJSON = Buffer.from(text);
    const words = passkeySignature({ ...plain, clientDataJSON })
      .slice(2)
      .match(/.{64}/g)!;
    expect(Number(`0x${words[2]}`)).to.equal(clientDataJSON.indexOf('"challenge"'));
    expect(Number(`0x${words[3]}`)).to.equal(clientDataJSON.indexOf('"type"'));
    expect(await verifies(phone.signer, toHex(challenge), passkeySignature(plain))).to.be.true;
  });

  describe("of the W3C's test vector", () => {
    const spki = Buffer.from(`3059301306072a8648ce3d020106082a8648ce3d03010703420004${W3C.x}${W3C.y}`, "hex");
    const assertion: PasskeyAssertion = {
      authenticatorData: fromHex(W3C.authenticatorData),
      clientDataJSON: fromHex(W3C.clientDataJSON),
      signature: fromHex(W3C.signature),
    };

    it("give the registered key and r, the lower s, and the places of challenge and type", () => {
      const signer = passkeySigner(s.a.chain.deployment.passkeys, spki);
      expect(signer).to.equal(`${s.a.chain.deployment.passkeys}${W3C.x}${W3C.y}`);
      const words = passkeySignature(assertion).slice(2).match(/.{64}/g)!;
      expect(words[0]).to.equal("f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd38");
      // 0x8480...1e87 lies above half of the order.
      expect(words[1]).to.equal("7b7f53eff46cac7f8b0a8a40ee5e22a244201627a5d80b125dcfb75dbe3006ca");
      expect([Number(`0x${words[2]}`), Number(`0x${words[3]}`)]).to.deep.equal([23, 1]);
    });

    it("do not pass the contract, for nobody was verified", async () => {
      const signer = passkeySigner(s.a.chain.deployment.passkeys, spki);
      expect(await verifies(signer, W3C.challenge, passkeySignature(assertion))).to.be.false;
    });
  });

  it("are read strictly", () => {
    const { passkeys } = s.a.chain.deployment;
    const phone = new Authenticator(passkeys);
    const good = phone.assert(new Uint8Array(32));
    const der = good.signature;
    const damaged = {
      truncated: der.subarray(0, -1),
      extended: Buffer.concat([der, Uint8Array.of(0)]),
      empty: new Uint8Array(),
      "not a sequence": Buffer.concat([Uint8Array.of(0x31), der.subarray(1)]),
      "r too long": Buffer.concat([Uint8Array.of(0x30, 4, 0x02, 60), der.subarray(4, 6)]),
      zero: Uint8Array.of(0x30, 6, 0x02, 1, 0, 0x02, 1, 1),
    };
    for (const [why, signature] of Object.entries(damaged)) {
      expect(errorOf(() => passkeySignature({ ...good, signature }))?.code, why).to.equal("ERR_KEY_INVALID");
    }
    const latin1 = { ...good, clientDataJSON: Uint8Array.of(0xff, 0xfe) };
    expect(errorOf(() => passkeySignature(latin1))?.code).to.equal("ERR_KEY_INVALID");
    for (const key of [phone.publicKey.subarray(1), Buffer.concat([phone.publicKey, Buffer.alloc(1)])]) {
      expect(errorOf(() => passkeySigner(passkeys, key))?.code).to.equal("ERR_KEY_INVALID");
    }
  });
});
