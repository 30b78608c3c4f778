// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Signature, concat, dataSlice, toBeHex } from "ethers";
import type { TypedDataDomain, TypedDataField } from "ethers";
import { contractAccount, passkey } from "../contract-signers.js";
import { keySigner, registerPatientWithoutSigner, registerSigner } from "../consortium.js";
import type { Consortium, PatientSigner } from "../consortium.js";

/** What a patient is to sign, and the call that takes the signature. */
export interface SignedAct {
  patientId: string;
  domain: TypedDataDomain;
  types: Record<string, TypedDataField[]>;
  value: Record<string, unknown>;
  act: (signature: string) => Promise<unknown>;
}

/** Order of the secp256k1 group, SEC 2, 2.4.1. */
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/**
 * `prepare` makes an act for a patient whose signer is given; only that signer's signature over exactly that message
 * may pass.
 */
export function shouldRequireSignature<F extends Consortium>(
  load: () => Promise<F>,
  prepare: (f: F, signer: PatientSigner) => Promise<SignedAct>,
): void {
  shouldRefuseForgeries(load, prepare);
  shouldAskContracts(load, prepare);
}

function shouldRefuseForgeries<F extends Consortium>(
  load: () => Promise<F>,
  prepare: (f: F, signer: PatientSigner) => Promise<SignedAct>,
): void {
  async function refuses(forge: (f: F, signed: SignedAct, signer: PatientSigner) => Promise<string>) {
    const f = await load();
    const signer = keySigner();
    const signed = await prepare(f, signer);
    await expect(signed.act(await forge(f, signed, signer)))
      .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
      .withArgs(signed.patientId);
  }
  const sign = (
    { domain, types, value }: SignedAct,
    signer: PatientSigner,
    elsewhere: TypedDataDomain = {},
  ) => signer.signTypedData({ ...domain, ...elsewhere }, types, value);

  describe("when another patient signed", () => {
    it("should revert with SignatureInvalid", () =>
      refuses(async (f, signed) => {
        const other = keySigner();
        await registerSigner(f, other);
        return await sign(signed, other);
      }));
  });

  describe("when the signature is for another chain", () => {
    it("should revert with SignatureInvalid", () =>
      refuses((_, signed, signer) => sign(signed, signer, { chainId: 1 })));
  });

  describe("when the signature is for another contract", () => {
    it("should revert with SignatureInvalid", () =>
      refuses(async (f, signed, signer) =>
        sign(signed, signer, { verifyingContract: await f.members.getAddress() }),
      ));
  });

  describe("when the signature is for another version of the contract", () => {
    it("should revert with SignatureInvalid", () =>
      refuses((_, signed, signer) => sign(signed, signer, { version: "2" })));
  });

  describe("when the signature is cut short, extended or empty", () => {
    it("should revert with SignatureInvalid", async () => {
      await refuses(async (_, signed, signer) => dataSlice(await sign(signed, signer), 0, 64));
      await refuses(async (_, signed, signer) => concat([await sign(signed, signer), "0x00"]));
      await refuses(async () => "0x");
    });
  });

  describe("when the signature is the other one of the pair with s and n - s", () => {
    it("should revert with SignatureInvalid", () =>
      refuses(async (_, signed, signer) => {
        const { r, s, v } = Signature.from(await sign(signed, signer));
        return concat([r, toBeHex(SECP256K1_ORDER - BigInt(s), 32), toBeHex(v === 27 ? 28 : 27)]);
      }));
  });
}

function shouldAskContracts<F extends Consortium>(
  load: () => Promise<F>,
  prepare: (f: F, signer: PatientSigner) => Promise<SignedAct>,
): void {
  const sign = ({ domain, types, value }: SignedAct, signer: PatientSigner) =>
    signer.signTypedData(domain, types, value);

  async function refuses(f: F, signed: SignedAct, signer: PatientSigner) {
    await expect(signed.act(await sign(signed, signer)))
      .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
      .withArgs(signed.patientId);
  }

  describe("given the signer is a contract account", () => {
    it("should pass when the account's key signed", async () => {
      const f = await load();
      const { signer } = await contractAccount();
      const signed = await prepare(f, signer);
      await signed.act(await sign(signed, signer));
    });

    it("should revert with SignatureInvalid when another key signed", async () => {
      const f = await load();
      const signed = await prepare(f, (await contractAccount()).signer);
      await refuses(f, signed, keySigner());
    });

    it("should revert with SignatureInvalid when the account has replaced the key", async () => {
      const f = await load();
      const { signer, replaceKey } = await contractAccount();
      const signed = await prepare(f, signer);
      await replaceKey();
      await refuses(f, signed, signer);
    });
  });

  describe("given the signer is a passkey", () => {
    it("should pass when the passkey signed", async () => {
      const f = await load();
      const signer = await passkey(f);
      const signed = await prepare(f, signer);
      await signed.act(await sign(signed, signer));
    });

    it("should revert with SignatureInvalid when another passkey signed", async () => {
      const f = await load();
      const signed = await prepare(f, await passkey(f));
      await refuses(f, signed, await passkey(f));
    });

    it("should revert with SignatureInvalid when an ordinary key signed", async () => {
      const f = await load();
      const signed = await prepare(f, await passkey(f));
      await refuses(f, signed, keySigner());
    });
  });
}

/** An act for a patient who is registered already needs a patient who can sign. */
export function shouldRequireSigningPatient<F extends Consortium>(
  load: () => Promise<F>,
  act: (f: F, patientId: string) => Promise<unknown>,
): void {
  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await load();
      const patientId = await f.patients.patientIdOf(1, toBeHex(1, 32));
      await expect(act(f, patientId))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(patientId);
    });
  });

  describe("given the patient has no signer", () => {
    it("should revert with PatientHasNoSigner", async () => {
      const f = await load();
      const patientId = await registerPatientWithoutSigner(f);
      await expect(act(f, patientId))
        .to.be.revertedWithCustomError(f.patients, "PatientHasNoSigner")
        .withArgs(patientId);
    });
  });
}
