// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { ChartsealError } from "../../errors.js";
import type { Backup } from "../../vault/index.js";
import { endArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { writeKeks } from "../kek-file.js";
import { openMember } from "../open-member.js";
import { makeFolder } from "../private-file.js";

interface Values {
  keks: string;
  expires: string;
}

export async function run(context: Context, values: Values, [dir = ""]: string[]): Promise<void> {
  const folder = resolve(dir);
  const now = Math.floor(Date.now() / 1_000);
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
  await using chartseal = await openMember(context, { chain: "unused" });
  const { vault, journal } = chartseal;
  const { backups } = vault;
  backups.requireReconciled();
  await writeKeks(values.keks, backups.keks(), true);
  // The end of an erasure cycle: what was erased since becomes unreadable in the older backups too.
  if (backups.live(now).some(({ erased }) => erased < backups.erased())) await vault.rotateKek();
  await writeKeks(values.keks, backups.keks(), true);
  await makeFolder(dirname(folder));
  const temporary = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString("hex")}.tmp`);
  let backup: Backup;
  try {
    await makeFolder(temporary);
    // The journal first: every item that it names has its key in the vault's copy.
    journal.copyTo(join(temporary, "journal.db"));
    backup = backups.copyTo(join(temporary, "vault.db"), { now, expiresAt });
    for (const name of ["journal.db", "vault.db"]) await makeDurable(join(temporary, name));
    backups.add(backup);
    await rename(temporary, folder);
    await makeDurable(dirname(folder));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await writeKeks(values.keks, backups.keks(), false);
  const answer = { ...backup, folder, keks: resolve(values.keks) };
  context.print(answer, `Backup ${backup.id} in ${folder}, to be destroyed after ${values.expires}.`);
  context.note(`Keep ${values.keks} apart from it, in no other copy: it must not outlive the next backup.`);
}

async function makeDurable(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
