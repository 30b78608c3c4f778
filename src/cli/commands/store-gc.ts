// SPDX-License-Identifier: Apache-2.0
import { collectGarbage } from "../../durability/index.js";
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { CountProgress } from "../count-progress.js";
import { openMember } from "../open-member.js";
import { orphansFile, readOrphans, writeOrphans } from "../orphans-file.js";

const DEFAULT_HOURS = 24;
/** Longer than anything takes between a body's commit and that of its row in the journal. */
const LEAST_HOURS = 1;
const SECONDS_PER_HOUR = 3_600;

interface Values {
  olderThan?: string;
  dryRun?: boolean;
}

export async function run(context: Context, { olderThan, dryRun = false }: Values): Promise<void> {
  const hours = olderThan === undefined ? DEFAULT_HOURS : wholeNumber(olderThan, "--older-than", LEAST_HOURS);
  const signal = context.io.interruption();
  await using chartseal = await openMember(context);
  const file = orphansFile(chartseal.config.journal);
  using progress = new CountProgress(context, "bodies checked");
  const garbage = await collectGarbage(chartseal, {
    age: hours * SECONDS_PER_HOUR,
    seen: await readOrphans(file),
    dryRun,
    signal,
    onProgress: ({ checked }) => progress.update(checked),
  });
  if (!dryRun) await writeOrphans(file, garbage.seen);
  const { erased, orphans, bytes, young, unknown } = garbage;
  const lines = [
    `${dryRun ? "Would remove" : "Removed"} ${orphans} orphans and ${erased} bodies of erased entries, ${bytes} bytes.`,
    young === 0
      ? ""
      : `${young} orphans are younger; a run from ${hours} hours after they were first seen removes them.`,
    unknown === 0 ? "" : `${unknown} bodies are not of this member's journal and vault: left alone.`,
  ];
  context.print(
    { dryRun, erased, orphans, bytes, young, unknown },
    lines.filter((line) => line !== "").join("\n"),
  );
}
