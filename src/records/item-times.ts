// SPDX-License-Identifier: Apache-2.0
import type { Journal } from "./journal.js";

/** When an item came, in Unix seconds; 0 for no such item. */
export function receivedAt({ database }: Pick<Journal, "database">, id: number): number {
  return Number(database.get("SELECT received_at FROM items WHERE id = ?", id)?.["received_at"] ?? 0);
}

/** When an entry's item came, in Unix seconds, and the time that its source gives it; undefined for no such entry. */
export function timesAt(
  journal: Journal,
  logIndex: number,
): { receivedAt: number; recordedAt?: string } | undefined {
  const row = journal.database.get("SELECT id, received_at FROM items WHERE log_index = ?", logIndex);
  if (row === undefined) return undefined;
  const { recordedAt } = journal.details(Number(row["id"]));
  return { receivedAt: Number(row["received_at"]), ...(recordedAt === undefined ? {} : { recordedAt }) };
}
