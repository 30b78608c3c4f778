// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { collectLogs } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { leafHash, openRecord, toHex, verifyReceipt, type Manifest } from "../../src/crypto/index.js";
import { Entries, ItemState, type JournalItem } from "../../src/records/index.js";

/** Opens an item's body with the key in the vault. */
export async function openItem(
  hospital: Chartseal,
  item: JournalItem,
): Promise<{ manifest: Manifest; body: Buffer }> {
  const contentKey = hospital.vault.keyOf(item.recordId!);
  const keys = { contentKey, memberId: hospital.memberId, recordId: item.recordId! };
  const opened = await openRecord(hospital.store.get(item.cid!), keys);
  return { manifest: opened.manifest, body: Buffer.concat(await Array.fromAsync(opened.body)) };
}

/** All items of a journal, in the order they came. */
export function allItems({ journal }: Chartseal): JournalItem[] {
  return Object.values(ItemState)
    .flatMap((state) => journal.itemsIn(state))
    .sort((a, b) => a.id - b.id);
}

/**
 * Compares a member's journal with the chain and the store: indices and patientSeqs are dense, nothing is there
 * twice, every batch's root is on chain, every leaf is under it and every body opens.
 * @returns the anchored bodies in log order
 */
export async function checkLog(hospital: Chartseal): Promise<Buffer[]> {
  const { journal, chain, memberId } = hospital;
  const items = journal.itemsIn(ItemState.ANCHORED).sort((a, b) => a.logIndex! - b.logIndex!);
  const head = Number(await chain.records.headOf(memberId));
  expect(items.map((item) => item.logIndex)).to.deep.equal(items.map((_, position) => position + 1));
  expect(head, "the chain's head").to.equal(items.length);
  const seqs = new Map<string, number>();
  for (const { patientId, patientSeq } of items) {
    expect(patientSeq).to.equal((seqs.get(patientId!) ?? 0) + 1);
    seqs.set(patientId!, patientSeq!);
  }
  for (const batch of journal.batches()) {
    const { root } = await chain.records.rootAndStatus(
      memberId,
      batch.firstIndex,
      batch.count,
      batch.firstIndex,
    );
    expect(root, `root of ${batch.firstIndex}`).to.equal(toHex(batch.root));
  }
  await checkAnchorings(hospital);
  const entries = new Entries(journal, memberId);
  const bodies: Buffer[] = [];
  for (const item of items) {
    expect(toHex(leafHash(entries.leaf(item)))).to.equal(toHex(item.leafHash!));
    bodies.push((await openItem(hospital, item)).body);
  }
  if (head > 0) expect((await verifyReceipt(hospital.receipt(head))).ok).to.equal(true);
  const verdict = await hospital.verifyLog();
  expect(verdict.findings).to.deep.equal([]);
  return bodies;
}

/** Receipts name the transaction and block of each batch: they must be those of its event. */
async function checkAnchorings({ journal, chain, memberId }: Chartseal): Promise<void> {
  const abi = chain.records.interface;
  const topics = abi.encodeFilterTopics("BatchAnchored", [memberId]) as string[];
  const logs = await collectLogs(chain, { address: chain.deployment.records, topics });
  const mined = logs.map((log) => {
    const { transactionHash, blockNumber, blockHash } = log;
    return {
      firstIndex: Number(abi.parseLog(log)!.args["firstIndex"]),
      transactionHash,
      blockNumber,
      blockHash,
    };
  });
  const known = journal.batches().map(({ firstIndex, transactionHash, blockNumber, blockHash }) => {
    return { firstIndex, transactionHash, blockNumber, blockHash };
  });
  expect(known, "where the batches were mined").to.deep.equal(mined);
}

export function sorted(bodies: readonly (Buffer | string)[]): string[] {
  return bodies.map((body) => body.toString("base64")).sort();
}
