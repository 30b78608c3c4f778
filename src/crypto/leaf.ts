// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, unsupportedFormat } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import { asBuffer, sha256Of, toHex, uintBytes, writeHex } from "./bytes.js";
import type { Hex } from "./bytes.js";
import { StrictObject } from "./strict-json.js";

/** The leaf format this version writes and reads. */
export const LEAF_FORMAT = 1;

/** Bytes of an encoded leaf: 11 words of 32, equal to Solidity's `abi.encode(leaf)`. */
export const LEAF_LENGTH = 352;

/** What an entry of a record log is. */
export const LeafKind = {
  RECORD: 0,
  CONSENT_DOCUMENT: 1,
  LEGAL_ORDER: 2,
  ACCESS_RECEIPT: 3,
  ERASURE_CERTIFICATE: 4,
  DURABILITY_REPORT: 5,
} as const;

export type LeafKind = (typeof LeafKind)[keyof typeof LeafKind];

/** Kinds of leaves that are evidence of an act, not records. */
export type SupportingKind = Exclude<LeafKind, typeof LeafKind.RECORD>;

/** One entry of a member's record log, as it is hashed into the Merkle tree of its batch. */
export interface Leaf {
  /** {@link LEAF_FORMAT} */
  format: number;
  /** The custodian: uint32, from 1. */
  memberId: number;
  /** Position in the custodian's log: uint64 from 1, at most 2^53 - 1 here. */
  index: number;
  /** One of {@link LeafKind}. */
  kind: number;
  /** 0 to 63; what the number means is a secret of custodian and patient. */
  compartment: number;
  /** Days since 1970-01-01 UTC: uint32. */
  recordedDay: number;
  /** The patient's pseudonym at this custodian: 32 bytes. */
  patientId: Hex;
  /** Counts the patient's entries from 1: uint32. */
  patientSeq: number;
  /** 32 bytes, by kind: superseded index, terms hash, erased index, access id; else zero. */
  ref: Hex;
  /** SHA-256 of the sealed record: 32 bytes. */
  contentDigest: Hex;
  /** 32 random bytes, so that nobody can guess a leaf. */
  salt: Hex;
}

type UintField = "format" | "memberId" | "index" | "kind" | "compartment" | "recordedDay" | "patientSeq";
type WordField = "patientId" | "ref" | "contentDigest" | "salt";

const UINT32_MAX = 0xffff_ffff;
const MS_PER_DAY = 86_400_000;
const LEAF_PREFIX = Uint8Array.of(0x00); // RFC 9162, 2.1.1

// Every integer field: its word, least and greatest value.
const UINTS: readonly (readonly [UintField, number, number, number])[] = [
  ["format", 0, LEAF_FORMAT, LEAF_FORMAT],
  ["memberId", 1, 1, UINT32_MAX],
  ["index", 2, 1, Number.MAX_SAFE_INTEGER],
  ["kind", 3, 0, LeafKind.DURABILITY_REPORT],
  ["compartment", 4, 0, 63],
  ["recordedDay", 5, 0, UINT32_MAX],
  ["patientSeq", 7, 1, UINT32_MAX],
];
const WORDS: readonly (readonly [WordField, number])[] = [
  ["patientId", 6],
  ["ref", 8],
  ["contentDigest", 9],
  ["salt", 10],
];

/**
 * Encodes a leaf into 352 bytes, equal to Solidity's `abi.encode(leaf)`.
 *
 * @throws ChartsealError ERR_FORMAT_UNSUPPORTED for another format, ERR_JSON_INVALID for a value out of range
 */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  const bytes = new Uint8Array(LEAF_LENGTH);
  const buffer = asBuffer(bytes);
  checkUints(leaf);
  for (const [name, word] of UINTS) {
    const end = (word + 1) * 32;
    buffer.writeUInt32BE(leaf[name] >>> 0, end - 4);
    buffer.writeUInt32BE(Math.floor(leaf[name] / 2 ** 32), end - 8);
  }
  for (const [name, word] of WORDS) writeHex(leaf[name], buffer, word * 32, 32);
  return bytes;
}

