// SPDX-License-Identifier: Apache-2.0
import type { Log } from "ethers";
import type { Chain } from "./chain.js";

/** Besu refuses eth_getLogs over more blocks than this (-32602). */
const BLOCKS_PER_QUERY = 5_000;

export interface LogFilter {
  address: string;
  /** As in eth_getLogs: null for any, an array for alternatives. */
  topics: (string | string[] | null)[];
  /** First block; default: the deployment's. Pass the last block seen plus one to resume. */
  fromBlock?: number;
  /** Last block; default: the newest. */
  toBlock?: number;
  /** Told the last block of each chunk when it is done. */
  onChunk?: (toBlock: number) => void;
}

/** Fetches logs in chain order, in chunks that any node accepts. */
export async function* readLogs(chain: Chain, filter: LogFilter): AsyncGenerator<Log> {
  const last = filter.toBlock ?? (await chain.ask(() => chain.provider.getBlockNumber()));
  const first = filter.fromBlock ?? chain.deployment.fromBlock;
  for (let fromBlock = first; fromBlock <= last; fromBlock += BLOCKS_PER_QUERY) {
    const toBlock = Math.min(fromBlock + BLOCKS_PER_QUERY - 1, last);
    const { address, topics } = filter;
    yield* await chain.ask(() => chain.provider.getLogs({ address, topics, fromBlock, toBlock }));
    filter.onChunk?.(toBlock);
  }
}

export async function collectLogs(chain: Chain, filter: LogFilter): Promise<Log[]> {
  return await Array.fromAsync(readLogs(chain, filter));
}
