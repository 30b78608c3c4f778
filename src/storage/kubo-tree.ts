// SPDX-License-Identifier: Apache-2.0
import * as dagPb from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { code as rawCode } from "multiformats/codecs/raw";
import { hash } from "node:crypto";
import { bodyTampered } from "./store-errors.js";
import { blockCount, cidOf, DIGEST_BYTES, rootOfBlocks, SHA2_256, UNIXFS_V1_2025 } from "./unixfs-dag.js";

/** Blocks of the largest body that is read: 4 TiB. A tree that claims more would fill the memory with digests. */
const MOST_BLOCKS = 4_194_304;

/** A body's tree, read down to the digests of its leaves. */
export interface BodyTree {
  /** Bytes of the body. */
  size: number;
  /** SHA-256 of each leaf block, 32 bytes each, in order. */
  digests: Uint8Array;
}

interface InnerNode {
  size: number;
  links: CID[];
}

/**
 * Reads the inner blocks of a body of several blocks. The answer is compared with the CID as a whole, so that only a
 * tree of the profile passes: no other layout, no false size, no block below two parents that is not there twice.
 * @param read gives an inner block's bytes
 * @throws ERR_BODY_TAMPERED; what `read` throws
 */
export async function readTree(cid: string, read: (cid: string) => Promise<Uint8Array>): Promise<BodyTree> {
  const readInner = async (name: string) => innerNode(cid, name, await read(name));
  const root = await readInner(cid);
  const { size } = root;
  const levels = levelsOf(blockCount(size));
  if (size <= UNIXFS_V1_2025.chunkSize || levels[0]! > MOST_BLOCKS) throw notOfProfile(cid);
  let links = root.links;
  // From below the root downwards; the counts tell where the leaves must be.
  for (const expected of levels.slice(0, -1).toReversed().slice(0, -1)) {
    if (links.length !== expected) throw notOfProfile(cid);
    const below: CID[] = [];
    for (const link of links) {
      const name = link.toString();
      if (link.code !== dagPb.code) throw notOfProfile(cid);
      below.push(...(await readInner(name)).links);
      if (below.length > MOST_BLOCKS) throw notOfProfile(cid);
    }
    links = below;
  }
  const digests = digestsOf(cid, links, levels[0]!);
  if (rootOfBlocks(digests, size).toString() !== cid) throw notOfProfile(cid);
  return { size, digests };
}

/**
 * CID of the folder that Kubo's `add` makes around a file of one block and leaves behind, unpinned: it names the file.
 * @param size bytes of the block
 */
export function folderAround(cid: string, size: number): string {
  const data = new UnixFS({ type: "directory" }).marshal();
  const block = dagPb.encode(dagPb.createNode(data, [dagPb.createLink(cid, size, CID.parse(cid))]));
  return cidOf(dagPb.code, hash("sha256", block, "buffer")).toString();
}

/** Counts of blocks by level, from the leaves up to the root. */
function levelsOf(leaves: number): number[] {
  const levels = [leaves];
  for (let count = leaves; count > 1;) {
    count = Math.ceil(count / UNIXFS_V1_2025.maxLinks);
    levels.push(count);
  }
  return levels;
}

function innerNode(body: string, cid: string, bytes: Uint8Array): InnerNode {
  const { multihash } = CID.parse(cid);
  if (!hash("sha256", bytes, "buffer").equals(multihash.digest)) {
    throw bodyTampered(body, `the inner block ${cid} differs from what was stored, in the tree`);
  }
  try {
    const { Data, Links } = dagPb.decode(bytes);
    const file = UnixFS.unmarshal(Data!);
    if (file.type !== "file") throw notOfProfile(body);
    return { size: Number(file.fileSize()), links: Links.map(({ Hash }) => Hash) };
  } catch {
    throw notOfProfile(body);
  }
}

function digestsOf(cid: string, leaves: readonly CID[], expected: number): Uint8Array {
  if (leaves.length !== expected) throw notOfProfile(cid);
  const digests = new Uint8Array(expected * DIGEST_BYTES);
  for (const [i, { code, multihash }] of leaves.entries()) {
    if (code !== rawCode || multihash.code !== SHA2_256 || multihash.digest.length !== DIGEST_BYTES)
      throw notOfProfile(cid);
    digests.set(multihash.digest, i * DIGEST_BYTES);
  }
  return digests;
}

function notOfProfile(cid: string): Error {
  return bodyTampered(cid, "no body of profile unixfs-v1-2025 has the tree");
}
