// SPDX-License-Identifier: Apache-2.0
// The CIDs of the unixfs-v1-2025 profile: version 1, SHA-256, a raw block or a dag-pb root, in base32.
import { base32 } from "multiformats/bases/base32";

/** Bytes of such a CID. */
export const CID_LENGTH = 36;

// multicodec table: cidv1, raw, dag-pb, sha2-256, and the digest's length
const VERSION = 0x01;
const RAW = 0x55;
const DAG_PB = 0x70;
const SHA2_256 = 0x12;
const DIGEST_LENGTH = 32;

/** A body of at most this many bytes is one raw block, so its CID holds its SHA-256 (unixfs-v1-2025). */
export const ONE_BLOCK_MAX_LENGTH = 1_048_576;

export interface ParsedCid {
  /** The 36 bytes of the CID. */
  bytes: Uint8Array;
  /** True for a single raw block, whose `digest` is the SHA-256 of the body itself. */
  oneBlock: boolean;
  /** 32 bytes. */
  digest: Uint8Array;
}

/** Reads a CID in its one canonical spelling; undefined for anything else. */
export function parseCid(text: string): ParsedCid | undefined {
  let bytes: Uint8Array;
  try {
    bytes = base32.decode(text);
  } catch {
    return undefined;
  }
  return base32.encode(bytes) === text ? readCid(bytes) : undefined;
}

/** The text of a binary CID; undefined when it is not of the profile. */
export function cidText(bytes: Uint8Array): string | undefined {
  return readCid(bytes) === undefined ? undefined : base32.encode(bytes);
}

function readCid(bytes: Uint8Array): ParsedCid | undefined {
  const [version, codec, hash, length] = bytes;
  const known = version === VERSION && hash === SHA2_256 && length === DIGEST_LENGTH;
  if (bytes.length !== CID_LENGTH || !known || (codec !== RAW && codec !== DAG_PB)) return undefined;
  return { bytes, oneBlock: codec === RAW, digest: bytes.subarray(CID_LENGTH - DIGEST_LENGTH) };
}
