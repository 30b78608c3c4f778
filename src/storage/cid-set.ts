// SPDX-License-Identifier: Apache-2.0
import { parseCid } from "./cid.js";

/** Room of a new set; it doubles when full. */
const FIRST_CAPACITY = 1_024;

/**
 * Remembers many CIDs in 8 bytes each, by the first 64 bits of their digests: a million take 8 MB. Two CIDs may be
 * taken for one, by a chance of one in 2^64 for each pair: use it only where "is in it" is the safe answer.
 */
export class CidSet {
  #prefixes = new BigUint64Array(FIRST_CAPACITY);
  #count = 0;
  #sorted = true;

  get size(): number {
    return this.#count;
  }

  /** @throws ERR_USAGE for what is no CID */
  add(cid: string): void {
    this.addBytes(parseCid(cid).sha256);
  }

  has(cid: string): boolean {
    return this.hasBytes(parseCid(cid).sha256);
  }

  /** @param digest random or a hash: at least 8 bytes */
  addBytes(digest: Uint8Array): void {
    if (this.#count === this.#prefixes.length) {
      const larger = new BigUint64Array(this.#count * 2);
      larger.set(this.#prefixes);
      this.#prefixes = larger;
    }
    this.#prefixes[this.#count++] = prefixOf(digest);
    this.#sorted = false;
  }

  hasBytes(digest: Uint8Array): boolean {
    this.#sort();
    const wanted = prefixOf(digest);
    let low = 0;
    for (let high = this.#count; low < high;) {
      const middle = (low + high) >>> 1;
      if (this.#prefixes[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#prefixes[low] === wanted;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#prefixes.subarray(0, this.#count).sort();
    this.#sorted = true;
  }
}

function prefixOf(digest: Uint8Array): bigint {
  return new DataView(digest.buffer, digest.byteOffset, digest.length).getBigUint64(0);
}
