// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import type { Chain } from "../chain/index.js";
import type { Config } from "../config.js";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { readJournalFigures, type JournalFigures } from "../records/index.js";
import { ChainReader, type ChainFigures } from "./chain-figures.js";
import { readDisks, type Disk } from "./disks.js";
import { readStores, type Stores } from "./stores.js";
import { readHeartbeats, type ProcessState } from "./heartbeat.js";

/** Milliseconds for which a reading is taken as new: whoever asks often asks node and journal no more often. */
const FRESH_MS = 1_000;
/** Bytes below which the next record may find no room. */
const LEAST_FREE = 64 * 1024 * 1024;

/** What a monitor knows at one moment. What could not be read is left out, its error code in its place. */
export interface Reading {
  /** Unix seconds. */
  at: number;
  journal?: JournalFigures;
  journalError?: ErrorCode;
  chain?: ChainFigures;
  chainError?: ErrorCode;
  disks: Disk[];
  stores: Stores;
  processes: ProcessState[];
  /** No process of this member that lives has the vault open. */
  vaultLocked: boolean;
}

/** Whether this member can take and release records now. */
export interface Ready {
  ready: boolean;
  /** The journal can be read. */
  journal: boolean;
  /** The node answers and holds the deployment's contracts. */
  chain: boolean;
  /** There is room on every disk. */
  disk: boolean;
  /** As many stores of bodies answer as must take one. */
  store: boolean;
  /** Every process that is expected lives. */
  processes: boolean;
  /** Some process has the vault open. */
  vault: boolean;
}

export interface CollectorOptions {
  config: Config;
  chain: Chain;
  /** Folder of the processes' heartbeats. */
  heartbeats: string;
  /** Names of processes that should run. */
  expected: readonly string[];
}

/** Reads what an operator watches, from outside of every process and without a passphrase. Writes nothing. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #chain: ChainReader;
  #reading: Promise<Reading> | undefined;
  /** When the reading was done; one that a slow node still holds up serves everybody who waits. */
  #readAt = Infinity;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#chain = new ChainReader(options.chain, options.config.member.id);
  }

  /** Never throws: what cannot be read is part of the answer. */
  async read(): Promise<Reading> {
    if (this.#reading === undefined || performance.now() - this.#readAt > FRESH_MS) {
      this.#readAt = Infinity;
      this.#reading = this.#read().finally(() => (this.#readAt = performance.now()));
    }
    return await this.#reading;
  }

  async ready(): Promise<Ready> {
    const reading = await this.read();
    const parts = {
      journal: reading.journalError === undefined,
      chain: reading.chain !== undefined,
      disk: reading.disks.length > 0 && reading.disks.every(({ free }) => free >= LEAST_FREE),
      store: reading.stores.up.filter(Boolean).length >= reading.stores.needed,
      processes: reading.processes.every(
        ({ process, up }) => up || !this.#options.expected.includes(process),
      ),
      vault: !reading.vaultLocked,
    };
    return { ready: Object.values(parts).every(Boolean), ...parts };
  }

  async #read(): Promise<Reading> {
    const { config, heartbeats, expected } = this.#options;
    const journal = await attempt(() => journalOf(config));
    const chain = await attempt(() => this.#chain.read(journal.value));
    const processes = readHeartbeats(heartbeats, expected);
    return {
      at: Math.floor(Date.now() / 1_000),
      ...(journal.value === undefined ? {} : { journal: journal.value }),
      ...(journal.code === undefined ? {} : { journalError: journal.code }),
      ...(chain.value === undefined ? {} : { chain: chain.value }),
      ...(chain.code === undefined ? {} : { chainError: chain.code }),
      disks: await readDisks(config),
      stores: await readStores(config, hasItems(journal.value)),
      processes,
      vaultLocked: !processes.some(({ vaultUnlocked }) => vaultUnlocked),
    };
  }
}

function hasItems(journal: JournalFigures | undefined): boolean {
  return Object.values(journal?.items ?? {}).some((count) => count > 0);
}

/** Before the first record there is no journal, which is no fault. */
function journalOf({ journal, vault }: Config): JournalFigures | undefined {
  if (!existsSync(journal) && existsSync(vault)) return undefined;
  return readJournalFigures(journal);
}

async function attempt<T>(work: () => T | Promise<T>): Promise<{ value?: T; code?: ErrorCode }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { code: error instanceof ChartsealError ? error.code : "ERR_INTERNAL" };
  }
}
