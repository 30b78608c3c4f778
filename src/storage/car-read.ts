// SPDX-License-Identifier: Apache-2.0
// CAR version 1, read strictly: what a file may make us hold is one block and 8 bytes for each root.
import { CID } from "multiformats/cid";
import { code as rawCode } from "multiformats/codecs/raw";
import { hash } from "node:crypto";
import { ChartsealError, unsupportedFormat } from "../errors.js";
import type { CarBlock } from "./car-write.js";
import { CidSet } from "./cid-set.js";
import { CID_BYTES, cidFromBytes } from "./cid.js";
import { UNIXFS_V1_2025 } from "./unixfs-dag.js";

/** As Kubo (go-car). */
const MOST_HEADER_BYTES = 32 * 1024 * 1024;
/** A node of 1,024 links takes some 50 KiB. */
const MOST_NODE_BYTES = 131_072;
/** Bytes of a varint of any length that is accepted: 28 bits. */
const MOST_VARINT_BYTES = 4;

// DAG-CBOR of {"roots":[...],"version":1}, keys in the one order that DAG-CBOR allows.
const MAP_OF_ROOTS = Buffer.from("a265726f6f7473", "hex");
const VERSION_1 = Buffer.from("6776657273696f6e01", "hex");
/** Tag 42, a byte string of 37 bytes, the identity multibase: what stands before a CID's 36 bytes. */
const BEFORE_CID = Buffer.from("d82a582500", "hex");
/** What a CAR file of version 2 begins with. */
const PRAGMA_2 = Buffer.from("0aa16776657273696f6e02", "hex");
const CBOR_ARRAY = 4;

/** A CAR file as it streams by. Every block that it hands out was compared with its CID. */
export class CarFile {
  readonly roots: CidSet;
  readonly #bytes: ByteReader;

  private constructor(roots: CidSet, bytes: ByteReader) {
    this.roots = roots;
    this.#bytes = bytes;
  }

  /** @throws ERR_ITEM_INVALID for what is no such file, ERR_FORMAT_UNSUPPORTED for one of version 2 */
  static async open(source: AsyncIterable<Uint8Array>): Promise<CarFile> {
    const bytes = new ByteReader(source);
    return new CarFile(await readRoots(bytes), bytes);
  }

  /**
   * The next block; undefined at the file's end.
   * @throws ERR_ITEM_INVALID when the file is cut short or is not made as the profile says
   * @throws ERR_BODY_TAMPERED when a block differs from its CID
   */
  async next(): Promise<CarBlock | undefined> {
    const bytes = this.#bytes;
    if (await bytes.atEnd()) return undefined;
    const at = bytes.offset;
    const length = await readVarint(bytes);
    if (length < CID_BYTES) throw invalid("a block has no CID of the profile", at);
    const cid = readCid(await bytes.take(CID_BYTES), at);
    const most = cid.code === rawCode ? UNIXFS_V1_2025.chunkSize : MOST_NODE_BYTES;
    if (length - CID_BYTES > most) throw invalid(`a block is longer than ${most} bytes`, at);
    const block = await bytes.take(length - CID_BYTES);
    if (hash("sha256", block, "buffer").equals(cid.multihash.digest)) return { cid, bytes: block };
    const name = cid.toString();
    throw new ChartsealError("ERR_BODY_TAMPERED", `the block at byte ${at} differs from its CID ${name}`, {
      values: { cid: name, offset: at },
      hint: "the file was damaged or forged; what came before it is whole",
    });
  }

  invalid(why: string): ChartsealError {
    return invalid(why, this.#bytes.offset);
  }
}

async function readRoots(bytes: ByteReader): Promise<CidSet> {
  const start = await bytes.peek(PRAGMA_2.length);
  if (start.equals(PRAGMA_2)) throw unsupportedFormat("a CAR file", 2);
  const length = await readVarint(bytes);
  const begin = bytes.offset;
  if (length > MOST_HEADER_BYTES)
    throw invalid(`the header is longer than ${MOST_HEADER_BYTES} bytes`, begin);
  await expect(bytes, MAP_OF_ROOTS);
  const count = await readArrayLength(bytes);
  if (count * (BEFORE_CID.length + CID_BYTES) > length) throw invalid("the header is too short", begin);
  const roots = new CidSet();
  for (let root = 0; root < count; root++) {
    await expect(bytes, BEFORE_CID);
    const at = bytes.offset;
    roots.addBytes(readCid(await bytes.take(CID_BYTES), at).multihash.digest);
  }
  await expect(bytes, VERSION_1);
  if (bytes.offset - begin !== length) throw invalid("the header has another length than it says", begin);
  return roots;
}

/** RFC 8949, 3: major type and additional information, then the count in 0, 1, 2 or 4 bytes. */
async function readArrayLength(bytes: ByteReader): Promise<number> {
  const at = bytes.offset;
  const first = (await bytes.take(1))[0]!;
  const additional = first & 0x1f;
  if (first >> 5 !== CBOR_ARRAY || additional > 26) throw invalid("the header lists no roots", at);
  if (additional < 24) return additional;
  const width = 2 ** (additional - 24);
  return Buffer.from(await bytes.take(width)).readUIntBE(0, width);
}

async function expect(bytes: ByteReader, wanted: Buffer): Promise<void> {
  const at = bytes.offset;
  if (!(await bytes.take(wanted.length)).equals(wanted))
    throw invalid("this is no CAR file of version 1", at);
}

async function readVarint(bytes: ByteReader): Promise<number> {
  const at = bytes.offset;
  let value = 0;
  for (let place = 0; place < MOST_VARINT_BYTES; place++) {
    const byte = (await bytes.take(1))[0]!;
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (byte < 0x80) return value;
  }
  throw invalid("a length is out of range", at);
}

function readCid(bytes: Uint8Array, at: number): CID {
  try {
    return CID.parse(cidFromBytes(bytes));
  } catch {
    throw invalid("a CID is none of the profile unixfs-v1-2025", at);
  }
}

/** Takes exact lengths from a stream of pieces, and holds no more than is asked for and one piece. */
class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held = Buffer.alloc(0);
  offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]();
  }

  async atEnd(): Promise<boolean> {
    return !(await this.#fill(1));
  }

  async take(length: number): Promise<Buffer> {
    if (!(await this.#fill(length))) throw invalid("the file is cut short", this.offset + this.#held.length);
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    this.offset += length;
    return taken;
  }

  /** Up to so many bytes, without taking them. */
  async peek(length: number): Promise<Buffer> {
    await this.#fill(length);
    return this.#held.subarray(0, length);
  }

  async #fill(length: number): Promise<boolean> {
    const more: Uint8Array[] = [];
    for (let have = this.#held.length; have < length;) {
      const next = await this.#pieces.next();
      if (next.done === true) break;
      more.push(next.value);
      have += next.value.length;
    }
    if (more.length > 0) this.#held = Buffer.concat([this.#held, ...more]);
    return this.#held.length >= length;
  }
}

function invalid(why: string, offset: number): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", `${why} (byte ${offset})`, {
    values: { offset },
    hint: "what came before it was taken; export the file again, then repeat the import",
  });
}
