// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { ItemState } from "../records/index.js";
import { withdraw } from "./item-events.js";
import { refileOne, type RefileParts } from "./refile.js";

/**
 * A refused item is right, and what was filed under its source key before was another patient's: takes that back and
 * files the item anew, in one commit. On chain nothing ties the two.
 * @throws ERR_USAGE when the item was not refused for that, or is still refused
 */
export function correctMisfiled(parts: RefileParts, id: number): void {
  const { journal, filer } = parts;
  const item = journal.item(id);
  if (item?.state !== ItemState.DEAD || item.reason !== "ERR_PATIENT_CHANGED" || item.cid === undefined) {
    throw new ChartsealError(
      "ERR_USAGE",
      `item ${id} was not refused for naming another patient than before`,
      {
        values: { item: id },
        hint: "`chartseal status --list` numbers the items with ERR_PATIENT_CHANGED",
      },
    );
  }
  filer.forget();
  journal.database.transaction(() => {
    const amended = item.amends === undefined ? undefined : journal.item(item.amends);
    withdraw(journal, [item.sourceMac, ...(amended === undefined ? [] : [amended.sourceMac])]);
    refileOne(parts, item);
    const reason = journal.item(id)!.reason;
    if (reason === undefined) return;
    throw new ChartsealError("ERR_USAGE", `item ${id} would still be refused (${reason})`, {
      values: { item: id, reason },
    });
  });
}
