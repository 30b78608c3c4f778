// SPDX-License-Identifier: Apache-2.0
import type { Vault } from "../vault/index.js";
import type { VaultLook } from "./heartbeat.js";

/** Milliseconds for which a look at the backups holds: it counts every key of the vault. */
const BACKUPS_MS = 5 * 60_000;

type BackupLook = Omit<VaultLook, "vaultUnlocked" | "trouble">;

/** Looks, again and again, at what may be told of an open vault. The look throws when it is no longer open. */
export function vaultLook(vault: Vault): () => VaultLook {
  let backups: BackupLook = {};
  let lookedAt = -Infinity;
  return () => {
    vault.currentEpoch();
    if (performance.now() - lookedAt > BACKUPS_MS) {
      backups = lookAtBackups(vault, Date.now() / 1_000);
      lookedAt = performance.now();
    }
    // A copy that was put back gives no key yet.
    return { vaultUnlocked: !vault.backups.restored, ...backups };
  };
}

function lookAtBackups({ backups }: Vault, now: number): BackupLook {
  const newest = backups.all().findLast(({ unfinished }) => unfinished === undefined)?.madeAt;
  const live = backups.live(now);
  if (newest === undefined) return {};
  const erased = live.length === 0 ? 0 : backups.erased();
  return {
    newestBackupAt: newest,
    backupsHoldingErased: live.filter((backup) => backup.erased < erased).length,
  };
}
