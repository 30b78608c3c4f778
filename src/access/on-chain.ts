// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { fromHex, leafHash, verifyInclusion, type Hex, type Leaf } from "../crypto/index.js";
import type { AnchoredEntry } from "../records/index.js";

/** A batch's root, and an entry's status, by this member's own node. */
export interface OnChain {
  root: Hex;
  status: number;
}

/** @throws ERR_CHAIN_REFUSED with reason BatchUnknown or IndexOutsideBatch, ERR_RPC_UNAVAILABLE */
export async function onChain(
  chain: Chain,
  leaf: Leaf,
  batch: { firstIndex: number; count: number },
): Promise<OnChain> {
  const { memberId, index } = leaf;
  const { firstIndex, count } = batch;
  const found = await chain.ask(() => chain.recordsInBulk.rootAndStatus(memberId, firstIndex, count, index));
  return { root: found.root as Hex, status: Number(found.status) };
}

/** True when the entry stands, exactly as given, under the root. */
export function isIncluded(entry: Omit<AnchoredEntry, "cid">, root: Hex): boolean {
  const { leaf, firstIndex, count, proof } = entry;
  const nodes = proof.map((node) => fromHex(node, 32));
  return verifyInclusion(leafHash(leaf), leaf.index - firstIndex, count, nodes, fromHex(root, 32));
}
