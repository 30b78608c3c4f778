// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import {
  RECEIPT_FORMAT,
  fromHex,
  leafFromJson,
  leafHash,
  leafToJson,
  verifyInclusion,
  type Hex,
  type Leaf,
  type Receipt,
} from "../crypto/index.js";
import type { Chain } from "../chain/index.js";
import type { Terms } from "../consent/index.js";
import { ChartsealError } from "../errors.js";
import type { Scope } from "./access-event.js";

/** What the custodian says of an entry without opening it. */
export interface EntryLabels {
  label: string;
  mediaType: string;
  size: number;
  resourceType?: string;
  recordedAt?: string;
}

/** One entry of a patient's index, checked against the chain. */
export interface ChartEntry extends EntryLabels {
  leaf: Leaf;
  firstIndex: number;
  count: number;
  proof: Hex[];
  cid: string;
  /** Flags of EntryStatus.sol, when the page was made. */
  status: number;
}

const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>;
const uint = z.int().nonnegative();

const pageSchema = z.strictObject({
  format: z.literal(1),
  entries: z.array(
    z.strictObject({
      leaf: z.record(z.string(), z.unknown()),
      firstIndex: uint,
      count: uint,
      proof: z.array(hex32).max(32),
      cid: z.string(),
      status: uint,
      label: z.string(),
      mediaType: z.string(),
      size: uint,
      resourceType: z.string().optional(),
      recordedAt: z.string().optional(),
    }),
  ),
  batches: z.array(
    z.strictObject({
      firstIndex: uint,
      count: uint,
      manifestDigest: hex32,
      blockNumber: uint,
      blockHash: hex32,
      transactionHash: hex32,
    }),
  ),
});
export type IndexPageContent = z.output<typeof pageSchema>;

export interface PageBatch {
  firstIndex: number;
  count: number;
  manifestDigest: Hex;
  blockNumber: number;
  blockHash: Hex;
  transactionHash: Hex;
}

export function writePage(entries: readonly ChartEntry[], batches: readonly PageBatch[]): string {
  return JSON.stringify({
    format: 1,
    entries: entries.map((entry) => ({ ...entry, leaf: leafToJson(entry.leaf) })),
    batches,
  });
}

/**
 * A patient's records at one custodian, as far as a grant shows them. Every entry's proof was checked against a
 * root that the reader's own node holds.
 */
export class Chart {
  readonly terms: Terms;
  readonly entries: readonly ChartEntry[];
  /**
   * Numbers (patientSeq) that are missing between the first and the last shown. They are other compartments or
   * days that the grant leaves out; under a grant of everything, the custodian keeps something back.
   */
  readonly gaps: readonly number[];
  readonly #receipts: ReadonlyMap<number, Receipt>;

  constructor(terms: Terms, entries: readonly ChartEntry[], receipts: ReadonlyMap<number, Receipt>) {
    this.terms = terms;
    this.entries = entries;
    this.gaps = gapsOf(entries);
    this.#receipts = receipts;
  }

  /** Entries that match every criterion given. */
  filter(criteria: { type?: string; indices?: readonly number[]; current?: boolean }): Chart {
    const { type, indices, current } = criteria;
    const kept = this.entries.filter(
      (entry) =>
        (type === undefined || entry.resourceType === type) &&
        (indices === undefined || indices.includes(entry.leaf.index)) &&
        (current !== true || entry.status === 0),
    );
    return new Chart(this.terms, kept, this.#receipts);
  }

  /** Evidence for one entry, for verification offline. */
  receipt(index: number): Receipt {
    const receipt = this.#receipts.get(index);
    if (receipt === undefined) throw new ChartsealError("ERR_USAGE", `the chart shows no entry ${index}`);
    return receipt;
  }
}

/**
 * Reads an index page and checks everything that the custodian could have got wrong.
 * @throws ERR_EXCHANGE_INVALID naming the entry
 */
export async function readChart(
  chain: Chain,
  json: string,
  expected: { terms: Terms; custodian: number; scope: Scope },
): Promise<Chart> {
  const page = parsePage(json);
  const receipts = new Map<number, Receipt>();
  const roots = new Map<string, Hex>();
  const entries: ChartEntry[] = [];
  for (const raw of page.entries) {
    const { resourceType, recordedAt, ...fields } = raw;
    const entry: ChartEntry = {
      ...fields,
      leaf: leafFromJson(raw.leaf),
      ...(resourceType === undefined ? {} : { resourceType }),
      ...(recordedAt === undefined ? {} : { recordedAt }),
    };
    requireInside(entry.leaf, expected);
    const root = await rootOf(chain, roots, entry);
    const position = entry.leaf.index - entry.firstIndex;
    const proof = entry.proof.map((node) => fromHex(node, 32));
    if (!verifyInclusion(leafHash(entry.leaf), position, entry.count, proof, fromHex(root, 32))) {
      throw wrong(entry.leaf, "its leaf is not under the root on chain");
    }
    entries.push(entry);
    receipts.set(entry.leaf.index, receiptOf(chain, entry, root, page));
  }
  return new Chart(expected.terms, entries, receipts);
}

function parsePage(json: string): IndexPageContent {
  const parsed = pageSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  throw new ChartsealError("ERR_EXCHANGE_INVALID", `an index page has a bad ${parsed.error.issues[0]?.path.join(".")}`);
}

function requireInside(leaf: Leaf, expected: { terms: Terms; custodian: number; scope: Scope }): void {
  const { terms, custodian, scope } = expected;
  if (leaf.memberId !== custodian) throw wrong(leaf, `it is of member ${leaf.memberId}`);
  if (leaf.patientId !== terms.patientId) throw wrong(leaf, "it is of another patient");
  const inScope =
    leaf.index <= scope.upTo &&
    ((scope.compartments >> BigInt(leaf.compartment)) & 1n) === 1n &&
    leaf.recordedDay >= scope.recordedFrom &&
    leaf.recordedDay <= scope.recordedTo;
  if (!inScope) throw wrong(leaf, "it lies outside the scope that was asked for");
}

async function rootOf(chain: Chain, roots: Map<string, Hex>, { leaf, firstIndex, count }: ChartEntry): Promise<Hex> {
  const key = `${firstIndex}+${count}`;
  const known = roots.get(key);
  if (known !== undefined && leaf.index >= firstIndex && leaf.index < firstIndex + count) return known;
  const found = await chain.ask(() => chain.records.rootAndStatus(leaf.memberId, firstIndex, count, leaf.index));
  roots.set(key, found.root as Hex);
  return found.root as Hex;
}

function receiptOf(chain: Chain, entry: ChartEntry, root: Hex, page: IndexPageContent): Receipt {
  const { leaf, firstIndex, count, proof, cid } = entry;
  const batch = page.batches.find((candidate) => candidate.firstIndex === firstIndex && candidate.count === count);
  if (batch === undefined) throw wrong(leaf, "the page says nothing of its batch");
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

function gapsOf(entries: readonly ChartEntry[]): number[] {
  const seqs = entries.map((entry) => entry.leaf.patientSeq).sort((a, b) => a - b);
  const shown = new Set(seqs);
  const last = seqs.at(-1) ?? 0;
  return Array.from({ length: last }, (_, position) => position + 1).filter((seq) => !shown.has(seq));
}

function wrong(leaf: Leaf, why: string): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `the custodian's index shows entry ${leaf.index} wrongly: ${why}`, {
    values: { index: leaf.index },
  });
}
