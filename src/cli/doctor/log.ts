// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import type { Chain } from "../../chain/index.js";
import { toHex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { ItemState, journalTrust, type Journal, type JournalBatch } from "../../records/index.js";
import { foldersOf, openStore, type StoreConfig } from "../../storage/index.js";
import type { Vault } from "../../vault/index.js";
import { dayText } from "../arguments.js";
import type { Diagnosis } from "./diagnosis.js";

/** Findings of one kind that are named one by one. */
const NAMED = 5;

export function checkJournal(diagnosis: Diagnosis, journal: Journal): void {
  try {
    using _ = journal.lock();
    diagnosis.ok("journal", "readable, and nobody writes it");
  } catch (error) {
    if (!(error instanceof ChartsealError) || error.code !== "ERR_JOURNAL_LOCKED") throw error;
    diagnosis.warn("journal", "another process writes it now", "counts and heads below may change meanwhile");
  }
}

/** Whether the journal's rows are as chartseal wrote them, and since when that can be told. */
export function checkRows(diagnosis: Diagnosis, journal: Journal, vault: Vault): void {
  const check = "journal rows";
  const { items, batches } = journal.rows.findAltered(journal.database);
  for (const [what, ids] of [["items", items] as const, ["batches", batches] as const]) {
    if (ids.length === 0) continue;
    const named = ids.slice(0, NAMED).join(", ");
    diagnosis.fail(
      check,
      `${ids.length} ${what} were altered past chartseal: ${named}${ids.length > NAMED ? ", ..." : ""}`,
      "find out who writes the journal's file; put the rows back from a backup, then `chartseal retry --dead`",
    );
  }
  if (items.length + batches.length > 0) return;
  const { since, taken } = journalTrust(vault)!;
  const day = dayText(new Date(since * 1_000));
  diagnosis.ok(
    check,
    `all as they were written; authenticated since ${day}, when ${taken} items were taken on trust`,
  );
}

/** Holds the journal against the chain: the head, and every batch's root. */
export async function checkLog(
  diagnosis: Diagnosis,
  chain: Chain,
  journal: Journal,
  memberId: number,
): Promise<void> {
  const batches = journal.batches().filter((batch) => batch.state === ItemState.ANCHORED);
  const last = batches.at(-1);
  const own = last === undefined ? 0 : last.firstIndex + last.count - 1;
  const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
  if (own === head) diagnosis.ok("log head", `${head} entries, in the journal and on chain`);
  else if (own < head) {
    diagnosis.fail(
      "log head",
      `the chain has ${head} entries, the journal ${own}`,
      "`chartseal retry` if batches are open; else the journal is an older copy: restore the newest",
    );
  } else {
    diagnosis.fail(
      "log head",
      `the journal has ${own} entries, the chain ${head}`,
      "the node is behind or was reset: sync it, then `chartseal retry`",
    );
  }
  const wrong: JournalBatch[] = [];
  for (const batch of batches) if (!(await hasRoot(chain, memberId, batch))) wrong.push(batch);
  for (const { firstIndex, count } of wrong.slice(0, NAMED)) {
    diagnosis.fail(
      "log roots",
      `the batch of ${count} entries from ${firstIndex} has another root on chain, or none`,
      "the journal was altered or restored: keep it, and restore the newest backup",
    );
  }
  if (wrong.length === 0) diagnosis.ok("log roots", `${batches.length} batches have their roots on chain`);
}

export async function checkStore(diagnosis: Diagnosis, config: StoreConfig, journal: Journal): Promise<void> {
  const batches = journal.batches();
  // The first ingest makes the folders.
  const unmade = foldersOf(config).some((folder) => !existsSync(folder));
  if (batches.length === 0 && unmade) return diagnosis.ok("store", "empty");
  await using store = await openStore(config, { readOnly: true });
  const missing: number[] = [];
  for (const { firstIndex, manifestCid } of batches) {
    if (!(await store.has(manifestCid))) missing.push(firstIndex);
  }
  if (missing.length === 0) return diagnosis.ok("store", `holds the manifests of ${batches.length} batches`);
  const named = missing.slice(0, NAMED).join(", ");
  diagnosis.fail(
    "store",
    `lacks the batch manifests of the entries from ${named}`,
    "restore the store; `chartseal verify --log` names every missing body",
  );
}

async function hasRoot(
  chain: Chain,
  memberId: number,
  { firstIndex, count, root }: JournalBatch,
): Promise<boolean> {
  try {
    const found = await chain.ask(() => chain.records.rootAndStatus(memberId, firstIndex, count, firstIndex));
    return found.root === toHex(root);
  } catch (error) {
    if (error instanceof ChartsealError && error.values["reason"] === "BatchUnknown") return false;
    throw error;
  }
}
