// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { equalBytes, sha256Of } from "./bytes.js";

/** Bytes of a SHA-256 hash. */
const HASH_LENGTH = 32;
const NODE_PREFIX = 0x01; // RFC 9162, 2.1.1

/**
 * The Merkle tree of one batch (RFC 9162, 2.1.1, with SHA-256). Every level is kept, so a proof costs no
 * hashing; a million leaves take about 64 MB.
 */
export class MerkleTree {
  /** Number of leaves. */
  readonly size: number;
  // Level 0 holds the leaf hashes end to end, the last level the root. A level's odd last node moves up as it
  // is, which gives the same tree as the standard's split at the largest power of two.
  readonly #levels: readonly Buffer[];

  private constructor(levels: readonly Buffer[], size: number) {
    this.#levels = levels;
    this.size = size;
  }

  /**
   * Builds the tree over leaf hashes (32 bytes each, see `leafHash`) in log order.
   *
   * @throws ChartsealError ERR_USAGE when there is none, or one is not 32 bytes
   */
  static of(leafHashes: readonly Uint8Array[]): MerkleTree {
    if (leafHashes.length === 0) throw new ChartsealError("ERR_USAGE", "a batch has at least one leaf");
    const leaves = Buffer.allocUnsafeSlow(leafHashes.length * HASH_LENGTH);
    for (const [position, leaf] of leafHashes.entries()) {
      if (leaf.length !== HASH_LENGTH) {
        throw new ChartsealError("ERR_USAGE", `leaf hash ${position} has ${leaf.length} bytes, not 32`);
      }
      leaves.set(leaf, position * HASH_LENGTH);
    }
    const levels: Buffer[] = [leaves];
    for (let level: Buffer = leaves; level.length > HASH_LENGTH; levels.push(level)) level = parents(level);
    return new MerkleTree(levels, leafHashes.length);
  }

  /** The root: 32 bytes. */
  get root(): Uint8Array {
    return new Uint8Array(this.#levels.at(-1)!);
  }

  /**
   * The inclusion proof of the leaf at `position` (RFC 9162, 2.1.3.1): sibling hashes from the leaf upward.
   *
   * @param position - from 0 to size - 1: the leaf's log index less the batch's first
   * @throws ChartsealError ERR_USAGE when there is no such leaf
   */
  proof(position: number): Uint8Array[] {
    if (!Number.isSafeInteger(position) || position < 0 || position >= this.size) {
      throw new ChartsealError("ERR_USAGE", `no leaf at position ${position} of a tree of ${this.size}`);
    }
    const proof: Uint8Array[] = [];
    let node = position;
    for (const level of this.#levels.slice(0, -1)) {
      const sibling = (node ^ 1) * HASH_LENGTH;
      if (sibling < level.length) proof.push(new Uint8Array(level.subarray(sibling, sibling + HASH_LENGTH)));
      node >>>= 1;
    }
    return proof;
  }
}

/**
 * The root that a leaf hash and its inclusion proof lead to (RFC 9162, 2.1.3.2).
 *
 * @returns undefined when the proof does not have the shape that this position and size require
 */
export function rootFromProof(
  leafHash: Uint8Array,
  position: number,
  size: number,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!Number.isSafeInteger(position) || !Number.isSafeInteger(size)) return undefined;
  if (position < 0 || position >= size) return undefined;
  if (leafHash.length !== HASH_LENGTH || proof.some((node) => node.length !== HASH_LENGTH)) return undefined;
  // Halved by division, not by shifting: a shift would cut a number to 32 bits. Names as in the standard.
  let fn = position;
  let sn = size - 1;
  let root = leafHash;
  for (const node of proof) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      root = hashNode(node, root);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      root = hashNode(root, node);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? root : undefined;
}

/**
 * Checks that a leaf is at `position` of the tree of `size` leaves with this root. Never throws: malformed
 * input is simply not included.
 */
export function verifyInclusion(
  leafHash: Uint8Array,
  position: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const computed = rootFromProof(leafHash, position, size, proof);
  return computed !== undefined && equalBytes(computed, root);
}

function parents(level: Buffer): Buffer {
  const count = level.length / HASH_LENGTH;
  const above = Buffer.allocUnsafeSlow(Math.ceil(count / 2) * HASH_LENGTH);
  const input = Buffer.alloc(1 + 2 * HASH_LENGTH, NODE_PREFIX);
  let out = 0;
  for (let pair = 0; pair + 2 * HASH_LENGTH <= level.length; pair += 2 * HASH_LENGTH) {
    level.copy(input, 1, pair, pair + 2 * HASH_LENGTH);
    above.set(sha256Of(input), out);
    out += HASH_LENGTH;
  }
  if (count % 2 === 1) level.copy(above, out, level.length - HASH_LENGTH);
  return above;
}

function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * HASH_LENGTH);
  input[0] = NODE_PREFIX;
  input.set(left, 1);
  input.set(right, 1 + HASH_LENGTH);
  return sha256Of(input);
}
