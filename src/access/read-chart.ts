// SPDX-License-Identifier: Apache-2.0
import { holdsEvent, type Chain } from "../chain/index.js";
import type { Terms } from "../consent/index.js";
import {
  LeafKind,
  RECEIPT_FORMAT,
  equalBytes,
  fromHex,
  parseCid,
  type Leaf,
  type Receipt,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Scope } from "./access-event.js";
import { Chart, type ChartEntry } from "./chart.js";
import { NODE_QUESTIONS, inParallel } from "./in-parallel.js";
import { batchKey, parsePage, wrongEntry, type PageBatch } from "./index-page.js";
import { isIncluded, onChain, type OnChain } from "./on-chain.js";

/** What the reader asked for, and of whom. */
export interface Expected {
  terms: Terms;
  custodian: number;
  scope: Scope;
}

/**
 * Reads an index page and checks everything that the custodian could have got wrong, against the reader's own node.
 * @throws ERR_EXCHANGE_INVALID naming the entry, ERR_RPC_UNAVAILABLE
 */
export async function readChart(chain: Chain, json: string, expected: Expected): Promise<Chart> {
  const page = parsePage(json);
  requireDistinct(page.entries);
  const checked = await inParallel(page.entries, NODE_QUESTIONS, (entry) =>
    checkEntry(chain, entry, expected),
  );
  const roots = new Map(checked.map(({ entry, found }) => [batchKey(entry), { found, leaf: entry.leaf }]));
  await inParallel([...roots], NODE_QUESTIONS, async ([key, { found, leaf }]) => {
    await checkBatch(chain, leaf, page.batches.get(key), found);
  });
  const receipts = checked.map(({ entry, found }) => {
    return receiptOf(chain, entry, page.batches.get(batchKey(entry))!, found);
  });
  return new Chart(
    expected.terms,
    checked.map(({ entry }) => entry),
    new Map(receipts.map((receipt) => [receipt.leaf.index, receipt])),
  );
}

interface Checked {
  entry: ChartEntry;
  found: OnChain;
}

/** One number of the patient's, one entry: else a second one could fill the gap that a dropped one leaves. */
function requireDistinct(entries: readonly ChartEntry[]): void {
  const indices = new Set<number>();
  const numbers = new Set<number>();
  for (const { leaf } of entries) {
    if (indices.has(leaf.index)) throw wrongEntry(leaf, "it is there twice");
    if (numbers.has(leaf.patientSeq))
      throw wrongEntry(leaf, `another is number ${leaf.patientSeq} of the patient's too`);
    indices.add(leaf.index);
    numbers.add(leaf.patientSeq);
  }
}

async function checkEntry(chain: Chain, entry: ChartEntry, expected: Expected): Promise<Checked> {
  const { leaf } = entry;
  requireInside(leaf, expected);
  const cid = parseCid(entry.cid)!;
  if (cid.oneBlock && !equalBytes(cid.digest, fromHex(leaf.contentDigest, 32))) {
    throw wrongEntry(leaf, "its CID is of another body");
  }
  const found = await onChain(chain, leaf, entry).catch((error: unknown) => {
    const reason = error instanceof ChartsealError ? error.values["reason"] : undefined;
    if (reason === undefined) throw error;
    throw wrongEntry(leaf, `the chain has no such batch (${reason})`, error);
  });
  if (!isIncluded(entry, found.root)) throw wrongEntry(leaf, "its leaf is not under the root on chain");
  return { entry: { ...entry, status: found.status }, found };
}

function requireInside(leaf: Leaf, { terms, custodian, scope }: Expected): void {
  if (leaf.memberId !== custodian) throw wrongEntry(leaf, `it is of member ${leaf.memberId}`);
  if (leaf.patientId !== terms.patientId) throw wrongEntry(leaf, "it is of another patient");
  if (leaf.kind !== LeafKind.RECORD) throw wrongEntry(leaf, `it is of kind ${leaf.kind}, which is no record`);
  // Every entry of a patient's has its own index, so his n-th has at least index n.
  if (leaf.patientSeq > leaf.index)
    throw wrongEntry(leaf, `it cannot be number ${leaf.patientSeq} of the patient's`);
  const inScope =
    leaf.index <= scope.upTo &&
    ((scope.compartments >> BigInt(leaf.compartment)) & 1n) === 1n &&
    leaf.recordedDay >= scope.recordedFrom &&
    leaf.recordedDay <= scope.recordedTo;
  if (!inScope) throw wrongEntry(leaf, "it lies outside the scope that was asked for");
}

/** What the page says of a batch goes into receipts: it must be what the event said. */
async function checkBatch(
  chain: Chain,
  leaf: Leaf,
  batch: PageBatch | undefined,
  found: OnChain,
): Promise<void> {
  if (batch === undefined) throw wrongEntry(leaf, "the page says nothing of its batch");
  const { firstIndex, count, manifestDigest, transactionHash, blockHash, blockNumber } = batch;
  const { records } = chain;
  const mined = await chain.ask(() => chain.provider.getTransactionReceipt(transactionHash));
  const values = [leaf.memberId, firstIndex, count, found.root, manifestDigest];
  const event = records.interface.encodeEventLog("BatchAnchored", values);
  const anchored = mined !== null && holdsEvent(mined, chain.deployment.records, event);
  if (anchored && mined.blockHash === blockHash && mined.blockNumber === blockNumber) return;
  throw wrongEntry(
    leaf,
    "its batch was not anchored by the transaction, or in the block, that the page names",
  );
}

function receiptOf(chain: Chain, entry: ChartEntry, batch: PageBatch, { root }: OnChain): Receipt {
  const { leaf, firstIndex, count, proof, cid } = entry;
  const { manifestDigest, blockNumber, blockHash, transactionHash } = batch;
  const { chainId, records } = chain.deployment;
  return {
    format: RECEIPT_FORMAT,
    leaf,
    proof,
    batch: { memberId: leaf.memberId, firstIndex, count, root, manifestDigest },
    anchor: { chainId, contract: records, blockNumber, blockHash, transactionHash },
    cid,
  };
}
