// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, unsupportedFormat } from "../errors.js";
import { asBuffer, toHex, writeHex } from "./bytes.js";
import type { Hex } from "./bytes.js";
import { CID_LENGTH, cidText, parseCid } from "./cid.js";

/** The batch-manifest format this version writes and reads. */
const BATCH_MANIFEST_FORMAT = 1;

/** What a batch holds, for anyone to fetch. It is stored as a blob whose SHA-256 is on chain. */
export interface BatchManifest {
  /** {@link BATCH_MANIFEST_FORMAT} */
  format: number;
  /** The custodian: uint32, from 1. */
  memberId: number;
  /** Log index of the first entry, from 1. */
  firstIndex: number;
  /** In log order: at least one. */
  entries: BatchEntry[];
}

export interface BatchEntry {
  /** 32 bytes. */
  leafHash: Hex;
  /** Where the sealed record is stored: CIDv1 in base32. */
  cid: string;
}

const UINT32_MAX = 0xffff_ffff;
const HASH_LENGTH = 32;
const HEADER_LENGTH = 2 + 4 + 8 + 4; // format, member, first index, count
const ENTRY_LENGTH = HASH_LENGTH + 1 + CID_LENGTH;

/**
 * Encodes a batch manifest: uint16 format, uint32 member, uint64 first index, uint32 count, then for each entry
 * its leaf hash, one byte with the CID's length, and the CID.
 *
 * @throws ChartsealError ERR_JSON_INVALID for a value out of range
 */
export function encodeBatchManifest(manifest: Omit<BatchManifest, "format">): Uint8Array {
  const { memberId, firstIndex, entries } = manifest;
  checkNumbers(memberId, firstIndex, entries.length);
  const bytes = new Uint8Array(HEADER_LENGTH + entries.length * ENTRY_LENGTH);
  const buffer = asBuffer(bytes);
  buffer.writeUInt16BE(BATCH_MANIFEST_FORMAT, 0);
  buffer.writeUInt32BE(memberId, 2);
  buffer.writeBigUInt64BE(BigInt(firstIndex), 6);
  buffer.writeUInt32BE(entries.length, 14);
  let offset = HEADER_LENGTH;
  for (const entry of entries) {
    const cid = parseCid(entry.cid);
    if (cid === undefined) throw invalid("a CID is not a CIDv1 of the unixfs-v1-2025 profile in base32");
    writeHex(entry.leafHash, buffer, offset, HASH_LENGTH);
    bytes[offset + HASH_LENGTH] = CID_LENGTH;
    bytes.set(cid.bytes, offset + HASH_LENGTH + 1);
    offset += ENTRY_LENGTH;
  }
  return bytes;
}

/**
 * Decodes a batch manifest. Whatever it returns encodes to the same bytes.
 *
 * @throws ChartsealError ERR_FORMAT_UNSUPPORTED for another format, ERR_JSON_INVALID for anything malformed
 */
export function decodeBatchManifest(bytes: Uint8Array): BatchManifest {
  const buffer = asBuffer(bytes);
  if (bytes.length < HEADER_LENGTH) throw invalid("it is cut short");
  const format = buffer.readUInt16BE(0);
  if (format !== BATCH_MANIFEST_FORMAT)
    throw unsupportedFormat("batch manifest", format, BATCH_MANIFEST_FORMAT);
  const memberId = buffer.readUInt32BE(2);
  const firstIndex = Number(buffer.readBigUInt64BE(6));
  const count = buffer.readUInt32BE(14);
  checkNumbers(memberId, firstIndex, count);
  if (bytes.length !== HEADER_LENGTH + count * ENTRY_LENGTH) {
    throw invalid(`${count} entries do not make ${bytes.length} bytes`);
  }
  const entries: BatchEntry[] = [];
  for (let offset = HEADER_LENGTH; offset < bytes.length; offset += ENTRY_LENGTH) {
    const cidAt = offset + HASH_LENGTH + 1;
    const cid =
      bytes[cidAt - 1] === CID_LENGTH ? cidText(bytes.subarray(cidAt, cidAt + CID_LENGTH)) : undefined;
    if (cid === undefined) throw invalid(`the CID of entry ${entries.length} is not valid`);
    entries.push({ leafHash: toHex(bytes.subarray(offset, offset + HASH_LENGTH)), cid });
  }
  return { format, memberId, firstIndex, entries };
}

function checkNumbers(memberId: number, firstIndex: number, count: number): void {
  if (!within(memberId, UINT32_MAX)) throw invalid("its member id is no uint32 from 1");
  if (!within(firstIndex, Number.MAX_SAFE_INTEGER)) throw invalid("its first index is out of range");
  if (!within(count, UINT32_MAX)) throw invalid("it has no entry");
}

function within(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= max;
}

function invalid(reason: string): ChartsealError {
  return new ChartsealError("ERR_JSON_INVALID", `batch manifest is not valid: ${reason}`);
}
