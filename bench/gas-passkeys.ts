// SPDX-License-Identifier: Apache-2.0
import { createECDH, createHash } from "node:crypto";
import { AbiCoder, TypedDataEncoder, concat, getBytes, hexlify, toBeHex } from "ethers";
import { TYPES, domainOf, termsOf } from "./gas-actors.js";
import type { Chain } from "./gas-chain.js";
import { NOT_AFTER, gasOf, openChain, steadyBytes } from "./gas-chain.js";
import type { Hex } from "../src/crypto/index.js";

/** Order of the P-256 group, FIPS 186-5 / SEC 2, 2.4.2. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Bits of WebAuthn authenticator data: user present, user verified (WebAuthn level 2, 6.1). */
const PRESENT_AND_VERIFIED = 0x05;

export interface Passkeys {
  /** Before Osaka: P-256 in Solidity. */
  grantByPasskey: number;
  /** From Osaka on: EIP-7951, a precompile at 0x100. */
  grantByPasskeyWithPrecompile: number;
}

/** Gas of a grant that a passkey signed, from the patient's second on, without the P-256 precompile and with it. */
export async function measurePasskeys(chain: Chain): Promise<Passkeys> {
  const later = await openChain("osaka");
  try {
    return {
      grantByPasskey: await secondGrant(chain),
      grantByPasskeyWithPrecompile: await secondGrant(later),
    };
  } finally {
    await later.connection.close();
  }
}

async function secondGrant(chain: Chain): Promise<number> {
  const key = steadyKey("passkey");
  const seed = steadyBytes("seed of the passkey's patient");
  const patientId = (await chain.patients.patientIdOf(1, seed)) as Hex;
  const signer = concat([chain.passkeyVerifier, key.publicKey]);
  const possession = TypedDataEncoder.hash(await domainOf(chain, "patients"), TYPES.PatientRegistry, {
    patientId,
    key: signer,
    deadline: NOT_AFTER,
  });
  await chain.patients.register(seed, signer, assertion(key, possession), NOT_AFTER);
  const grants: number[] = [];
  for (const label of ["passkey 1", "passkey 2"]) {
    const terms = termsOf({ patientId }, label);
    const digest = TypedDataEncoder.hash(await domainOf(chain, "consents"), TYPES.Terms, terms);
    grants.push(await gasOf(chain.consents.grant(terms, assertion(key, digest))));
  }
  return grants.at(-1)!;
}

interface Key {
  secret: bigint;
  publicKey: Uint8Array; // x || y
}

function steadyKey(label: string): Key {
  const secret = BigInt(steadyBytes(`key of ${label}`)) % ORDER;
  return { secret, publicKey: pointOf(secret) };
}

/** The assertion over `digest` as challenge, encoded as OpenZeppelin's WebAuthn library takes it. */
function assertion(key: Key, digest: string): string {
  const challenge = Buffer.from(getBytes(digest)).toString("base64url");
  const clientData = `{"type":"webauthn.get","challenge":"${challenge}","origin":"https://chart.example"}`;
  const flagsAndCount = Uint8Array.of(PRESENT_AND_VERIFIED, 0, 0, 0, 1);
  const authenticatorData = concat([sha256("chart.example"), flagsAndCount]);
  const { r, s } = sign(key, sha256(getBytes(concat([authenticatorData, sha256(clientData)]))));
  return AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
    [r, s, clientData.indexOf('"challenge"'), clientData.indexOf('"type"'), authenticatorData, clientData],
  );
}

/** ECDSA with a nonce that is the same each time, so that gas repeats to the unit; and with the lower s. For a bench. */
function sign({ secret }: Key, hash: Uint8Array): { r: string; s: string } {
  const nonce = BigInt(steadyBytes(`nonce of ${hexlify(hash)}`)) % ORDER;
  const r = BigInt(hexlify(pointOf(nonce).subarray(0, 32))) % ORDER;
  const s = (inverseOf(nonce) * ((BigInt(hexlify(hash)) + r * secret) % ORDER)) % ORDER;
  return { r: toBeHex(r, 32), s: toBeHex(s > ORDER / 2n ? ORDER - s : s, 32) };
}

/** x || y of the generator times `factor`. */
function pointOf(factor: bigint): Uint8Array {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(Buffer.from(getBytes(toBeHex(factor, 32))));
  return ecdh.getPublicKey().subarray(1);
}

/** By Fermat's little theorem: the order is prime. */
function inverseOf(value: bigint): bigint {
  let result = 1n;
  for (let [base, exponent] = [value, ORDER - 2n]; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}

function sha256(data: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}
