// SPDX-License-Identifier: Apache-2.0

/** Part of a body, in bytes. */
export interface ByteRange {
  /** First byte, from 0. */
  offset: number;
  /** Count of bytes; offset + length may not pass the end of the body. Left out: all up to the end. */
  length?: number;
}

export interface Stored {
  /** CIDv1 in base32, profile unixfs-v1-2025. */
  cid: string;
  /** SHA-256 of the whole body, 32 bytes: the content digest that goes on chain. */
  sha256: Uint8Array;
  /** Bytes. */
  size: number;
}

/** What a store found when it read a body again. A mismatch is a value, not an error. */
export type Verification =
  { ok: true; size: number } | { ok: false; reason: "missing" | "tampered"; detail: string };

export interface PutOptions {
  /**
   * Stops the upload; what was written is removed, at an IPFS node by its next garbage collection, and the signal's
   * reason is thrown.
   */
  signal?: AbortSignal;
}

/**
 * Holds sealed bodies under their CID. Bodies are ciphertext: a store is trusted with no secret, and a reader
 * checks every byte it hands out.
 *
 * Every method throws ERR_USAGE for a string that is not a CID of the profile, ERR_STORE_FAILED when the medium
 * fails, ERR_STORE_FULL (retryable) when it is full, ERR_TIMEOUT (retryable) when others keep it locked.
 */
export interface BlobStore extends AsyncDisposable {
  /** True when `put` has copied a piece by the time it asks for the next: a stream may then use its memory again. */
  readonly copiesPieces?: boolean;

  /**
   * Stores a body and returns once it is durable. Putting a body that is already there changes nothing, or repairs
   * it if it was damaged. A stream is taken with back-pressure and never held in memory.
   */
  put(body: AsyncIterable<Uint8Array> | Uint8Array, options?: PutOptions): Promise<Stored>;

  /**
   * Stores many bodies in one durable commit: all of them or none. Answers in the order of `bodies`, which may not be
   * changed before.
   */
  putMany(bodies: Uint8Array[]): Promise<Stored[]>;

  /**
   * Streams a body, or a range of it, in pieces of at most 1 MiB. Each piece was checked against the CID before it
   * is handed out, so pieces before a damaged one arrive first.
   * @throws ERR_BODY_MISSING when the store does not hold it
   * @throws ERR_BODY_TAMPERED naming the damaged 1 MiB block
   * @throws ERR_USAGE when the range passes the end
   */
  get(cid: string, range?: ByteRange): AsyncIterable<Uint8Array>;

  /** True when the store holds a body under this CID. Does not read it: {@link verify} does. */
  has(cid: string): Promise<boolean>;

  /**
   * Removes a body, also from the medium's own logs; of one that is not there, nothing.
   * @throws ERR_TIMEOUT (retryable) when others kept such a log busy: the body is gone, call again for the log
   */
  delete(cid: string): Promise<void>;

  /** Reads the whole body and compares it with its CID. */
  verify(cid: string): Promise<Verification>;

  /** Everything the store says it holds, in CID order. Bodies put or deleted meanwhile may or may not show. */
  list(): AsyncIterable<{ cid: string; size: number }>;
}
