// SPDX-License-Identifier: Apache-2.0
import type { ChartsealError } from "../../errors.js";
import type { JournalBatch } from "../../records/index.js";
import type { Marked } from "../anchoring.js";
import type { IngestOptions } from "../ingest-run.js";

export interface LiveOptions extends Pick<
  IngestOptions,
  "rules" | "compartment" | "batchItems" | "batchWait" | "chainWait"
> {
  /** Most items, and most bytes, on their way in. Default 5,000 and 64 MiB. */
  mostItems?: number;
  mostBytes?: number;
  /** Nothing is taken while so many sealed items wait for the chain. Default: any number may. */
  mostUnanchored?: number;
  /** Hours for which a sender's message number must not come with other bytes. Default 24. */
  controlHours?: number;
  /** Milliseconds between looks at what waits for its patient. Default 30,000. */
  refileEvery?: number;
  /** Milliseconds between marks of amended entries. Default 30,000. */
  markEvery?: number;
}

/** What whoever runs a live intake hears of. */
export interface LiveEvents {
  onAnchored?: (batch: JournalBatch) => void;
  /** An item whose row in the journal was altered past chartseal is set aside. */
  onUnsound?: (error: ChartsealError) => void;
  /** Entries that were marked on chain as superseded or retracted. */
  onMarked?: (marked: Marked) => void;
  /** Items whose patient was unknown and is enrolled now. */
  onFiled?: (items: number) => void;
  /** Why nothing is anchored now; undefined once it goes on. */
  onChain?: (failure: ChartsealError | undefined) => void;
}
