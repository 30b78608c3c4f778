// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

import { equalBytes, fromHex, toHex } from "./bytes.js";
import type { Hex } from "./bytes.js";
import { ONE_BLOCK_MAX_LENGTH, parseCid } from "./cid.js";
import { leafHash } from "./leaf.js";
import { parseReceipt } from "./receipt.js";
import type { Receipt } from "./receipt.js";
import { verifyInclusion } from "./tree.js";

/** A batch root that the verifier trusts, for instance read from its own node. */
export interface TrustedRoot {
  chainId: number;
  /** Address of the RecordRegistry: 20 bytes. */
  contract: Hex;
  memberId: number;
  firstIndex: number;
  count: number;
  /** 32 bytes. */
  root: Hex;
}

/** The names of the checks; a name never changes its meaning. */
export type CheckName = "member" | "index" | "inclusion" | "root" | "body" | "cid";

export interface Check {
  name: CheckName;
  ok: boolean;
  /** One line for people: what agrees or differs. */
  detail: string;
}

/** The outcome of a verification: `ok` when every check is. */
export interface Verdict {
  ok: boolean;
  checks: Check[];
}

export interface VerifyReceiptOptions {
  /** The sealed record (the ciphertext, as stored). Left out, body and receipt are not compared. */
  body?: AsyncIterable<Uint8Array> | Uint8Array;
  /**
   * Batch roots that are trusted. Given, one of them must be for the receipt's batch and equal its root. Left
   * out, a verdict says only that the receipt agrees with itself, not that its root was ever on a chain.
   */
  roots?: readonly TrustedRoot[];
}

/**
 * Verifies a receipt offline. A mismatch is a value, never an error.
 *
 * @example
 * const verdict = await verifyReceipt(parseReceipt(text), { body, roots });
 * for (const check of verdict.checks) if (!check.ok) console.error(check.name, check.detail);
 *
 * @throws ChartsealError ERR_RECEIPT_INVALID or ERR_FORMAT_UNSUPPORTED when it is no receipt; what the body's
 * stream throws
 */
export async function verifyReceipt(receipt: Receipt, options: VerifyReceiptOptions = {}): Promise<Verdict> {
  const read = parseReceipt(receipt);
  const checks = [checkMember(read), checkIndex(read), checkInclusion(read)];
  if (options.roots !== undefined) checks.push(checkRoot(read, options.roots));
  let bodyLength: number | undefined;
  if (options.body !== undefined) {
    const { digest, length } = await digestOf(options.body);
    const ok = equalBytes(digest, fromHex(read.leaf.contentDigest));
    const detail = ok ? "body has the leaf's SHA-256" : "body is not the one the leaf was made of";
    checks.push({ name: "body", ok, detail: `${detail} (${length} bytes read)` });
    bodyLength = length;
  }
  const cid = checkCid(read, bodyLength);
  if (cid !== undefined) checks.push(cid);
  return { ok: checks.every((check) => check.ok), checks };
}

function checkMember({ leaf, batch }: Receipt): Check {
  const ok = leaf.memberId === batch.memberId;
  const detail = ok
    ? `leaf and batch are of member ${leaf.memberId}`
    : `leaf is of member ${leaf.memberId}, batch of member ${batch.memberId}`;
  return { name: "member", ok, detail };
}

function checkIndex({ leaf, batch }: Receipt): Check {
  const ok = leaf.index >= batch.firstIndex && leaf.index - batch.firstIndex < batch.count;
  const range = `${batch.count} entries from ${batch.firstIndex}`;
  const detail = `index ${leaf.index} is ${ok ? "within" : "outside"} the batch of ${range}`;
  return { name: "index", ok, detail };
}

function checkInclusion({ leaf, batch, proof }: Receipt): Check {
  const position = leaf.index - batch.firstIndex;
  const nodes = proof.map((node) => fromHex(node));
  const ok = verifyInclusion(leafHash(leaf), position, batch.count, nodes, fromHex(batch.root));
  return { name: "inclusion", ok, detail: ok ? "leaf is under this root" : "leaf not under this root" };
}

function checkRoot({ batch, anchor }: Receipt, roots: readonly TrustedRoot[]): Check {
  // Every trusted root for the batch must agree: two that differ mean a forked log.
  const pinned = roots.filter(
    (root) =>
      root.chainId === anchor.chainId &&
      root.contract.toLowerCase() === anchor.contract &&
      root.memberId === batch.memberId &&
      root.firstIndex === batch.firstIndex &&
      root.count === batch.count,
  );
  if (pinned.length === 0) return { name: "root", ok: false, detail: "no trusted root for this batch" };
  const ok = pinned.every((root) => root.root.toLowerCase() === batch.root);
  return {
    name: "root",
    ok,
    detail: ok ? "batch root equals the trusted root" : "batch root differs from the trusted root",
  };
}

/** Undefined where the CID says nothing that is known here: the root of several blocks, checked by the store. */
function checkCid({ leaf, cid }: Receipt, bodyLength: number | undefined): Check | undefined {
  const { oneBlock, digest } = parseCid(cid)!;
  const expectOneBlock = bodyLength === undefined ? oneBlock : bodyLength <= ONE_BLOCK_MAX_LENGTH;
  if (oneBlock !== expectOneBlock) {
    const [actual, expected] = oneBlock ? ["one block", "several"] : ["several blocks", "one"];
    const detail = `CID is of ${actual}, but a body of ${bodyLength} bytes makes ${expected}`;
    return { name: "cid", ok: false, detail };
  }
  if (!oneBlock) return undefined;
  const ok = toHex(digest) === leaf.contentDigest;
  return {
    name: "cid",
    ok,
    detail: ok ? "CID is of the leaf's body" : "CID is of another body than the leaf's",
  };
}

async function digestOf(
  body: AsyncIterable<Uint8Array> | Uint8Array,
): Promise<{ digest: Uint8Array; length: number }> {
  const hash = createHash("sha256");
  let length = 0;
  const pieces = body instanceof Uint8Array ? [body] : body;
  for await (const piece of pieces) {
    hash.update(piece);
    length += piece.length;
  }
  return { digest: hash.digest(), length };
}
