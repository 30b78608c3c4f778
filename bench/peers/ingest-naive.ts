// SPDX-License-Identifier: Apache-2.0
// The loop that one writes first: seal a record, commit its key, body and row, send its transaction; 64 under way.
// node ingest-naive.ts CHARTSEAL.JSON FILE.NDJSON
//
// It is given what it can be given: nonces counted in memory, no batch manifest, no check for amendments.
import { hash, randomBytes } from "node:crypto";
import { waitForReceipt } from "../../src/chain/index.js";
import { LEAF_FORMAT, LeafKind, leafHash, sealBytes, toHex } from "../../src/crypto/index.js";
import { ndjsonSource } from "../../src/ingest/index.js";
import { ItemState, isBadItem, type SourceItem } from "../../src/records/index.js";
import { openHospital } from "../../test/support/hospital.js";
import { begin } from "./ingest-outcome.js";

const IN_FLIGHT = 64;
const GAS_LIMIT = 200_000n;
const ZERO = `0x${"00".repeat(32)}` as const;

const [config = "", file = ""] = process.argv.slice(2);
await using hospital = await openHospital({ config });
const { chain, vault, store, journal, memberId } = hospital;
const signer = hospital.signer("operator");
let nonce = await chain.provider.getTransactionCount(signer.address);
const seqs = new Map<string, number>();
const outcome = { records: 0, bytes: 0, gas: 0 };

const say = begin();
const underWay = new Set<Promise<void>>();
for await (const item of ndjsonSource(file)) {
  if (isBadItem(item)) throw item.error;
  while (underWay.size >= IN_FLIGHT) await Promise.race(underWay);
  const sent = await takeOne(item, ++outcome.records);
  const done: Promise<void> = mined(sent).finally(() => underWay.delete(done));
  underWay.add(done);
  outcome.bytes += item.size;
}
await Promise.all(underWay);
say(outcome);

/** @returns the transaction's hash */
async function takeOne(item: SourceItem, index: number): Promise<string> {
  const [reference] = item.subjects[0]!;
  const patientId = vault.patientByIdentifier(reference!)!;
  const compartment = vault.compartmentOf(patientId, "general");
  const [recordId, contentKey, salt] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const { sourceKey, label, mediaType, size } = item;
  const body = item.bytes!;
  const sha256 = hash("sha256", body, "buffer");
  const receivedAt = new Date().toISOString();
  const manifest = { format: 1, sourceKey, label, mediaType, size, sha256: toHex(sha256), receivedAt };
  vault.putKeys([{ recordId, contentKey }]);
  const stored = await store.put(sealBytes({ manifest, body, contentKey, memberId, recordId }));
  const recordedDay = 19_000;
  const patientSeq = (seqs.get(patientId) ?? 0) + 1;
  seqs.set(patientId, patientSeq);
  journal.add({
    itemMac: journal.macOf("item", sourceKey, sha256),
    sourceMac: journal.macOf("source", sourceKey),
    state: ItemState.SEALED,
    sealed: { recordId, cid: stored.cid, contentDigest: stored.sha256 },
    details: { sourceKey, label, path: item.path, mediaType, size },
    recordedDay,
    receivedAt: Math.floor(Date.now() / 1_000),
    patient: { patientId, compartment },
  });
  const root = leafHash({
    format: LEAF_FORMAT,
    memberId,
    index,
    kind: LeafKind.RECORD,
    compartment,
    recordedDay,
    patientId,
    patientSeq,
    ref: ZERO,
    contentDigest: toHex(stored.sha256),
    salt: toHex(salt),
  });
  const { to, data } = await chain.records.anchor.populateTransaction(index, 1, root, ZERO);
  const { chainId } = chain;
  const request = { type: 0, chainId, to, data, gasPrice: 0, gasLimit: GAS_LIMIT, nonce: nonce++, value: 0 };
  return (await chain.provider.send("eth_sendRawTransaction", [
    await signer.signTransaction(request),
  ])) as string;
}

async function mined(transaction: string): Promise<void> {
  const receipt = await waitForReceipt(chain, transaction);
  if (receipt.status !== 1) throw new Error(`${transaction} was reverted`);
  outcome.gas += Number(receipt.gasUsed);
}
