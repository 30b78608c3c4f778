// SPDX-License-Identifier: Apache-2.0
import { code as dagPbCode } from "@ipld/dag-pb";
import { CID } from "multiformats/cid";
import { code as rawCode } from "multiformats/codecs/raw";
import { createHash, type Hash } from "node:crypto";
import { sha256Of } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Stored } from "./blob-store.js";
import { cidOf, DIGEST_BYTES, rootOfBlocks, SHA2_256, UNIXFS_V1_2025, type DagLayout } from "./unixfs-dag.js";

/** Digests the builder has room for at first; it doubles when full. */
const FIRST_CAPACITY = 16;

/** Length of a binary CID of the profile, bytes. */
export const CID_BYTES = 36;

/** Longest part of a wrong CID that a message repeats. */
const SHOWN_CHARACTERS = 80;

/** A CID with what is needed to check any part of its body. */
export interface BuiltCid extends Stored {
  /** SHA-256 of each leaf block, 32 bytes each, in order. Together with `size` they determine the CID. */
  blocks: Uint8Array;
}

/** A CID of the profile, taken apart. */
export interface ParsedCid {
  cid: string;
  /** True: one raw block, the digest is the SHA-256 of the body. False: the root of a tree of blocks. */
  isRaw: boolean;
  sha256: Uint8Array;
}

/**
 * Computes the CID and the SHA-256 of a body while it streams by, holding 32 bytes for each MiB. The result equals
 * Kubo's under profile unixfs-v1-2025. A body of one block is hashed once, a longer one twice.
 *
 * @example
 * const builder = new CidBuilder();
 * for await (const bytes of body) builder.update(bytes);
 * const { cid, sha256, size } = builder.finish();
 */
export class CidBuilder {
  readonly #layout: DagLayout;
  readonly #whole = createHash("sha256");
  /** Hash of the block being filled; undefined in the first, where it is the hash of the whole so far. */
  #block: Hash | undefined;
  #bytesInBlock = 0;
  #size = 0;
  #digests = Buffer.alloc(FIRST_CAPACITY * DIGEST_BYTES);
  #count = 0;

  /** @param layout another layout than the profile's gives CIDs that no store of ours accepts */
  constructor(layout: DagLayout = UNIXFS_V1_2025) {
    this.#layout = layout;
  }

  update(bytes: Uint8Array): this {
    let rest = bytes;
    while (rest.length > 0) {
      // A full block is closed when the next byte comes: a body of exactly one block stays one.
      if (this.#bytesInBlock === this.#layout.chunkSize) this.#closeBlock();
      const part = rest.subarray(0, this.#layout.chunkSize - this.#bytesInBlock);
      this.#whole.update(part);
      this.#block?.update(part);
      this.#bytesInBlock += part.length;
      this.#size += part.length;
      rest = rest.subarray(part.length);
    }
    return this;
  }

  /** Ends the body. The builder cannot be used afterwards. */
  finish(): BuiltCid {
    if (this.#block === undefined) {
      const sha256 = new Uint8Array(this.#whole.digest());
      return { cid: cidOf(rawCode, sha256).toString(), sha256, size: this.#size, blocks: sha256 };
    }
    this.#closeBlock();
    const blocks = new Uint8Array(this.#digests.subarray(0, this.#count * DIGEST_BYTES));
    const cid = rootOfBlocks(blocks, this.#size, this.#layout).toString();
    return { cid, sha256: new Uint8Array(this.#whole.digest()), size: this.#size, blocks };
  }

  #closeBlock(): void {
    const digest = (this.#block ?? this.#whole.copy()).digest();
    const at = this.#count * DIGEST_BYTES;
    if (at === this.#digests.length) {
      this.#digests = Buffer.concat([this.#digests], this.#digests.length * 2);
    }
    this.#digests.set(digest, at);
    this.#count += 1;
    this.#block = createHash("sha256");
    this.#bytesInBlock = 0;
  }
}

/** CID, digest and size of a body in memory. */
export function cidOfBytes(body: Uint8Array): BuiltCid {
  if (body.length <= UNIXFS_V1_2025.chunkSize) {
    const digest = sha256Of(body);
    return { cid: cidOfDigest(digest), sha256: digest, size: body.length, blocks: digest };
  }
  return new CidBuilder().update(body).finish();
}

/**
 * Takes a CID apart. Only the canonical spelling passes (CIDv1, lower-case base32, sha2-256, raw or dag-pb), so that
 * a CID may name a file or a row.
 * @throws ERR_USAGE for anything else
 */
export function parseCid(text: string): ParsedCid {
  let cid: CID | undefined;
  try {
    cid = CID.parse(text);
  } catch {
    cid = undefined;
  }
  const { version, code, multihash } = cid ?? {};
  const isOurs =
    version === 1 &&
    (code === rawCode || code === dagPbCode) &&
    multihash?.code === SHA2_256 &&
    multihash.digest.length === DIGEST_BYTES &&
    cid?.toString() === text;
  if (!isOurs) {
    const shown = text.slice(0, SHOWN_CHARACTERS);
    throw new ChartsealError("ERR_USAGE", `"${shown}" is not a CID of profile unixfs-v1-2025`, {
      values: { cid: shown },
      hint: "give a CIDv1 in lower-case base32, such as bafkrei...",
    });
  }
  return { cid: text, isRaw: code === rawCode, sha256: multihash.digest };
}

/** The CID of a body of at most 1 MiB, from its SHA-256 alone (32 bytes). */
export function cidOfDigest(sha256: Uint8Array): string {
  return cidOf(rawCode, sha256).toString();
}

/**
 * The binary form of a CID: 36 bytes.
 * @throws ERR_USAGE as {@link parseCid}
 */
export function cidToBytes(cid: string): Uint8Array {
  const { isRaw, sha256 } = parseCid(cid);
  return cidOf(isRaw ? rawCode : dagPbCode, sha256).bytes;
}

/**
 * The text of a binary CID.
 * @throws ERR_USAGE unless it is one of the profile, with nothing behind it
 */
export function cidFromBytes(bytes: Uint8Array): string {
  let text: string;
  try {
    text = CID.decode(bytes).toString();
  } catch {
    text = "";
  }
  return parseCid(text).cid;
}
