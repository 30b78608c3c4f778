// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import type { ChartsealError } from "../errors.js";
import type { Journal, JournalBatch, PatientRules } from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import type { Lag } from "./lag.js";

export interface IngestProgress {
  /** Items read from the source. */
  read: number;
  known: number;
  sealed: number;
  waiting: number;
  dead: number;
  anchored: number;
  bytesRead: number;
  totalBytes: number | undefined;
  /** How long items took to stand on chain; left out before the first batch. */
  lag?: Lag;
}

export interface IngestOptions {
  /** Whose record an item is; default: what the items say. */
  rules?: PatientRules;
  /** Compartment that the records are filed in. Default "general". */
  compartment?: string;
  /** Most items of a batch: 1 to 10,000. Default 1,000. */
  batchItems?: number;
  /** Milliseconds after which an incomplete batch is closed. Default 5,000. */
  batchWait?: number;
  /** Milliseconds that the end of the run waits for a node that does not answer. Default 15,000. */
  chainWait?: number;
  onProgress?: (progress: IngestProgress) => void;
  /** Stops between groups: what was taken is safe, and the next run goes on. */
  signal?: AbortSignal;
}

export interface IngestResult extends IngestProgress {
  /** Batches anchored in this run. */
  batches: JournalBatch[];
  /** Items that could not be taken, with the reason of each: the first 1,000. The journal lists all. */
  refused: { label: string; error: ChartsealError }[];
  /** Older entries marked as superseded. */
  superseded: number;
  /** Entries marked as entered in error, for their source took them back. */
  retracted: number;
  /** Entries that their source took back and that stay as they are while they are under legal hold. */
  held: number;
  /** Messages about who is who (merges, links, and their end) that were followed. */
  followed: number;
  /** Items of this run of which something follows that waits for a patient, or for a person to decide. */
  events: number;
  /** Why not everything sealed is anchored yet; it is safe, and the next run goes on. */
  failure?: ChartsealError;
}

/** The result of a run that has read nothing yet. */
export function emptyResult(totalBytes: number | undefined): IngestResult {
  return {
    ...{ read: 0, known: 0, sealed: 0, waiting: 0, dead: 0, anchored: 0, bytesRead: 0, totalBytes },
    ...{ superseded: 0, retracted: 0, held: 0, followed: 0, events: 0, batches: [], refused: [] },
  };
}

export interface IngestParts {
  memberId: number;
  vault: Vault;
  store: BlobStore;
  journal: Journal;
  chain: Chain;
  writer: Writer;
}
