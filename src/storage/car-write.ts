// SPDX-License-Identifier: Apache-2.0
// CAR version 1: https://ipld.io/specs/transport/car/carv1/
import { varint } from "multiformats";
import { CID } from "multiformats/cid";
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "./blob-store.js";
import { blocksOf } from "./body-blocks.js";
import { CidBuilder, parseCid } from "./cid.js";
import { bodyTampered } from "./store-errors.js";
import { childrenOf, rootOfBlocks, type InnerBlock } from "./unixfs-dag.js";

/** A header of 41 bytes a root then stays below the 32 MiB that Kubo (go-car) reads. */
export const MOST_CAR_BODIES = 500_000;

/** A block with its name, as a CAR file holds it. */
export interface CarBlock {
  cid: CID;
  bytes: Uint8Array;
}

export interface CarExportOptions {
  /** Hears of each body that is in the file. */
  onBody?: (body: { cid: string; size: number }) => void;
  /** Hears of each body that is not, and why. */
  onLeftOut?: (body: { cid: string; error: ChartsealError }) => void;
}

/**
 * A CAR file of these bodies, each a root: `ipfs dag import` pins them, and `importCar` takes them. A body's blocks come
 * in the order in which its tree is walked, a node before its children.
 *
 * A body that the store lacks, or does not hold whole, is left out; its root stays in the header, so that who imports
 * the file misses it.
 * @throws ERR_USAGE for more than {@link MOST_CAR_BODIES}; what the store throws when it breaks off within a body
 */
export async function* exportCar(
  store: BlobStore,
  cids: readonly string[],
  { onBody, onLeftOut }: CarExportOptions = {},
): AsyncGenerator<Uint8Array> {
  if (cids.length > MOST_CAR_BODIES) {
    throw new ChartsealError("ERR_USAGE", `${cids.length} bodies are too many for one CAR file`, {
      values: { bodies: cids.length, most: MOST_CAR_BODIES },
    });
  }
  yield await headerOf(cids.map((cid) => CID.parse(parseCid(cid).cid)));
  for (const cid of cids) {
    let body: Body;
    try {
      body = await bodyOf(store, cid);
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      onLeftOut?.({ cid, error });
      continue;
    }
    for await (const block of body.blocks) {
      yield sectionHead(block);
      yield block.bytes;
    }
    onBody?.({ cid, size: body.size });
  }
}

interface Body {
  size: number;
  /** What IPFS knows the body as: the body itself, or the nodes and leaves of its tree. */
  blocks: Iterable<CarBlock> | AsyncIterable<CarBlock>;
}

/** A body that can be read whole. */
async function bodyOf(store: BlobStore, cid: string): Promise<Body> {
  if (parseCid(cid).isRaw) {
    const bytes = Buffer.concat(await Array.fromAsync(store.get(cid)));
    return { size: bytes.length, blocks: [{ cid: CID.parse(cid), bytes }] };
  }
  // It is read twice: the root comes first, and is known last.
  const builder = new CidBuilder();
  for await (const piece of store.get(cid)) builder.update(piece);
  const { blocks, size } = builder.finish();
  const nodes = new Map<string, InnerBlock>();
  const root = rootOfBlocks(blocks, size, undefined, (node) => nodes.set(node.cid.toString(), node));
  if (root.toString() !== cid) throw bodyTampered(cid, "another tree than the root's");
  return { size, blocks: blocksOfTree(nodes.get(cid)!, nodes, blocksOf(store.get(cid))) };
}

async function* blocksOfTree(
  root: InnerBlock,
  nodes: ReadonlyMap<string, InnerBlock>,
  leaves: AsyncGenerator<Uint8Array>,
): AsyncGenerator<CarBlock> {
  try {
    yield* walk(root, nodes, leaves);
  } finally {
    await leaves.return(undefined);
  }
}

async function* walk(
  node: InnerBlock,
  nodes: ReadonlyMap<string, InnerBlock>,
  leaves: AsyncGenerator<Uint8Array>,
): AsyncGenerator<CarBlock> {
  yield node;
  for (const child of childrenOf(node.bytes)) {
    const below = nodes.get(child.toString());
    if (below !== undefined) yield* walk(below, nodes, leaves);
    else yield { cid: child, bytes: Buffer.from((await leaves.next()).value as Uint8Array) };
  }
}

async function headerOf(roots: CID[]): Promise<Uint8Array> {
  const { CarWriter } = await import("@ipld/car/writer"); // an ingest does not carry it
  const { writer, out } = CarWriter.create(roots);
  const [pieces] = await Promise.all([Array.fromAsync(out), writer.close()]);
  return Buffer.concat(pieces);
}

function sectionHead({ cid, bytes }: CarBlock): Uint8Array {
  const length = cid.bytes.length + bytes.length;
  const prefix = varint.encodingLength(length);
  const head = new Uint8Array(prefix + cid.bytes.length);
  varint.encodeTo(length, head);
  head.set(cid.bytes, prefix);
  return head;
}
