// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../../chain/index.js";
import { erasedOnChain, isAnchored } from "../../lifecycle/index.js";
import type { Journal } from "../../records/index.js";
import type { Vault } from "../../vault/index.js";
import { dayText } from "../arguments.js";
import type { Diagnosis } from "./diagnosis.js";

const SECONDS_PER_DAY = 86_400;
/** What came since the newest backup has to be taken in again after a loss. */
const NEW_FOR_DAYS = 7;

/** Backups that are not expired, and what they hold that was erased since. */
export function checkBackups(diagnosis: Diagnosis, { backups }: Vault, now = Date.now() / 1_000): void {
  const check = "backups";
  if (backups.restored) {
    return diagnosis.fail(check, "this vault is a copy, and gives no key yet", "`chartseal restore` goes on");
  }
  const live = new Set(backups.live(now).map(({ id }) => id));
  const unexpired = backups.all().filter(({ expiresAt }) => expiresAt > now);
  for (const { id, madeAt, expiresAt, erased, unfinished } of unexpired) {
    const what = `backup ${id} of ${day(madeAt)}, until ${day(expiresAt)}`;
    const since = backups.erased() - erased;
    if (!live.has(id)) diagnosis.ok(check, `${what}: opens nothing, its key-encryption key was destroyed`);
    else if (unfinished === true) {
      const hint =
        "destroy what there is of it; the next `chartseal backup` after an erasure makes it useless";
      diagnosis.warn(check, `${what}: was begun and not finished, and may hold keys`, hint);
    } else if (since === 0) diagnosis.ok(check, `${what}: can be restored`);
    else {
      const hint = "`chartseal backup` makes a new one and destroys the older ones' key-encryption key";
      diagnosis.warn(check, `${what}: still holds the keys of ${since} erased records`, hint);
    }
  }
  const newest = unexpired.findLast(({ id, unfinished }) => live.has(id) && unfinished === undefined);
  if (newest === undefined) {
    return diagnosis.ok(check, "there is none that can be restored; `chartseal backup` makes one");
  }
  const days = Math.floor((now - newest.madeAt) / SECONDS_PER_DAY);
  if (days > NEW_FOR_DAYS) {
    const hint = "`chartseal backup`; is chartseal-backup.timer active?";
    diagnosis.warn(check, `the newest was made ${days} days ago`, hint);
  }
}

/** What is erased on chain must be gone here too. */
export async function checkErasures(
  diagnosis: Diagnosis,
  chain: Chain,
  { journal, memberId }: { journal: Journal; memberId: number },
): Promise<void> {
  const marked = await erasedOnChain(chain, memberId);
  const left = marked.filter((index) => isAnchored(journal, index) && !journal.itemAt(index)!.erased);
  if (left.length === 0) return diagnosis.ok("erasures", `${marked.length} on chain, none left here`);
  diagnosis.fail(
    "erasures",
    `on chain, but not done here: ${left.join(", ")}`,
    `\`chartseal erase ${left.join(",")} --ground retention\` finishes them, whatever the ground was`,
  );
}

function day(seconds: number): string {
  return dayText(new Date(seconds * 1_000));
}
