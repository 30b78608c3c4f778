// SPDX-License-Identifier: Apache-2.0
// A sealed record is one line of manifest JSON padded with spaces, a newline, then the exact source bytes,
// encrypted as Cobblestone-256 under a content key of its own.
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";

import { ChartsealError } from "../errors.js";
import { asBuffer, equalBytes, fromHex, sha256Of } from "./bytes.js";
import { streamOf } from "./blocks.js";
import { HEADER_LENGTH, ciphertextLength } from "./chunked-encryption.js";
import { begins, decrypt, decryptBytes, encrypt, encryptBytes } from "./cobblestone.js";
import { MANIFEST_MAX_LENGTH, manifestLine, parseManifestLine } from "./manifest.js";
import type { Manifest } from "./manifest.js";
import { paddedLength } from "./padding.js";

/** Bytes of a record id. */
export const RECORD_ID_LENGTH = 16;

/** Bytes by which {@link isSealedUnder} tells whose a sealed record is. */
export const SEALED_HEADER_LENGTH = HEADER_LENGTH;

/** What opens a sealed record, besides its bytes. */
export interface RecordKeys {
  /** 32 random bytes, used for this record only. */
  contentKey: Uint8Array;
  /** The custodian. */
  memberId: number;
  /** 16 random bytes, this record's own. */
  recordId: Uint8Array;
}

/** What {@link sealRecord} seals. */
export interface RecordSource extends RecordKeys {
  /** Its `size` and `sha256` are those of `body`. */
  manifest: Manifest;
  /** The exact source bytes. */
  body: AsyncIterable<Uint8Array> | Uint8Array;
  /** True: a piece of the sealed stream is gone once the next is asked for. */
  reuse?: boolean;
}

