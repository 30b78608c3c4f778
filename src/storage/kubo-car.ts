// SPDX-License-Identifier: Apache-2.0
import { CID } from "multiformats/cid";
import type { BuiltCid } from "./cid.js";
import { code as rawCode } from "multiformats/codecs/raw";
import { cidOf, DIGEST_BYTES, rootOfBlocks, UNIXFS_V1_2025, type InnerBlock } from "./unixfs-dag.js";

/**
 * Bodies as one CAR file (version 1), its roots the bodies' CIDs.
 * @param bodies stay as they are until the end
 * @param built of each body
 */
export async function* carOf(
  roots: readonly string[],
  bodies: readonly Uint8Array[],
  built: readonly BuiltCid[],
): AsyncGenerator<Uint8Array> {
  const { CarWriter } = await import("@ipld/car/writer");
  const { writer, out } = CarWriter.create(roots.map((root) => CID.parse(root)));
  const writing = write();
  writing.catch(() => {}); // reported when awaited
  yield* out;
  await writing;

  async function write(): Promise<void> {
    for (const [i, body] of bodies.entries()) {
      for (const block of blocksOfBody(body, built[i]!)) await writer.put(block);
    }
    await writer.close();
  }
}

/** The blocks of a body's tree, leaves first. */
function* blocksOfBody(body: Uint8Array, { blocks, size }: BuiltCid): Generator<InnerBlock> {
  const { chunkSize } = UNIXFS_V1_2025;
  for (let i = 0; i * DIGEST_BYTES < blocks.length; i++) {
    const digest = blocks.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
    yield { cid: cidOf(rawCode, digest), bytes: body.subarray(i * chunkSize, (i + 1) * chunkSize) };
  }
  const inner: InnerBlock[] = [];
  rootOfBlocks(blocks, size, UNIXFS_V1_2025, (block) => inner.push(block));
  yield* inner;
}
