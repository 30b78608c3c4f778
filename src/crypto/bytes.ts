// SPDX-License-Identifier: Apache-2.0
import { hash, randomFillSync, timingSafeEqual } from "node:crypto";

import { ChartsealError } from "../errors.js";

/** Bytes as text: `0x`, then two lower-case hex digits a byte. */
export type Hex = `0x${string}`;

const LOWER_HEX = /^0x(?:[0-9a-f]{2})*$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Writes bytes as lower-case `0x` hex. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${asBuffer(bytes).toString("hex")}`;
}

/** True for lower-case `0x` hex of whole bytes, and of exactly `length` bytes when that is given. */
export function isHex(value: unknown, length?: number): value is Hex {
  return (
    typeof value === "string" &&
    (length === undefined || value.length === 2 + 2 * length) &&
    LOWER_HEX.test(value)
  );
}

/**
 * Reads lower-case `0x` hex. Upper case is refused, so that one value has one spelling and texts compare as
 * strings.
 *
 * @param length - the number of bytes there must be; any number when left out
 * @throws ChartsealError ERR_JSON_INVALID when the text is not such hex
 */
export function fromHex(hex: string, length?: number): Uint8Array {
  checkHex(hex, length);
  return new Uint8Array(Buffer.from(hex.slice(2), "hex"));
}

/** As {@link fromHex}, of `length` bytes, into `target`. */
export function writeHex(hex: string, target: Buffer, offset: number, length: number): void {
  checkHex(hex, length);
  target.write(hex.slice(2), offset, "hex");
}

function checkHex(hex: string, length?: number): asserts hex is Hex {
  if (isHex(hex, length)) return;
  const wanted = length === undefined ? "lower-case 0x hex" : `lower-case 0x hex of ${length} bytes`;
  throw new ChartsealError("ERR_JSON_INVALID", `expected ${wanted}, got a text of ${hex.length} characters`);
}

/** Joins byte strings into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Compares in a time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** SHA-256, 32 bytes. As a text of one character a byte, for Node hands that out five times as fast as memory. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash("sha256", bytes, "binary"), "latin1");
}

/** Writes an unsigned integer big-endian into `width` bytes. The caller has checked that it fits. */
export function uintBytes(value: number | bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let rest = BigInt(value);
  for (let i = width - 1; i >= 0 && rest > 0n; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Writes bytes as base64url without padding (RFC 4648, 5). */
export function toBase64url(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("base64url");
}

/**
 * Reads base64url without padding (RFC 4648, 5). Only the one canonical spelling is accepted, so nobody can
 * make a second text of the same bytes.
 *
 * @throws ChartsealError ERR_JSON_INVALID when the text is not canonical base64url
 */
export function fromBase64url(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64url");
  if (!BASE64URL.test(text) || bytes.toString("base64url") !== text) {
    throw new ChartsealError(
      "ERR_JSON_INVALID",
      `expected base64url without padding, got a text of ${text.length} characters`,
    );
  }
  return new Uint8Array(bytes);
}

/** A Buffer over the same memory, for its readers and writers. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Random bytes that are drawn at a time. */
const DRAWN = 4_096;
const drawn = Buffer.alloc(DRAWN);
let used = DRAWN;

/**
 * Fills `bytes` (at most 4,096) with random ones, for nonces and salts. An ingest needs some of each for every record,
 * and to draw them from Node one by one takes as long as to encrypt with them. No byte is given out twice. Keys are
 * drawn by themselves: theirs shall lie nowhere before they are needed.
 */
export function fillRandom(bytes: Uint8Array): void {
  if (bytes.length > DRAWN) throw new RangeError(`${bytes.length} bytes are more than are drawn at a time`);
  if (used + bytes.length > DRAWN) {
    randomFillSync(drawn);
    used = 0;
  }
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = drawn[used]!;
    drawn[used++] = 0;
  }
}
