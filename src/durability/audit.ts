// SPDX-License-Identifier: Apache-2.0
import { randomInt } from "node:crypto";
import { ciphertextLength, parseCid, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { ItemState, isAlteredRow, type Journal, type JournalItem } from "../records/index.js";
import type { ByteRange, Replica } from "../storage/index.js";

/** Bytes that a store reads and compares in one piece. */
const BLOCK = 1_048_576;
/** Findings of a replica that a report names; it counts all. */
const MOST_NAMED = 1_000;

/** Something that a replica does not hold as it was anchored. */
export interface DurabilityFinding {
  /** Log index of the entry; of a batch manifest, of the batch's first entry. */
  index: number;
  of: "body" | "manifest";
  found: "missing" | "tampered" | "unreachable";
}

export interface AuditedReplica {
  name: string;
  /** Bodies and manifests that were whole where they were looked at. */
  whole: number;
  failed: number;
  /** The first 1,000 that were not. */
  findings: DurabilityFinding[];
}

/** Body of a DURABILITY_REPORT leaf, format 1. */
export interface DurabilityReport {
  format: 1;
  memberId: number;
  chainId: number;
  /** The RecordRegistry. */
  contract: Hex;
  /** The last entry that the audit knew of. */
  upTo: number;
  /** Unix seconds: when it began. */
  at: number;
  method: "sample" | "all";
  /** Of a sample: index of each entry that was looked at, and which 1 MiB block of its body, from 0. */
  looked?: [index: number, block: number][];
  replicas: AuditedReplica[];
}

export interface AuditParts {
  memberId: number;
  chainId: number;
  contract: Hex;
  journal: Journal;
  replicas: readonly Replica[];
}

export interface StoreAuditOptions {
  /** How many entries to look at, one at random in each of as many equal parts of the log; left out: all, whole. */
  sample?: number;
  /** Unix seconds. */
  now?: number;
  onProgress?: (progress: { done: number; total: number }) => void;
  signal?: AbortSignal;
}

/** What to fetch, and as what it counts. */
interface Probe {
  index: number;
  of: "body" | "manifest";
  cid: string;
  /** Left out: the whole body. */
  range?: ByteRange;
}

/**
 * Fetches anchored bodies, or a random part of some, and the manifests of their batches from each replica, and compares
 * them with their CIDs. What is missing, damaged or out of reach is in the report, not thrown.
 * @throws ERR_STORE_FAILED when the journal's row of an entry was altered: what to look for is not known then
 */
export async function auditStores(
  parts: AuditParts,
  { sample, now = Date.now() / 1_000, onProgress, signal }: StoreAuditOptions = {},
): Promise<DurabilityReport> {
  const { memberId, chainId, contract, journal, replicas } = parts;
  const newest = journal.newestAnchored();
  const upTo = newest === undefined ? 0 : newest.firstIndex + newest.count - 1;
  const audited = replicas.map(({ name }): AuditedReplica => ({ name, whole: 0, failed: 0, findings: [] }));
  const looked: [number, number][] = [];
  const total = Math.min(sample ?? upTo, upTo);
  let done = 0;
  for (const entry of sample === undefined ? allEntries(journal) : sampledEntries(journal, upTo, total)) {
    for (const probe of probesOf(journal, entry, sample !== undefined)) {
      signal?.throwIfAborted();
      if (probe.of === "body") looked.push([probe.index, Math.floor((probe.range?.offset ?? 0) / BLOCK)]);
      await Promise.all(
        replicas.map(async (replica, place) => note(audited[place]!, probe, await look(replica, probe))),
      );
    }
    onProgress?.({ done: ++done, total });
  }
  return {
    format: 1,
    ...{ memberId, chainId, contract, upTo, at: Math.floor(now) },
    ...(sample === undefined ? { method: "all" } : { method: "sample", looked }),
    replicas: audited,
  };
}

/** An entry, and the manifest of its batch when that is due with it. */
interface Entry {
  item: JournalItem;
  manifest?: { firstIndex: number; cid: string };
}

function* allEntries(journal: Journal): Generator<Entry> {
  for (const batch of journal.batches()) {
    if (batch.state !== ItemState.ANCHORED) continue;
    let manifest: Entry["manifest"] = { firstIndex: batch.firstIndex, cid: batch.manifestCid };
    for (const row of journal.itemsOfBatch(batch.id)) {
      const item = isAlteredRow(row) ? journal.item(row.id)! : row; // which throws
      yield { item, ...(manifest === undefined ? {} : { manifest }) };
      manifest = undefined;
    }
  }
}

/** One entry at random in each of `count` equal parts of the log: no stretch of it is passed over. */
function* sampledEntries(journal: Journal, upTo: number, count: number): Generator<Entry> {
  const manifests = new Set<string>();
  for (let part = 0; part < count; part++) {
    const first = 1 + Math.floor((part * upTo) / count);
    const end = 1 + Math.floor(((part + 1) * upTo) / count);
    const item = journal.itemAt(randomInt(first, end));
    const batch = item?.batchId === undefined ? undefined : journal.batch(item.batchId);
    if (item === undefined || batch === undefined) continue;
    const { firstIndex, manifestCid: cid } = batch;
    yield { item, ...(manifests.has(cid) ? {} : { manifest: { firstIndex, cid } }) };
    manifests.add(cid);
  }
}

function probesOf(journal: Journal, { item, manifest }: Entry, sampled: boolean): Probe[] {
  const probes: Probe[] = [];
  if (manifest !== undefined) probes.push({ index: manifest.firstIndex, of: "manifest", cid: manifest.cid });
  if (item.erased || item.cid === undefined) return probes;
  const body: Probe = { index: item.logIndex!, of: "body", cid: item.cid };
  const isOneBlock = parseCid(item.cid)?.oneBlock === true;
  probes.push(isOneBlock || !sampled ? body : { ...body, range: randomBlock(journal.details(item.id).size) });
  return probes;
}

/** A sealed body is longer than its source bytes; what comes after those whole blocks counts as one more. */
function randomBlock(sourceSize: number): ByteRange {
  const blocks = Math.floor(ciphertextLength(sourceSize) / BLOCK);
  const block = randomInt(0, blocks + 1);
  return { offset: block * BLOCK, ...(block < blocks ? { length: BLOCK } : {}) };
}

async function look(
  { store }: Replica,
  { cid, range }: Probe,
): Promise<"whole" | DurabilityFinding["found"]> {
  try {
    for await (const _ of store.get(cid, range));
    return "whole";
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    if (error.code === "ERR_BODY_MISSING") return "missing";
    // A body that ends before its block begins is damaged too.
    return error.code === "ERR_BODY_TAMPERED" || error.code === "ERR_USAGE" ? "tampered" : "unreachable";
  }
}

function note(
  replica: AuditedReplica,
  { index, of }: Probe,
  found: "whole" | DurabilityFinding["found"],
): void {
  if (found === "whole") {
    replica.whole++;
    return;
  }
  replica.failed++;
  if (replica.findings.length < MOST_NAMED) replica.findings.push({ index, of, found });
}
