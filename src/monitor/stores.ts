// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import type { Config } from "../config.js";
import { openStore, type EmbeddedConfig, type KuboConfig } from "../storage/index.js";

/** Milliseconds that an IPFS node has to answer: less than a scrape waits. */
const ANSWER_MS = 3_000;

/** The stores of a member's bodies, and how many of them must take one. */
export interface Stores {
  /** In the order of chartseal.json. */
  up: boolean[];
  /** In how many a body must be durable before it counts as stored. */
  needed: number;
}

/**
 * Asks each store for the first body that it lists. Writes nothing.
 * @param begun Whether a record was ever taken: the first one makes the folders
 */
export async function readStores({ store }: Pick<Config, "store">, begun: boolean): Promise<Stores> {
  const replicas = store.kind === "replicated" ? store.replicas : [store];
  const needed = store.kind === "replicated" ? store.write : 1;
  return { up: await Promise.all(replicas.map((replica) => answers(replica, begun))), needed };
}

async function answers(config: EmbeddedConfig | KuboConfig, begun: boolean): Promise<boolean> {
  if (config.kind === "embedded" && !begun && !existsSync(config.folder)) return true;
  const asked = config.kind === "kubo" ? { ...config, timeoutMs: ANSWER_MS } : config;
  try {
    await using store = await openStore(asked, { readOnly: true });
    for await (const _ of store.list()) break;
    return true;
  } catch {
    return false;
  }
}
