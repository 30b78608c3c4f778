// SPDX-License-Identifier: Apache-2.0
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from "hpke";
import { keccak256 } from "ethers";

import { ChartsealError } from "../errors.js";
import type { Hex } from "./bytes.js";

/** Bytes of a member's encryption key: ML-KEM-768 (1,184), then X25519 (32). */
export const MEMBER_PUBLIC_KEY_LENGTH = 1216;
/** Bytes of its secret: the X-Wing seed. */
const MEMBER_SECRET_KEY_LENGTH = 32;

/**
 * HPKE (RFC 9180) with X-Wing (0x647a, draft-connolly-cfrg-xwing-kem), HKDF-SHA256 and AES-256-GCM.
 * Post-quantum, because a chart outlives ciphers.
 */
export const SUITE = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);

/** The key pair that capsules for a member are sealed to. */
export interface MemberKey {
  /** 1,216 bytes: published in the MemberRegistry's event. */
  publicKey: Uint8Array;
  /** 32 bytes: belongs in the vault. */
  secretKey: Uint8Array;
}

/** Makes a new member key from the system's random generator. */
export async function generateMemberKey(): Promise<MemberKey> {
  const pair = await SUITE.GenerateKeyPair(true);
  const [publicKey, secretKey] = await Promise.all([
    SUITE.SerializePublicKey(pair.publicKey),
    SUITE.SerializePrivateKey(pair.privateKey),
  ]);
  return { publicKey, secretKey };
}

/**
 * The digest of a member's public key as the MemberRegistry keeps it: its Keccak-256.
 *
 * @throws ChartsealError ERR_KEY_INVALID unless the key has 1,216 bytes
 */
export function keyDigest(publicKey: Uint8Array): Hex {
  checkPublicKey(publicKey);
  return keccak256(publicKey) as Hex;
}

/** @throws ChartsealError ERR_KEY_INVALID unless the key has 1,216 bytes */
export function checkPublicKey(publicKey: Uint8Array): void {
  if (publicKey.length === MEMBER_PUBLIC_KEY_LENGTH) return;
  throw new ChartsealError(
    "ERR_KEY_INVALID",
    `a member's public key has ${MEMBER_PUBLIC_KEY_LENGTH} bytes, got ${publicKey.length}`,
  );
}

/** @throws ChartsealError ERR_KEY_INVALID unless the key has 32 bytes */
export function checkSecretKey(secretKey: Uint8Array): void {
  if (secretKey.length === MEMBER_SECRET_KEY_LENGTH) return;
  throw new ChartsealError(
    "ERR_KEY_INVALID",
    `a member's secret key has ${MEMBER_SECRET_KEY_LENGTH} bytes, got ${secretKey.length}`,
  );
}
