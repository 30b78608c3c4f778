// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { ENTRY_STATUS, readLogs, type Chain } from "../chain/index.js";
import {
  MerkleTree,
  decodeBatchManifest,
  equalBytes,
  fromHex,
  toHex,
  type BatchEntry,
  type Hex,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { cidOfDigest, type BlobStore, type Verification } from "../storage/index.js";

/** Something that is not as the chain says. */
export interface Finding {
  what:
    | "batch-manifest-missing"
    | "batch-manifest-altered"
    /** It has the anchored digest, but is no manifest of its batch: so it was when it was anchored. */
    | "batch-manifest-invalid"
    | "root-differs"
    | "body-missing"
    | "body-altered";
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
  /** Entries whose body is gone because they were erased: no finding. */
  erased: number;
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
  // One block for all, so that a batch anchored meanwhile is not half of the picture.
  const toBlock = await chain.ask(() => chain.provider.getBlockNumber());
  const head = Number(await chain.ask(() => chain.records.headOf(memberId, { blockTag: toBlock })));
  const verdict: LogVerdict = {
    memberId,
    entries: head,
    batches: 0,
    bodies: 0,
    erased: 0,
    findings: [],
    ok: true,
  };
  const { interface: abi } = chain.records;
  const topics = abi.encodeFilterTopics("BatchAnchored", [memberId]) as string[];
  let next = 1;
  for await (const log of readLogs(chain, { address: chain.deployment.records, topics, toBlock })) {
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
  if (next !== head + 1) throw incomplete(memberId, next);
  verdict.ok = verdict.findings.length === 0;
  return verdict;
}

async function verifyBatch(
  parts: { chain: Chain; store: BlobStore },
  memberId: number,
  batch: AnchoredBatch,
  verdict: LogVerdict,
  options: VerifyLogOptions,
): Promise<void> {
  const { chain, store } = parts;
  const { firstIndex, count } = batch;
  const report = (what: Finding["what"], detail: string) => {
    verdict.findings.push({ what, index: firstIndex, detail });
  };
  const range = `entries ${firstIndex} to ${firstIndex + count - 1}`;
  // A manifest of one block, up to 1 MiB (15,000 entries), has its digest as its CID. Ingest makes no larger one.
  const bytes = await read(store, cidOfDigest(fromHex(batch.manifestDigest)));
  if (bytes === "missing")
    return report("batch-manifest-missing", `the batch manifest of ${range} is missing`);
  if (bytes === "altered" || !equalBytes(hash("sha256", bytes, "buffer"), fromHex(batch.manifestDigest))) {
    return report("batch-manifest-altered", `the batch manifest of ${range} is altered`);
  }
  const entries = entriesOf(bytes, memberId, batch);
  if (typeof entries === "string")
    return report("batch-manifest-invalid", `the batch manifest of ${range}: ${entries}`);
  const root = toHex(MerkleTree.of(entries.map((entry) => fromHex(entry.leafHash))).root);
  const onChain = await chain.ask(() => chain.records.rootAndStatus(memberId, firstIndex, count, firstIndex));
  if (root !== onChain.root || root !== batch.root) {
    report("root-differs", `the leaves of ${range} do not give the root on chain`);
  }
  if (options.bodies === false) return;
  for (const [position, { cid }] of entries.entries()) {
    options.signal?.throwIfAborted();
    await verifyBody(parts, memberId, firstIndex + position, cid, verdict);
  }
}

async function verifyBody(
  { chain, store }: { chain: Chain; store: BlobStore },
  memberId: number,
  index: number,
  cid: string,
  verdict: LogVerdict,
): Promise<void> {
  const found = await verifyIn(store, cid);
  verdict.bodies++;
  if (!(found instanceof ChartsealError) && found.ok) return;
  const status = await chain.ask(() => chain.records.statusOf(memberId, index));
  const gone = found instanceof ChartsealError || found.reason === "missing";
  if (gone && (Number(status) & ENTRY_STATUS.ERASED) !== 0) {
    verdict.erased++;
    return;
  }
  if (found instanceof ChartsealError) throw found;
  const what = found.reason === "missing" ? "body-missing" : "body-altered";
  verdict.findings.push({ what, index, detail: `the body of entry ${index}: ${found.detail}` });
}

/** Where a replica does not answer, a body that the others lack is an error; of an erased entry, it is none. */
async function verifyIn(store: BlobStore, cid: string): Promise<Verification | ChartsealError> {
  try {
    return await store.verify(cid);
  } catch (error) {
    if (error instanceof ChartsealError) return error;
    throw error;
  }
}

/** The batch's entries, or why the manifest is none of this batch. */
function entriesOf(bytes: Uint8Array, memberId: number, batch: AnchoredBatch): BatchEntry[] | string {
  try {
    const manifest = decodeBatchManifest(bytes);
    const fits =
      manifest.memberId === memberId &&
      manifest.firstIndex === batch.firstIndex &&
      manifest.entries.length === batch.count;
    return fits ? manifest.entries : "it is another batch's";
  } catch (error) {
    if (error instanceof ChartsealError) return error.message;
    throw error;
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
  return new ChartsealError(
    "ERR_CHAIN_MISMATCH",
    `the node shows no batch of member ${memberId} for entry ${index}`,
    {
      values: { memberId, index },
      hint: "the node's logs are incomplete; sync it again",
    },
  );
}
