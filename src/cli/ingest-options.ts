// SPDX-License-Identifier: Apache-2.0
import type { IngestOptions } from "../ingest/index.js";
import { loadRules } from "../records/index.js";
import { wholeNumber } from "./arguments.js";

/** The options that `ingest` and `retry` share. */
export interface FilingValues {
  rules?: string;
  compartment?: string;
  batchItems?: string;
  batchWait?: string;
  chainWait?: string;
}

/** @throws ERR_USAGE, ERR_CONFIG_INVALID */
export async function ingestOptions(values: FilingValues): Promise<IngestOptions> {
  const { rules, compartment, batchItems, batchWait, chainWait } = values;
  return {
    ...(rules === undefined ? {} : { rules: await loadRules(rules) }),
    ...(compartment === undefined ? {} : { compartment }),
    ...(batchItems === undefined ? {} : { batchItems: wholeNumber(batchItems, "--batch-items", 1) }),
    ...(batchWait === undefined ? {} : { batchWait: wholeNumber(batchWait, "--batch-wait") }),
    ...(chainWait === undefined ? {} : { chainWait: wholeNumber(chainWait, "--chain-wait") }),
  };
}
