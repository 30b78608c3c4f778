// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { keccak256 } from "ethers";

/** Fewer bytes would be found by chance. */
const LEAST_BYTES = 5;

/** Looks for many byte strings at once, in time that does not grow with their number. */
export class Needles {
  readonly #byStart = new Map<number, { name: string; bytes: Buffer }[]>();
  count = 0;

  /** A secret as text or bytes. */
  add(name: string, bytes: Uint8Array | string): void {
    const needle = Buffer.from(bytes as string);
    if (needle.length < LEAST_BYTES) return;
    const start = needle.readUInt32BE(0);
    const others = this.#byStart.get(start);
    if (others === undefined) this.#byStart.set(start, [{ name, bytes: needle }]);
    else others.push({ name, bytes: needle });
    this.count++;
  }

  /** Bytes as they are, in hex of both cases and in base64 of both alphabets. */
  addEncodings(name: string, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes);
    const hex = buffer.toString("hex");
    this.add(name, buffer);
    this.add(`${name} in hex`, hex);
    this.add(`${name} in HEX`, hex.toUpperCase());
    // Without its end, which depends on what follows.
    const whole = 4 * Math.floor(buffer.length / 3);
    this.add(`${name} in base64`, buffer.toString("base64").slice(0, whole));
    this.add(`${name} in base64url`, buffer.toString("base64url").slice(0, whole));
  }

  /** Digests that somebody who guesses the value could compare with. */
  addDigests(name: string, value: Uint8Array | string): void {
    const bytes = Buffer.from(value as string);
    for (const algorithm of ["sha256", "sha1", "md5", "sha512"]) {
      this.addEncodings(`${algorithm} of ${name}`, hash(algorithm, bytes, "buffer"));
    }
    this.addEncodings(`keccak-256 of ${name}`, Buffer.from(keccak256(bytes).slice(2), "hex"));
  }

  /** The names of all that occur. */
  findIn(haystack: Uint8Array): string[] {
    const found = new Set<string>();
    let start = 0;
    for (let at = 0; at < haystack.length; at++) {
      start = ((start << 8) | haystack[at]!) >>> 0;
      const candidates = at < 3 ? undefined : this.#byStart.get(start);
      for (const { name, bytes } of candidates ?? []) {
        const part = haystack.subarray(at - 3, at - 3 + bytes.length);
        if (part.length === bytes.length && bytes.equals(part)) found.add(name);
      }
    }
    return [...found];
  }
}