/** An opened record. Dispose of it (`await using`) if the body may not be read to its end. */
export interface OpenedRecord extends AsyncDisposable {
  readonly manifest: Manifest;
  /**
   * The source bytes, to be read once. Each piece is authenticated, but the whole is provisional until the
   * iteration ends without an error: only then nothing is missing, and size and SHA-256 match the manifest.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

const CONTEXT_LABEL = Buffer.from("chartseal/v1", "latin1");
const NEWLINE = 0x0a;
const SPACE = 0x20;
// A manifest and its padding, which is shorter than the greatest granule (64 KiB).
const FIRST_LINE_MAX_LENGTH = 2 * MANIFEST_MAX_LENGTH;
const WORKSPACE = Buffer.allocUnsafeSlow(16 * 1024);

/**
 * The encryption context of a record: it opens only as this member's and under this record id.
 *
 * @throws ChartsealError ERR_USAGE when the member id is no uint32 from 1 or the record id not 16 bytes
 */
export function contextOf(memberId: number, recordId: Uint8Array): Uint8Array {
  if (!Number.isSafeInteger(memberId) || memberId < 1 || memberId > 0xffff_ffff) {
    throw new ChartsealError("ERR_USAGE", `a member id is a whole number from 1, got ${memberId}`);
  }
  if (recordId.length !== RECORD_ID_LENGTH) {
    throw new ChartsealError("ERR_USAGE", `a record id has 16 bytes, got ${recordId.length}`);
  }
  const context = new Uint8Array(CONTEXT_LABEL.length + 4 + RECORD_ID_LENGTH);
  context.set(CONTEXT_LABEL);
  asBuffer(context).writeUInt32BE(memberId, CONTEXT_LABEL.length);
  context.set(recordId, CONTEXT_LABEL.length + 4);
  return context;
}

/** Bytes of the sealed record that this manifest and its body become. */
export function sealedLength(manifest: Manifest): number {
  return ciphertextLength(paddedLength(Buffer.byteLength(manifestLine(manifest)) + 1 + manifest.size));
}

/**
 * Seals a record in constant memory. What it yielded before an error is worthless: discard it.
 *
 * @throws ChartsealError ERR_SOURCE_CHANGED when the body is not the one its manifest describes,
 * ERR_ITEM_INVALID for an unusable manifest, ERR_KEY_INVALID or ERR_USAGE for an unusable key or id
 */
export async function* sealRecord(source: RecordSource): AsyncGenerator<Uint8Array> {
  const { manifest, contentKey, memberId, recordId, reuse = false } = source;
  const body = source.body instanceof Uint8Array ? streamOf(source.body) : source.body;
  yield* encrypt(contentKey, contextOf(memberId, recordId), plaintextOf(manifest, body), { reuse });
}

/** {@link sealRecord} at once, for a body in memory. */
export function sealBytes(source: RecordSource & { body: Uint8Array }): Uint8Array {
  const { manifest, body, contentKey, memberId, recordId } = source;
  const plaintext = headOf(manifest, body.length, workspace);
  try {
    if (body.length !== manifest.size || !equalBytes(sha256Of(body), fromHex(manifest.sha256))) {
      throw sourceChanged(body.length, manifest.size);
    }
    plaintext.set(body, plaintext.length - body.length);
    return encryptBytes(contentKey, contextOf(memberId, recordId), plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Opens a sealed record and reads its manifest.
 *
 * @throws ChartsealError ERR_BODY_TAMPERED when the record, key, member or record id differ from what was
 * sealed (also while the body is read), ERR_JSON_INVALID or ERR_FORMAT_UNSUPPORTED when the custodian wrote
 * no manifest that is known here
 */
export async function openRecord(
  ciphertext: AsyncIterable<Uint8Array> | Uint8Array,
  keys: RecordKeys,
): Promise<OpenedRecord> {
  const stream = ciphertext instanceof Uint8Array ? streamOf(ciphertext) : ciphertext;
  const plaintext = decrypt(keys.contentKey, contextOf(keys.memberId, keys.recordId), stream);
  try {
    const { manifest, rest } = await readManifest(plaintext);
    return opened(manifest, bodyOf(manifest, rest, plaintext), plaintext);
  } catch (error) {
    await plaintext.return(undefined);
    throw error;
  }
}

/** {@link openRecord} at once, for a record in memory: everything is checked before anything is returned. */
export function openBytes(
  ciphertext: Uint8Array,
  keys: RecordKeys,
): { manifest: Manifest; body: Uint8Array } {
  const context = contextOf(keys.memberId, keys.recordId);
  const plaintext = decryptBytes(keys.contentKey, context, ciphertext);
  const newline = plaintext.subarray(0, FIRST_LINE_MAX_LENGTH + 1).indexOf(NEWLINE);
  if (newline < 0) throw noManifest();
  const manifest = parseManifestLine(plaintext.subarray(0, newline));
  const body = plaintext.subarray(newline + 1);
  checkBody(manifest, body.length, sha256Of(body));
  return { manifest, body };
}

/**
 * Whether a body is the sealed record of these keys: its header commits to them. What follows it is not looked at.
 * @param header its first {@link SEALED_HEADER_LENGTH} bytes
 */
export function isSealedUnder(header: Uint8Array, { contentKey, memberId, recordId }: RecordKeys): boolean {
  return begins(contentKey, contextOf(memberId, recordId), header);
}

async function* plaintextOf(manifest: Manifest, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield headOf(manifest);
  const digest = createHash("sha256");
  let size = 0;
  for await (const piece of body) {
    digest.update(piece);
    size += piece.length;
    if (size > manifest.size) throw sourceChanged(size, manifest.size);
    yield piece;
  }
  if (size !== manifest.size || !equalBytes(digest.digest(), fromHex(manifest.sha256))) {
    throw sourceChanged(size, manifest.size);
  }
}

/** The first line with its padding and newline, and `room` bytes behind it; in memory that `allocate` gives. */
function headOf(manifest: Manifest, room = 0, allocate = ownMemory): Uint8Array {
  const line = manifestLine(manifest);
  const unpadded = Buffer.byteLength(line) + 1 + manifest.size;
  const length = paddedLength(unpadded) - manifest.size;
  const head = allocate(length + room);
  head.fill(SPACE, head.write(line, "utf8"), length - 1);
  head[length - 1] = NEWLINE;
  return head;
}

function ownMemory(length: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(length);
}

/** Memory for one small record at a time: new memory for each would make V8 look through all that is alive so often. */
function workspace(length: number): Buffer<ArrayBuffer> {
  return length > WORKSPACE.length ? ownMemory(length) : WORKSPACE.subarray(0, length);
}

async function readManifest(
  plaintext: AsyncGenerator<Uint8Array>,
): Promise<{ manifest: Manifest; rest: Uint8Array }> {
  const line: Uint8Array[] = [];
  let length = 0;
  // Not `for await`, which would close the stream that the body is still to be read from.
  for (let next = await plaintext.next(); !next.done; next = await plaintext.next()) {
    const newline = next.value.indexOf(NEWLINE);
    const part = newline < 0 ? next.value : next.value.subarray(0, newline);
    line.push(part);
    length += part.length;
    if (length > FIRST_LINE_MAX_LENGTH) break;
    if (newline < 0) continue;
    return { manifest: parseManifestLine(Buffer.concat(line)), rest: next.value.subarray(newline + 1) };
  }
  throw noManifest();
}

async function* bodyOf(
  manifest: Manifest,
  rest: Uint8Array,
  plaintext: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const digest: Hash = createHash("sha256");
  let size = 0;
  try {
    let piece = rest;
    for (;;) {
      size += piece.length;
      if (size > manifest.size) break;
      digest.update(piece);
      if (piece.length > 0) yield piece;
      const next = await plaintext.next();
      if (next.done) break;
      piece = next.value;
    }
    checkBody(manifest, size, digest.digest());
  } finally {
    await plaintext.return(undefined);
  }
}

function opened(
  manifest: Manifest,
  body: AsyncGenerator<Uint8Array>,
  plaintext: AsyncGenerator<Uint8Array>,
): OpenedRecord {
  let read = false;
  return {
    manifest,
    body: {
      [Symbol.asyncIterator]() {
        // A second iteration would find the stream used up: an empty body that looks valid.
        if (read) throw new ChartsealError("ERR_USAGE", "the body of an opened record can be read only once");
        read = true;
        return body;
      },
    },
    async [Symbol.asyncDispose]() {
      read = true;
      await body.return(undefined);
      await plaintext.return(undefined);
    },
  };
}

function checkBody(manifest: Manifest, size: number, digest: Uint8Array): void {
  if (size === manifest.size && equalBytes(digest, fromHex(manifest.sha256))) return;
  throw new ChartsealError(
    "ERR_BODY_TAMPERED",
    size === manifest.size
      ? "the SHA-256 of the source bytes differs from the manifest's: the custodian sealed other bytes"
      : "the number of source bytes differs from the manifest's: the custodian sealed other bytes",
    { values: { expectedSize: manifest.size } },
  );
}

function sourceChanged(size: number, expectedSize: number): ChartsealError {
  return new ChartsealError(
    "ERR_SOURCE_CHANGED",
    "the source bytes are not those that size and SHA-256 were taken of",
    { values: { size, expectedSize }, hint: "Read the item again.", retryable: true },
  );
}

function noManifest(): ChartsealError {
  return new ChartsealError(
    "ERR_JSON_INVALID",
    `the record does not begin with a manifest line of at most ${FIRST_LINE_MAX_LENGTH} bytes`,
  );
}
