// SPDX-License-Identifier: Apache-2.0
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../config.js";
import { ChartsealError } from "../../errors.js";
import type { Context } from "../context.js";
import { readKeks } from "../kek-file.js";
import { openMember } from "../open-member.js";
import { expectReadable, writeWhole } from "../private-file.js";

export async function run(context: Context, values: { keks: string }, [dir = ""]: string[]): Promise<void> {
  const config = await loadConfig(context.globals.config);
  const keks = await readKeks(values.keks);
  if (!existsSync(config.vault)) await copyInto(dir, config);
  await using chartseal = await openMember(context);
  const { backups } = chartseal.vault;
  if (!backups.restored) throw occupied(config.vault);
  backups.addKeks(keks);
  const { erased, lost } = await chartseal.erasures.reconcile();
  context.print(
    { erased, lost },
    [
      `Restored. ${erased} erased entries are erased here too.`,
      ...(lost === 0
        ? []
        : [`${lost} entries were anchored after the backup: take them in again from their sources.`]),
    ].join("\n"),
  );
}

/** The vault last: once it is there, the rest is. */
async function copyInto(dir: string, config: { journal: string; vault: string }): Promise<void> {
  const [journal, vault] = [join(dir, "journal.db"), join(dir, "vault.db")];
  for (const path of [journal, vault]) await expectReadable(path);
  if (existsSync(config.journal)) throw occupied(config.journal);
  await writeWhole(config.journal, createReadStream(journal));
  await writeWhole(config.vault, createReadStream(vault));
}

function occupied(path: string): ChartsealError {
  return new ChartsealError("ERR_CONFIG_INVALID", `${path} is there already, and no restored copy`, {
    values: { path },
    hint: "move it away first; nothing is overwritten",
  });
}
