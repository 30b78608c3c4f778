// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { ChartsealError } from "../errors.js";
import type { BlobRow } from "./blob-index.js";
import type { ByteRange, Verification } from "./blob-store.js";
import type { ParsedCid } from "./cid.js";
import { blockTampered, bodyTampered, storeError } from "./store-errors.js";
import { blockCount, DIGEST_BYTES, rootOfBlocks, UNIXFS_V1_2025 } from "./unixfs-dag.js";

const BLOCK = UNIXFS_V1_2025.chunkSize;

/** The body of a row, or a range of it, once it was compared with the CID. */
export function verifiedBytes(
  { cid, isRaw, sha256 }: ParsedCid,
  body: Uint8Array,
  range?: ByteRange,
): Uint8Array {
  if (!isRaw || !isDigest(sha256, body)) throw blockTampered(cid, 0, body.length);
  const { offset, length } = boundsOf(cid, body.length, range);
  return body.subarray(offset, offset + length);
}

/** A body of known digests that lies somewhere in blocks. */
export interface BodyBlocks {
  cid: string;
  /** Bytes of the body. */
  size: number;
  /** SHA-256 of each block, 32 bytes each. */
  digests: Uint8Array;
  /** @param index from 0 */
  read: (index: number) => Promise<Uint8Array>;
}

/** A body in a file, block by block, each compared with its digest, the digests with the CID. */
export async function* verifiedFile(
  parsed: ParsedCid,
  row: BlobRow,
  file: FileHandle,
  range?: ByteRange,
): AsyncGenerator<Uint8Array> {
  const { cid } = parsed;
  const found = (await file.stat()).size;
  const { size, digests } = parsed.isRaw ? rawBlock(parsed, found) : listedBlocks(parsed, row);
  // The block where the body was cut, or the last one, which more bytes follow.
  if (found !== size)
    throw blockTampered(cid, Math.min(Math.floor(found / BLOCK), blockCount(size) - 1), size);
  const read = (index: number) => readBlock(cid, file, index, size);
  yield* verifiedBlocks({ cid, size, digests, read }, range);
}

/** A body, or a range of it, block by block, each compared with its digest. The digests must be those of the CID. */
export async function* verifiedBlocks(
  { cid, size, digests, read }: BodyBlocks,
  range?: ByteRange,
): AsyncGenerator<Uint8Array> {
  const { offset, length } = boundsOf(cid, size, range);
  // An empty range reads nothing; an empty body has one block to compare.
  if (length === 0 && size > 0) return;
  const first = Math.floor(offset / BLOCK);
  const last = Math.floor((offset + Math.max(length, 1) - 1) / BLOCK);
  let coming = read(first);
  for (let i = first; i <= last; i++) {
    const block = await coming;
    // The next one is read while this one is hashed and used.
    if (i < last) {
      coming = read(i + 1);
      coming.catch(() => {}); // reported when awaited; a reader that stops early does not care
    }
    const digest = digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
    if (!isDigest(digest, block)) throw blockTampered(cid, i, size);
    const start = i * BLOCK;
    const wanted = block.subarray(Math.max(0, offset - start), offset + length - start);
    if (wanted.length > 0) yield wanted;
  }
}

/** Reads a whole body that is compared with its CID on the way: what is wrong with it is the answer. */
export async function verificationOf(body: AsyncIterable<Uint8Array>): Promise<Verification> {
  let size = 0;
  try {
    for await (const bytes of body) size += bytes.length;
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    if (error.code === "ERR_BODY_MISSING") return { ok: false, reason: "missing", detail: error.message };
    if (error.code === "ERR_BODY_TAMPERED") return { ok: false, reason: "tampered", detail: error.message };
    throw error;
  }
  return { ok: true, size };
}

/** A raw CID holds the digest of its only block; only what the file says about its size can be wrong. */
function rawBlock({ cid, sha256 }: ParsedCid, found: number): { size: number; digests: Uint8Array } {
  if (found > BLOCK) throw blockTampered(cid, 0, BLOCK);
  return { size: found, digests: sha256 };
}

function listedBlocks({ cid }: ParsedCid, row: BlobRow): { size: number; digests: Uint8Array } {
  const { size, blocks } = row;
  const isComplete = blocks?.length === blockCount(size) * DIGEST_BYTES;
  if (!isComplete || blockCount(size) < 2 || rootOfBlocks(blocks, size).toString() !== cid) {
    throw bodyTampered(cid, "the list of block digests does not give the root");
  }
  return { size, digests: blocks };
}

async function readBlock(cid: string, file: FileHandle, index: number, size: number): Promise<Uint8Array> {
  const start = index * BLOCK;
  const block = Buffer.allocUnsafeSlow(Math.min(BLOCK, size - start));
  try {
    for (let filled = 0; filled < block.length;) {
      const { bytesRead } = await file.read(block, filled, block.length - filled, start + filled);
      if (bytesRead === 0) throw blockTampered(cid, index, size);
      filled += bytesRead;
    }
  } catch (error) {
    throw storeError(error, cid);
  }
  return block;
}

function isDigest(expected: Uint8Array, bytes: Uint8Array): boolean {
  return hash("sha256", bytes, "buffer").equals(expected);
}

/** @throws ERR_USAGE when the range is not within the body: a short answer would be a wrong one */
function boundsOf(cid: string, size: number, range?: ByteRange): Required<ByteRange> {
  const { offset, length = size - offset } = range ?? { offset: 0 };
  const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (isRange && offset + length <= size) return { offset, length };
  throw new ChartsealError(
    "ERR_USAGE",
    `range ${offset}+${length} is not within the ${size} bytes of ${cid}`,
    {
      values: { cid, size, offset: String(offset), length: String(length) },
    },
  );
}