/**
 * Decodes 352 bytes, refusing every other length, dirty padding and values out of range: whatever it returns
 * encodes to the same bytes.
 *
 * @throws ChartsealError ERR_FORMAT_UNSUPPORTED for another format, ERR_JSON_INVALID for anything else
 */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length !== LEAF_LENGTH) {
    throw invalid(`expected ${LEAF_LENGTH} bytes, got ${bytes.length}`);
  }
  const buffer = asBuffer(bytes);
  const fields: Record<string, number | Hex> = {};
  for (const [name, word] of UINTS) {
    const start = word * 32;
    const value = buffer.readBigUInt64BE(start + 24);
    const clean = buffer.subarray(start, start + 24).every((byte) => byte === 0);
    if (!clean || value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`${name} is out of range`);
    fields[name] = Number(value);
  }
  for (const [name, word] of WORDS) fields[name] = toHex(bytes.subarray(word * 32, (word + 1) * 32));
  const leaf = fields as unknown as Leaf;
  checkUints(leaf);
  return leaf;
}

/** The leaf's hash in the Merkle tree: SHA-256(0x00 || encoded leaf), RFC 9162, 2.1.1. 32 bytes. */
export function leafHash(leaf: Leaf): Uint8Array {
  return hashLeafBytes(encodeLeaf(leaf));
}

/** {@link leafHash} of a leaf that is encoded already. */
export function hashLeafBytes(encoded: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + encoded.length);
  input.set(LEAF_PREFIX);
  input.set(encoded, 1);
  return sha256Of(input);
}

/** The leaf as a plain JSON object of all eleven fields, in their encoded order. */
export function leafToJson(leaf: Leaf): Leaf {
  return {
    format: leaf.format,
    memberId: leaf.memberId,
    index: leaf.index,
    kind: leaf.kind,
    compartment: leaf.compartment,
    recordedDay: leaf.recordedDay,
    patientId: leaf.patientId,
    patientSeq: leaf.patientSeq,
    ref: leaf.ref,
    contentDigest: leaf.contentDigest,
    salt: leaf.salt,
  };
}

/**
 * Reads a leaf from parsed JSON: exactly the eleven fields, each in its range.
 *
 * @param code - the code to throw for a malformed leaf, for a caller that reads a larger message
 * @throws ChartsealError ERR_FORMAT_UNSUPPORTED for another format, else `code` (ERR_JSON_INVALID)
 */
export function leafFromJson(value: unknown, code: ErrorCode = "ERR_JSON_INVALID"): Leaf {
  const object = value instanceof StrictObject ? value : new StrictObject(value, "leaf", code);
  object.format(LEAF_FORMAT);
  const fields: Record<string, number | Hex> = {};
  for (const [name, , min, max] of UINTS) fields[name] = object.uint(name, max, min);
  for (const [name] of WORDS) fields[name] = object.hex(name, 32);
  object.end();
  return leafToJson(fields as unknown as Leaf);
}

/**
 * The day a moment falls on: whole days since 1970-01-01 UTC.
 *
 * @throws ChartsealError ERR_USAGE for an invalid date or one before 1970
 */
export function dayOf(date: Date): number {
  const day = Math.floor(date.getTime() / MS_PER_DAY);
  if (!(day >= 0 && day <= UINT32_MAX)) {
    throw new ChartsealError("ERR_USAGE", "the date is not valid or lies before 1970-01-01");
  }
  return day;
}

/**
 * A log index as `leaf.ref`, for an entry that supersedes or erases another: uint256, big-endian.
 *
 * @throws ChartsealError ERR_USAGE unless the index is a whole number from 1
 */
export function indexRef(index: number): Hex {
  if (!Number.isSafeInteger(index) || index < 1) {
    throw new ChartsealError("ERR_USAGE", `a log index is a whole number from 1, got ${index}`);
  }
  return toHex(uintBytes(index, 32));
}

function checkUints(leaf: Leaf): void {
  if (Number.isSafeInteger(leaf.format) && leaf.format !== LEAF_FORMAT) {
    throw unsupportedFormat("leaf", leaf.format, LEAF_FORMAT);
  }
  for (const [name, , min, max] of UINTS) {
    const value = leaf[name];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw invalid(`${name} must be a whole number from ${min} to ${max}`);
    }
  }
}

function invalid(reason: string): ChartsealError {
  return new ChartsealError("ERR_JSON_INVALID", `leaf is not valid: ${reason}`);
}
