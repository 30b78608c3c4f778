// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, type Chain } from "../chain/index.js";
import { LeafKind, type Hex } from "../crypto/index.js";
import { ItemState, type Journal } from "../records/index.js";
import type { RetentionPeriods } from "../config.js";
import type { Vault } from "../vault/index.js";
import { timeOn } from "./deadline.js";

const MS_PER_DAY = 86_400_000;
const SECONDS_PER_DAY = 86_400;
/** Rows read at a time. */
const PAGE = 1_000;

export interface RetainedEntry {
  index: number;
  patientId: Hex;
  /** Days since 1970. */
  recordedDay: number;
  /** Last day on which it is kept: of this member's period or the consortium's, the later one. */
  keptUntilDay: number;
  resourceType?: string;
  /** A legal hold goes on past the period. */
  held: boolean;
}

export interface RetentionParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  journal: Journal;
}

/** Records whose retention period is over, oldest entry first. Nothing is erased by itself. */
export async function* retentionEnded(
  { memberId, chain, vault, journal }: RetentionParts,
  periods: RetentionPeriods,
): AsyncGenerator<RetainedEntry> {
  const today = Math.floor((await timeOn(chain)) / SECONDS_PER_DAY);
  const consortium = Number(await chain.ask(() => chain.records.RETENTION()));
  for (let last = 0; ;) {
    const rows = journal.database.all(
      `SELECT log_index FROM items WHERE state = ${ItemState.ANCHORED} AND kind = ${LeafKind.RECORD} AND erased = 0
         AND recorded_day < ? AND log_index > ? ORDER BY log_index LIMIT ${PAGE}`,
      today - consortium,
      last,
    );
    for (const row of rows) {
      last = Number(row["log_index"]);
      const item = journal.itemAt(last)!;
      const { recordedDay } = item;
      const patientId = item.patientId!;
      const { resourceType } = journal.details(item.id);
      const compartment = () => nameOf(vault.compartments(patientId), item.compartment!);
      const own = dayAfter(recordedDay, yearsOf(periods, resourceType, compartment));
      const keptUntilDay = Math.max(own, recordedDay + consortium);
      if (keptUntilDay >= today) continue;
      const status = Number(await chain.ask(() => chain.records.statusOf(memberId, last)));
      if ((status & ENTRY_STATUS.ERASED) !== 0) continue;
      const held = (status & ENTRY_STATUS.HELD) !== 0;
      const type = resourceType === undefined ? {} : { resourceType };
      yield { index: last, patientId, recordedDay, keptUntilDay, ...type, held };
    }
    if (rows.length < PAGE) return;
  }
}

/** The first rule that fits, else the period of all others. */
function yearsOf(
  { years, rules = [] }: RetentionPeriods,
  resourceType: string | undefined,
  compartmentOf: () => string | undefined,
): number {
  const compartment = rules.some((rule) => rule.compartment !== undefined) ? compartmentOf() : undefined;
  const fits = rules.find(
    (rule) =>
      (rule.type === undefined || rule.type === resourceType) &&
      (rule.compartment === undefined || rule.compartment === compartment),
  );
  return fits?.years ?? years;
}

/** The same date so many years later; 29 February gives way to 1 March. */
function dayAfter(day: number, years: number): number {
  const date = new Date(day * MS_PER_DAY);
  return Math.floor(date.setUTCFullYear(date.getUTCFullYear() + years) / MS_PER_DAY);
}

function nameOf(compartments: Record<string, number>, number: number): string | undefined {
  return Object.entries(compartments).find(([, own]) => own === number)?.[0];
}
