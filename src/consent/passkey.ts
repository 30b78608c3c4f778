// SPDX-License-Identifier: Apache-2.0
import {
  AbiCoder,
  TypedDataEncoder,
  concat,
  getBytes,
  hexlify,
  toBeHex,
  toBigInt,
  toUtf8String,
} from "ethers";
import { ChartsealError } from "../errors.js";
import type { TypedData } from "./typed-data.js";

// Made for a web page too: nothing here needs Node.js.

type Hex = `0x${string}`;

/** Order of P-256 (SEC 2, 2.4.2). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** SubjectPublicKeyInfo of an uncompressed P-256 point: all before X and Y (RFC 5480). */
const P256_SPKI_PREFIX = "0x3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const P256_SPKI_LENGTH = 91;

/** What `navigator.credentials.get` gives (WebAuthn, AuthenticatorAssertionResponse). */
export interface PasskeyAssertion {
  authenticatorData: Uint8Array;
  /** UTF-8, exactly as it was signed. */
  clientDataJSON: Uint8Array;
  /** ASN.1 DER, as for COSE algorithm -7 (ES256). */
  signature: Uint8Array;
}

/**
 * A passkey as a patient's signer (ERC-7913): the deployment's verifier, then X and Y.
 * @param verifier `passkeys` of the deployment
 * @param publicKey What `AuthenticatorAttestationResponse.getPublicKey()` gave (SubjectPublicKeyInfo)
 * @throws ERR_KEY_INVALID unless it is a P-256 key
 */
export function passkeySigner(verifier: Hex, publicKey: Uint8Array): Hex {
  const text = hexlify(publicKey);
  if (publicKey.length === P256_SPKI_LENGTH && text.startsWith(P256_SPKI_PREFIX)) {
    return concat([verifier, `0x${text.slice(P256_SPKI_PREFIX.length)}`]).toLowerCase() as Hex;
  }
  throw new ChartsealError("ERR_KEY_INVALID", "the passkey's public key is not P-256", {
    hint: "create the passkey with pubKeyCredParams [{ type: 'public-key', alg: -7 }]",
  });
}

/**
 * The challenge for `navigator.credentials.get`: 32 bytes. Ask for `userVerification: "required"`; the contract does.
 * @example
 * const credential = await navigator.credentials.get({
 *   publicKey: { challenge: passkeyChallenge(paper.typedData), userVerification: "required" },
 * });
 * const signature = passkeySignature(...);
 */
export function passkeyChallenge({ domain, types, message }: TypedData): Uint8Array {
  return getBytes(TypedDataEncoder.hash(domain, types, message));
}

/**
 * An assertion as the contracts take it: `abi.encode` of OpenZeppelin's WebAuthnAuth, with the lower s.
 * @throws ERR_KEY_INVALID when it is no assertion of a P-256 key
 */
export function passkeySignature({ authenticatorData, clientDataJSON, signature }: PasskeyAssertion): Hex {
  const { r, s } = readDer(signature);
  const clientData = utf8(clientDataJSON);
  const challenge = byteIndex(clientData, '"challenge":"');
  const type = byteIndex(clientData, '"type":"webauthn.get"');
  return AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
    [r, s, challenge, type, authenticatorData, clientData],
  ) as Hex;
}

/** ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279, 2.2.3). */
function readDer(der: Uint8Array): { r: string; s: string } {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw badAssertion("signature");
  const [r, next] = readInteger(der, 2);
  const [s, end] = readInteger(der, next);
  if (end !== der.length) throw badAssertion("signature");
  // Both s and its negative are signatures; the contract takes only the lower one.
  return { r: toBeHex(r, 32), s: toBeHex(s > P256_ORDER / 2n ? P256_ORDER - s : s, 32) };
}

function readInteger(der: Uint8Array, at: number): [value: bigint, next: number] {
  const length = der[at + 1] ?? 0;
  const bytes = der.subarray(at + 2, at + 2 + length);
  const value = bytes.length === 0 ? 0n : toBigInt(bytes);
  if (der[at] !== 0x02 || bytes.length !== length || length > 33 || value === 0n || value >= P256_ORDER) {
    throw badAssertion("signature");
  }
  return [value, at + 2 + length];
}

function utf8(bytes: Uint8Array): string {
  try {
    return toUtf8String(bytes);
  } catch {
    throw badAssertion("clientDataJSON");
  }
}

/** Where in the UTF-8 bytes the text begins. */
function byteIndex(text: string, part: string): number {
  const at = text.indexOf(part);
  if (at < 0) throw badAssertion("clientDataJSON");
  return new TextEncoder().encode(text.slice(0, at)).length;
}

function badAssertion(field: string): ChartsealError {
  return new ChartsealError("ERR_KEY_INVALID", `the passkey's assertion has a bad ${field}`, {
    values: { field },
    hint: "give what navigator.credentials.get answered, as PublicKeyCredential.toJSON() writes it",
  });
}
