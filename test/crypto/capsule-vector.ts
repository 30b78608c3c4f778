// SPDX-License-Identifier: Apache-2.0
import type { Capsule, Hex, IndexPage, Leaf } from "../../src/crypto/index.js";
import { fromHex } from "../../src/crypto/index.js";
import { vectors } from "./vectors.js";

interface CapsuleVector {
  secretKey: Hex;
  publicKey: Hex;
  chainId: string;
  accessLog: Hex;
  accessId: Hex;
  leaf: Leaf;
  recordId: Hex;
  contentKey: Hex;
  cid: string;
  capsule: Capsule;
  indexPageJson: string;
  indexPage: IndexPage;
}

/** A capsule and an index page that the reference implementation sealed, and all that they hold. */
export function capsuleVector() {
  const vector = vectors<CapsuleVector>("capsule.json");
  return {
    ...vector,
    secretKey: fromHex(vector.secretKey),
    publicKey: fromHex(vector.publicKey),
    recordId: fromHex(vector.recordId),
    contentKey: fromHex(vector.contentKey),
    access: { chainId: BigInt(vector.chainId), accessLog: vector.accessLog, accessId: vector.accessId },
  };
}

/** Bytes with the bit at `bit` flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}
