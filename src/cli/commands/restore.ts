// SPDX-License-Identifier: Apache-2.0
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import type { Chartseal } from "../../chartseal.js";
import { loadConfig } from "../../config.js";
import { ChartsealError } from "../../errors.js";
import type { BodyCopies } from "../../lifecycle/index.js";
import { bodyLines, copyFromPool } from "../body-pool.js";
import { ExitCode, type Context } from "../context.js";
import { readKeks } from "../kek-file.js";
import { openMember } from "../open-member.js";
import { expectReadable, writeWhole } from "../private-file.js";

interface Values {
  keks?: string;
  bodies?: string;
}

export async function run(context: Context, values: Values, [dir]: string[]): Promise<number> {
  if (dir === undefined) return await restoreStore(context, values);
  if (values.keks === undefined) {
    throw new ChartsealError("ERR_USAGE", "--keks is missing: a backup opens nothing without its keys", {
      hint: "the file that `chartseal backup --keks` wrote",
    });
  }
  const config = await loadConfig(context.globals.config);
  const keks = await readKeks(values.keks);
  if (!existsSync(config.vault)) await copyInto(dir, config);
  await using chartseal = await openMember(context);
  const { backups } = chartseal.vault;
  if (!backups.restored) throw occupied(config.vault);
  backups.addKeks(keks);
  // Before the erasures are repeated: they end the restoring, and take out again what was erased since.
  const bodies = await bodiesOf(context, chartseal, values.bodies);
  const { erased, lost } = await chartseal.erasures.reconcile();
  const lines = [
    `Restored. ${erased} erased entries are erased here too.`,
    ...(lost === 0
      ? []
      : [`${lost} entries were anchored after the backup: take them in again from their sources.`]),
    ...(bodies === undefined ? [] : bodyLines(bodies, values.bodies!)),
  ];
  context.print({ erased, lost, ...(bodies === undefined ? {} : { bodies }) }, lines.join("\n"));
  return exitCodeOf(bodies);
}

/** Only the store was lost: vault and journal stay as they are. */
async function restoreStore(context: Context, { keks, bodies: pool }: Values): Promise<number> {
  if (pool === undefined || keks !== undefined) {
    throw new ChartsealError("ERR_USAGE", "without a backup's folder only --bodies is restored", {
      hint: "`chartseal restore DIR --keks FILE --bodies FOLDER`, or `chartseal restore --bodies FOLDER`",
    });
  }
  await using chartseal = await openMember(context, { chain: "unused" });
  const bodies = await bodiesOf(context, chartseal, pool);
  context.print({ bodies }, bodyLines(bodies!, pool).join("\n"));
  return exitCodeOf(bodies);
}

async function bodiesOf(
  context: Context,
  { store, config, journal }: Chartseal,
  pool: string | undefined,
): Promise<BodyCopies | undefined> {
  if (pool === undefined) return undefined;
  return await copyFromPool(context, { store, config, journal: journal.database, rows: journal.rows }, pool);
}

function exitCodeOf(bodies: BodyCopies | undefined): number {
  return (bodies?.missing.length ?? 0) === 0 ? ExitCode.DONE : ExitCode.PARTLY;
}

/** The vault last: once it is there, the rest is. */
async function copyInto(dir: string, config: { journal: string; vault: string }): Promise<void> {
  const [journal, vault] = [join(dir, "journal.db"), join(dir, "vault.db")];
  for (const path of [journal, vault]) await expectReadable(path);
  // SQLite would replay what another file left behind over the copy.
  const left = [config.journal, config.vault].flatMap((path) => [`${path}-wal`, `${path}-shm`]);
  for (const path of [config.journal, ...left]) if (existsSync(path)) throw occupied(path);
  await writeWhole(config.journal, createReadStream(journal));
  await writeWhole(config.vault, createReadStream(vault));
}

function occupied(path: string): ChartsealError {
  return new ChartsealError("ERR_CONFIG_INVALID", `${path} is there already, and no restored copy`, {
    values: { path },
    hint: "move it away first, its -wal and -shm with it; nothing is overwritten",
  });
}
