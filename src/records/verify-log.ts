// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { readLogs, type Chain } from "../chain/index.js";
import { MerkleTree, decodeBatchManifest, equalBytes, fromHex, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { cidOfDigest, type BlobStore } from "../storage/index.js";

/** Something that is not as the chain says. */
export interface Finding {
  what: "batch-manifest-missing" | "batch-manifest-altered" | "root-differs" | "body-missing" | "body-altered";
  /** Log index of the first entry concerned. */
  index: number;
  /** One line for people. */
  detail: string;
}

export interface LogVerdict {
  memberId: number;
  /** Entries on chain. */
  entries: number;
  batches: number;
  /** Bodies read and compared. */
  bodies: number;
  findings: Finding[];
  ok: boolean;
}

export interface VerifyLogOptions {
  /** Also reads every body. Default true. */
  bodies?: boolean;
  onProgress?: (progress: { entries: number; of: number }) => void;
  signal?: AbortSignal;
}

interface AnchoredBatch {
  firstIndex: number;
  count: number;
  root: Hex;
  manifestDigest: Hex;
}

/**
 * Verifies a member's whole log from the chain and the store alone: every batch manifest has its anchored digest and
 * gives the anchored root, and every body has its CID. Any member can do so for any other: nothing secret is needed.
 * @throws ERR_RPC_UNAVAILABLE, ERR_STORE_FAILED; a mismatch is a finding, not an error
 */
export async function verifyLog(
  parts: { chain: Chain; store: BlobStore },
  memberId: number,
  options: VerifyLogOptions = {},
): Promise<LogVerdict> {
  const { chain } = parts;
  const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
  const verdict: LogVerdict = { memberId, entries: head, batches: 0, bodies: 0, findings: [], ok: true };
  const { interface: abi } = chain.records;
  const topics = abi.encodeFilterTopics("BatchAnchored", [memberId]) as string[];
  let next = 1;
  for await (const log of readLogs(chain, { address: chain.deployment.records, topics })) {
    options.signal?.throwIfAborted();
    const args = abi.parseLog(log)!.args;
    const batch: AnchoredBatch = {
      firstIndex: Number(args["firstIndex"]),
      count: Number(args["count"]),
      root: args["root"] as Hex,
      manifestDigest: args["manifestDigest"] as Hex,
    };
    if (batch.firstIndex !== next) throw incomplete(memberId, next);
    next += batch.count;
    verdict.batches++;
    await verifyBatch(parts, memberId, batch, verdict, options);
    options.onProgress?.({ entries: next - 1, of: head });
  }
  if (next <= head) throw incomplete(memberId, next);
  verdict.ok = verdict.findings.length === 0;
  return verdict;
}

async function verifyBatch(
  { chain, store }: { chain: Chain; store: BlobStore },
  memberId: number,
  batch: AnchoredBatch,
  verdict: LogVerdict,
  options: VerifyLogOptions,
): Promise<void> {
  const { firstIndex, count } = batch;
  const report = (what: Finding["what"], index: number, detail: string) => {
    verdict.findings.push({ what, index, detail });
  };
  const last = firstIndex + count - 1;
  // A manifest of one block, up to 1 MiB (14,000 entries), has its digest as its CID.
  const manifest = await read(store, cidOfDigest(fromHex(batch.manifestDigest)));
  if (!(manifest instanceof Uint8Array)) {
    const what = manifest === "missing" ? "batch-manifest-missing" : "batch-manifest-altered";
    return report(what, firstIndex, `the batch manifest of entries ${firstIndex} to ${last} is ${manifest}`);
  }
  if (!equalBytes(hash("sha256", manifest, "buffer"), fromHex(batch.manifestDigest))) {
    return report("batch-manifest-altered", firstIndex, `the manifest of entries ${firstIndex} to ${last} is altered`);
  }
  const { entries } = decodeBatchManifest(manifest);
  const { root } = MerkleTree.of(entries.map((entry) => fromHex(entry.leafHash)));
  const onChain = await chain.ask(() => chain.records.rootAndStatus(memberId, firstIndex, count, firstIndex));
  if (entries.length !== count || toHex(root) !== onChain.root || toHex(root) !== batch.root) {
    report("root-differs", firstIndex, `the leaves of entries ${firstIndex} to ${last} do not give the root on chain`);
  }
  if (options.bodies === false) return;
  for (const [position, { cid }] of entries.entries()) {
    options.signal?.throwIfAborted();
    const index = firstIndex + position;
    const found = await store.verify(cid);
    verdict.bodies++;
    if (found.ok) continue;
    report(found.reason === "missing" ? "body-missing" : "body-altered", index, `the body of entry ${index}: ${found.detail}`);
  }
}

async function read(store: BlobStore, cid: string): Promise<Uint8Array | "missing" | "altered"> {
  try {
    return Buffer.concat(await Array.fromAsync(store.get(cid)));
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    if (error.code === "ERR_BODY_MISSING") return "missing";
    if (error.code === "ERR_BODY_TAMPERED") return "altered";
    throw error;
  }
}

function incomplete(memberId: number, index: number): ChartsealError {
  return new ChartsealError("ERR_CHAIN_MISMATCH", `the node shows no batch of member ${memberId} for entry ${index}`, {
    values: { memberId, index },
    hint: "the node's logs are incomplete; sync it again",
  });
}
