// SPDX-License-Identifier: Apache-2.0
import * as dagPb from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import * as multihash from "multiformats/hashes/digest";
import { hash } from "node:crypto";

/** Multicodec of sha2-256, https://github.com/multiformats/multicodec/blob/master/table.csv */
export const SHA2_256 = 0x12;

/** Length of a SHA-256 digest, bytes. */
export const DIGEST_BYTES = 32;

/** How a body is cut into blocks and the blocks are tied into a tree. */
export interface DagLayout {
  /** Bytes of a leaf block; the last one may be shorter. */
  chunkSize: number;
  /** Most links of a node. */
  maxLinks: number;
}

/** IPIP-499, profile unixfs-v1-2025: CIDv1, sha2-256, raw leaves, balanced, these two numbers. */
export const UNIXFS_V1_2025: DagLayout = { chunkSize: 1_048_576, maxLinks: 1024 };

interface DagNode {
  cid: CID;
  /** Bytes of the body below this node. */
  bodySize: number;
  /** Bytes of this block and all below it: dag-pb's Tsize. */
  treeSize: number;
}

/** Count of leaf blocks of a body; an empty body is one empty block. */
export function blockCount(size: number, layout: DagLayout = UNIXFS_V1_2025): number {
  return Math.max(1, Math.ceil(size / layout.chunkSize));
}

/** An inner block of a tree. */
export interface InnerBlock {
  cid: CID;
  bytes: Uint8Array;
}

/**
 * Root CID of a body, from the SHA-256 digests of its leaf blocks.
 * @param digests 32 bytes for each of the `blockCount(size)` blocks, in order
 * @param size bytes of the body
 * @param onInner gets the blocks above the leaves, the root last
 */
export function rootOfBlocks(
  digests: Uint8Array,
  size: number,
  layout: DagLayout = UNIXFS_V1_2025,
  onInner: (block: InnerBlock) => void = () => {},
): CID {
  const count = blockCount(size, layout);
  if (digests.length !== count * DIGEST_BYTES) {
    throw new RangeError(`${digests.length} bytes of digests for ${count} blocks`);
  }
  const leaf = (i: number): DagNode => {
    const leafSize = Math.min(layout.chunkSize, size - i * layout.chunkSize);
    const digest = digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
    return { cid: cidOf(raw.code, digest), bodySize: leafSize, treeSize: leafSize };
  };
  if (count === 1) return leaf(0).cid;
  let level: DagNode[] = [];
  for (let first = 0; first < count; first += layout.maxLinks) {
    const children = Math.min(layout.maxLinks, count - first);
    level.push(
      parentOf(
        Array.from({ length: children }, (_, i) => leaf(first + i)),
        onInner,
      ),
    );
  }
  // Balanced: all leaves lie equally deep, so that a lone last child still gets its own parent.
  while (level.length > 1) {
    const above: DagNode[] = [];
    for (let first = 0; first < level.length; first += layout.maxLinks) {
      above.push(parentOf(level.slice(first, first + layout.maxLinks), onInner));
    }
    level = above;
  }
  return level[0]!.cid;
}

export function cidOf(codec: number, sha256: Uint8Array): CID {
  return CID.createV1(codec, multihash.create(SHA2_256, sha256));
}

/** The children of a node's block. @throws when it is no dag-pb */
export function childrenOf(block: Uint8Array): CID[] {
  return dagPb.decode(block).Links.map(({ Hash }) => Hash);
}

function parentOf(children: DagNode[], onInner: (block: InnerBlock) => void): DagNode {
  const unixfs = new UnixFS({ type: "file", blockSizes: children.map((child) => BigInt(child.bodySize)) });
  const links = children.map((child) => dagPb.createLink("", child.treeSize, child.cid));
  const block = dagPb.encode(dagPb.createNode(unixfs.marshal(), links));
  const cid = cidOf(dagPb.code, hash("sha256", block, "buffer"));
  onInner({ cid, bytes: block });
  return {
    cid,
    bodySize: children.reduce((sum, child) => sum + child.bodySize, 0),
    treeSize: children.reduce((sum, child) => sum + child.treeSize, block.length),
  };
}
