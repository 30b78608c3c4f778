// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { leafFromJson, leafToJson, parseCid, type Leaf } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { ChartEntry } from "./chart.js";
import { hexSchema, readJson } from "./message.js";

const uint = z.int().nonnegative();

/** Where the custodian's log shows a batch. */
const batchSchema = z.strictObject({
  firstIndex: uint,
  count: uint,
  manifestDigest: hexSchema(32),
  blockNumber: uint,
  blockHash: hexSchema(32),
  transactionHash: hexSchema(32),
});
export type PageBatch = z.output<typeof batchSchema>;

const pageSchema = z.strictObject({
  format: z.literal(1),
  entries: z.array(
    z.strictObject({
      leaf: z.record(z.string(), z.unknown()),
      firstIndex: uint.positive(),
      count: uint.positive(),
      // A tree of 2^32 leaves, the most a batch can count, has proofs of 32 hashes.
      proof: z.array(hexSchema(32)).max(32),
      cid: z
        .string()
        .refine((text) => parseCid(text) !== undefined, "not a CID of the unixfs-v1-2025 profile"),
      status: uint,
      label: z.string(),
      mediaType: z.string(),
      size: uint,
      resourceType: z.string().optional(),
      recordedAt: z.string().optional(),
    }),
  ),
  batches: z.array(batchSchema),
});

/** What a custodian says of a patient's records. Nothing in it is checked yet. */
export interface IndexPageContent {
  entries: ChartEntry[];
  batches: Map<string, PageBatch>;
}

export function writePage(entries: readonly ChartEntry[], batches: readonly PageBatch[]): string {
  return JSON.stringify({
    format: 1,
    entries: entries.map((entry) => ({ ...entry, leaf: leafToJson(entry.leaf) })),
    batches,
  });
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parsePage(json: string): IndexPageContent {
  const page = readJson(json, pageSchema, "an index page");
  const entries = page.entries.map((raw): ChartEntry => {
    const { resourceType, recordedAt, ...fields } = raw;
    return {
      ...fields,
      leaf: leafFromJson(raw.leaf, "ERR_EXCHANGE_INVALID"),
      ...(resourceType === undefined ? {} : { resourceType }),
      ...(recordedAt === undefined ? {} : { recordedAt }),
    };
  });
  return { entries, batches: new Map(page.batches.map((batch) => [batchKey(batch), batch])) };
}

export function batchKey({ firstIndex, count }: { firstIndex: number; count: number }): string {
  return `${firstIndex}+${count}`;
}

/** The custodian's index shows an entry that is not so. */
export function wrongEntry(leaf: Leaf, why: string, cause?: unknown): ChartsealError {
  return new ChartsealError(
    "ERR_EXCHANGE_INVALID",
    `the custodian's index shows entry ${leaf.index} wrongly: ${why}`,
    {
      values: { index: leaf.index },
      cause,
    },
  );
}
