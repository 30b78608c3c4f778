// SPDX-License-Identifier: Apache-2.0
import { Gauge, Registry } from "prom-client";
import type { Reading } from "./collector.js";

/** A sample: its labels, and its value. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface Metric {
  help: string;
  labels?: readonly string[];
  /** None for what could not be read: a value of before would hide it. */
  samples: (reading: Reading) => readonly Sample[];
}

/** Every metric by its name, in base units: https://prometheus.io/docs/practices/naming/ */
export const METRICS: Readonly<Record<string, Metric>> = {
  chartseal_journal_up: {
    help: "1 when the journal can be read",
    samples: ({ journalError }) => [one(flag(journalError === undefined))],
  },
  chartseal_items: {
    help: "Items in the journal by state",
    labels: ["state"],
    samples: ({ journal }) =>
      Object.entries(journal?.items ?? {}).map(([state, count]) => [{ state }, count]),
  },
  chartseal_oldest_unanchored_age_seconds: {
    help: "Age of the oldest item that is sealed and not anchored; 0 for none",
    samples: ({ journal, at }) => some(journal, ({ oldestUnanchored = at }) => age(at, oldestUnanchored)),
  },
  chartseal_oldest_waiting_age_seconds: {
    help: "Age of the oldest item that waits for its patient to be enrolled; 0 for none",
    samples: ({ journal, at }) => some(journal, ({ oldestWaiting = at }) => age(at, oldestWaiting)),
  },
  chartseal_dead_letters: {
    help: "Refused items by reason, an error code",
    labels: ["reason"],
    samples: ({ journal }) =>
      (journal?.deadLetters ?? []).map(({ reason, count }): Sample => [{ reason }, count]),
  },
  chartseal_open_events: {
    help: "Items of which something follows that a person has to decide, or whose persons are not known yet",
    samples: ({ journal }) => some(journal, ({ openEvents }) => openEvents),
  },
  chartseal_open_batches: {
    help: "Batches that are built and not anchored",
    samples: ({ journal }) => some(journal, ({ openBatches }) => openBatches),
  },
  chartseal_log_entries: {
    help: "Entries of this member's log, as the journal and as the chain has it",
    labels: ["source"],
    samples: ({ journal, chain }) => [
      ...some(journal, ({ logHead }) => logHead, { source: "journal" }),
      ...some(chain?.member, ({ logHead }) => logHead, { source: "chain" }),
    ],
  },
  chartseal_last_batch_lag_seconds: {
    help: "From the arrival of the first item of the batch anchored last to its block",
    samples: ({ chain }) =>
      chain?.member?.lastBatchLag === undefined ? [] : [one(chain.member.lastBatchLag)],
  },
  chartseal_chain_up: {
    help: "1 when the node answers, is on the configured chain and holds the contracts",
    samples: ({ chain }) => [one(flag(chain !== undefined))],
  },
  chartseal_chain_head_age_seconds: {
    help: "Age of the newest block that the node shows",
    samples: ({ chain, at }) => some(chain, ({ blockTime }) => age(at, blockTime)),
  },
  chartseal_chain_head_block: {
    help: "Number of the newest block that the node shows",
    samples: ({ chain }) => some(chain, ({ block }) => block),
  },
  chartseal_operator_pending_transactions: {
    help: "Transactions of an anchoring account that wait in the node's pool",
    labels: ["account"],
    samples: (reading) => operators(reading, ({ pending }) => pending),
  },
  chartseal_operator_nonce_gap: {
    help: "Nonces that nobody holds before an account's first signed batch: nothing of it is mined until they are used",
    labels: ["account"],
    samples: (reading) => operators(reading, ({ gap }) => gap),
  },
  chartseal_operator_expiry_timestamp_seconds: {
    help: "When the contracts begin to refuse an anchoring account, Unix time",
    labels: ["account"],
    samples: (reading) => operators(reading, ({ notAfter }) => notAfter),
  },
  chartseal_emergencies_overdue: {
    help: "Emergencies for which this member should have filed its justification or review by now",
    labels: ["duty"],
    samples: ({ chain }) => [
      ...some(chain?.member, ({ overdue }) => overdue.justification, { duty: "justification" }),
      ...some(chain?.member, ({ overdue }) => overdue.review, { duty: "review" }),
    ],
  },
  chartseal_disk_free_bytes: {
    help: "Bytes that may still be written where a part of the data lies",
    labels: ["part"],
    samples: ({ disks }) => disks.map(({ part, free }): Sample => [{ part }, free]),
  },
  chartseal_disk_size_bytes: {
    help: "Size of the disk where a part of the data lies",
    labels: ["part"],
    samples: ({ disks }) => disks.map(({ part, size }): Sample => [{ part }, size]),
  },
  chartseal_store_up: {
    help: "1 when a store of bodies answers, by its place in chartseal.json, from 1 on",
    labels: ["replica"],
    samples: ({ stores }) => stores.up.map((up, place): Sample => [{ replica: String(place + 1) }, flag(up)]),
  },
  chartseal_stores_needed: {
    help: "Stores that must take a body before it counts as stored",
    samples: ({ stores }) => [one(stores.needed)],
  },
  chartseal_process_up: {
    help: "1 when a long-running process of this member gave a sign of life in the last 30 seconds",
    labels: ["process"],
    samples: ({ processes }) => processes.map(({ process, up }): Sample => [{ process }, flag(up)]),
  },
  chartseal_process_trouble: {
    help: "1 while a process that lives cannot do its work, by an error code",
    labels: ["process", "code"],
    samples: ({ processes }) =>
      processes.flatMap(({ process, trouble }): Sample[] =>
        trouble === undefined ? [] : [[{ process, code: trouble }, 1]],
      ),
  },
  chartseal_vault_locked: {
    help: "1 when no living process of this member has the vault open",
    samples: ({ vaultLocked }) => [one(flag(vaultLocked))],
  },
  chartseal_backup_newest_timestamp_seconds: {
    help: "When the newest backup was made, Unix time, as a process with the vault open says; 0 for never",
    samples: ({ processes, vaultLocked }) =>
      vaultLocked ? [] : [one(most(processes.map(({ newestBackupAt = 0 }) => newestBackupAt)))],
  },
  chartseal_backups_holding_erased: {
    help: "Backups that still open records which were erased since",
    samples: ({ processes, vaultLocked }) =>
      vaultLocked ? [] : [one(most(processes.map(({ backupsHoldingErased = 0 }) => backupsHoldingErased)))],
  },
};

/** A reading in the text format of Prometheus. */
export async function exposition(reading: Reading): Promise<{ text: string; contentType: string }> {
  const registry = new Registry();
  for (const [name, { help, labels = [], samples }] of Object.entries(METRICS)) {
    const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
    // By itself a gauge without labels begins at 0, which would say what is not known.
    if (labels.length === 0) gauge.remove();
    for (const [values, value] of samples(reading)) gauge.set({ ...values }, value);
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}

type Operator = NonNullable<NonNullable<Reading["chain"]>["member"]>["operators"][number];

function operators({ chain }: Reading, value: (operator: Operator) => number): Sample[] {
  return (chain?.member?.operators ?? []).map((each) => [{ account: each.account }, value(each)]);
}

function some<T>(part: T | undefined, value: (part: T) => number, labels: Sample[0] = {}): Sample[] {
  return part === undefined ? [] : [[labels, value(part)]];
}

function one(value: number): Sample {
  return [{}, value];
}

function flag(set: boolean): number {
  return set ? 1 : 0;
}

/** A clock that is behind must not make an age negative. */
function age(at: number, since: number): number {
  return Math.max(0, at - since);
}

function most(values: readonly number[]): number {
  return Math.max(0, ...values);
}
