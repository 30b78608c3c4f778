// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import type { BodyCopies } from "../../lifecycle/index.js";
import { isAlteredError, openJournalFile, type Journal } from "../../records/index.js";
import type { Backup } from "../../vault/index.js";
import { endArgument } from "../arguments.js";
import { bodyLines, copyToPool } from "../body-pool.js";
import { ExitCode, type Context } from "../context.js";
import { writeKeks } from "../kek-file.js";
import { openMember } from "../open-member.js";
import { makeFolder } from "../private-file.js";

interface Values {
  keks: string;
  expires: string;
  bodies?: string;
}

export async function run(context: Context, values: Values, [dir = ""]: string[]): Promise<number> {
  const now = Math.floor(Date.now() / 1_000);
  const { folder, expiresAt } = checked(values, dir, now);
  await using chartseal = await openMember(context, { chain: "unused" });
  const { backups } = chartseal.vault;
  backups.requireReconciled();
  await writeKeks(values.keks, backups.keks(), true);
  // The end of an erasure cycle: what was erased since becomes unreadable in the older backups too.
  // So does a rotation that was cut short.
  if (backups.live(now).some(({ erased }) => erased < backups.erased()) || backups.keks().length > 1)
    await chartseal.vault.rotateKek();
  await writeKeks(values.keks, backups.keks(), true);
  const { backup, bodies } = await writeBackup(context, chartseal, { ...values, folder, now, expiresAt });
  await writeKeks(values.keks, backups.keks(), false);
  const answer = {
    ...backup,
    folder,
    keks: resolve(values.keks),
    ...(bodies === undefined ? {} : { bodies }),
  };
  context.print(answer, textOf(answer, values));
  context.note(`Keep ${values.keks} apart from it, in no other copy: it must not outlive the next backup.`);
  return (bodies?.missing.length ?? 0) === 0 ? ExitCode.DONE : ExitCode.PARTLY;
}

/** @throws ERR_USAGE */
function checked(values: Values, dir: string, now: number): { folder: string; expiresAt: number } {
  const folder = resolve(dir);
  const expiresAt = Math.floor(endArgument(values.expires, "--expires").getTime() / 1_000);
  if (expiresAt <= now) throw new ChartsealError("ERR_USAGE", "--expires lies in the past");
  if (existsSync(folder)) {
    throw new ChartsealError("ERR_USAGE", `${folder} exists already: a backup is a new folder`, {
      values: { path: folder },
    });
  }
  if (!relative(folder, resolve(values.keks)).startsWith("..")) {
    throw new ChartsealError("ERR_USAGE", "--keks lies in the backup's own folder", {
      hint: "keep it apart, on a medium of its own: with it the backup opens records, and after an erasure must not",
    });
  }
  if (values.bodies !== undefined && !relative(folder, resolve(values.bodies)).startsWith("..")) {
    throw new ChartsealError("ERR_USAGE", "--bodies lies in the backup's own folder", {
      hint: "it is one folder for all backups, always the same: each adds what is new",
    });
  }
  return { folder, expiresAt };
}

interface Plan {
  folder: string;
  now: number;
  expiresAt: number;
  bodies?: string;
}

async function writeBackup(
  context: Context,
  { vault, journal, store, config }: Chartseal,
  { folder, now, expiresAt, bodies: pool }: Plan,
): Promise<{ backup: Backup; bodies?: BodyCopies }> {
  await makeFolder(dirname(folder));
  const temporary = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString("hex")}.tmp`);
  let begun: Backup | undefined;
  try {
    await makeFolder(temporary);
    // The journal first: every item that it names has its body in the store and its key in the vault's copy. The vault
    // last, and the backup is noted before: an erasure must know of it as soon as it holds a key.
    journal.copyTo(join(temporary, "journal.db"));
    using copied = openJournalFile(join(temporary, "journal.db"));
    const parts = { store, config, journal: copied, rows: journal.rows, isErased: erasedIn(journal) };
    const bodies = pool === undefined ? undefined : await copyToPool(context, parts, pool);
    copied.close();
    begun = vault.backups.begin({ now, expiresAt });
    vault.backups.copyTo(join(temporary, "vault.db"), begun);
    for (const name of ["journal.db", "vault.db"]) await makeDurable(join(temporary, name));
    await rename(temporary, folder);
    await makeDurable(dirname(folder));
    const backup = vault.backups.finish(begun);
    return bodies === undefined ? { backup } : { backup, bodies };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (begun !== undefined && !existsSync(folder)) vault.backups.remove(begun);
    throw error;
  }
}

/** Whether an entry is erased by now; of a row that was altered nothing is believed. */
function erasedIn(journal: Journal): (logIndex: number | undefined) => boolean {
  return (logIndex) => {
    try {
      return logIndex !== undefined && journal.itemAt(logIndex)?.erased === true;
    } catch (error) {
      if (isAlteredError(error)) return false;
      throw error;
    }
  };
}

function textOf(
  { id, folder, bodies }: { id: string; folder: string; bodies?: BodyCopies },
  { expires, bodies: pool }: Values,
): string {
  const lines = [`Backup ${id} in ${folder}, to be destroyed after ${expires}.`];
  if (bodies === undefined) lines.push("The store is not in it: --bodies copies that too.");
  else lines.push(...bodyLines(bodies, pool!));
  return lines.join("\n");
}

async function makeDurable(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
