// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { auditStores, reportDocument, type DurabilityReport } from "../../durability/index.js";
import { ChartsealError } from "../../errors.js";
import { printable } from "../../printable.js";
import { wholeNumber } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { CountProgress } from "../count-progress.js";
import { openMember } from "../open-member.js";
import { replicasOf } from "../replicas.js";
import { table } from "../table.js";

const DEFAULT_SAMPLE = 200;
/** Findings of a replica that are shown to people. */
const SHOWN = 20;

interface Values {
  sample?: string;
  all?: boolean;
  chainWait?: string;
}

export async function run(
  context: Context,
  { sample, all = false, chainWait = "30000" }: Values,
): Promise<number> {
  if (all && sample !== undefined) throw new ChartsealError("ERR_USAGE", "give --sample or --all, not both");
  const count = sample === undefined ? DEFAULT_SAMPLE : wholeNumber(sample, "--sample", 1);
  const patience = wholeNumber(chainWait, "--chain-wait");
  const signal = context.io.interruption();
  await using chartseal = await openMember(context, { role: "operator", chain: "expected" });
  const { memberId, journal, chain } = chartseal;
  const { chainId, records: contract } = chain.deployment;
  using progress = new CountProgress(context, "entries looked at");
  const report = await auditStores(
    { memberId, chainId, contract, journal, replicas: replicasOf(chartseal) },
    {
      signal,
      ...(all ? {} : { sample: count }),
      onProgress: ({ done, total }) => progress.update(done, total),
    },
  );
  if (report.upTo === 0) {
    context.print({ report }, "Nothing is anchored yet.");
    return ExitCode.DONE;
  }
  const anchored = await anchor(chartseal, report, { signal, chainWait: patience });
  context.print({ report, ...anchored }, textOf(report, anchored));
  if (report.replicas.some(({ failed }) => failed > 0)) return ExitCode.FAILED;
  return anchored.index === undefined ? ExitCode.PARTLY : ExitCode.DONE;
}

interface Anchored {
  /** Undefined: not yet. */
  index?: number;
  error?: ChartsealError;
}

/** What was seen is said in any case, be the chain down or the store too broken to take the report. */
async function anchor(
  chartseal: Chartseal,
  report: DurabilityReport,
  options: { signal: AbortSignal; chainWait: number },
): Promise<Anchored> {
  try {
    const administrativeId =
      chartseal.vault.administrativeId() ?? (await chartseal.patients.administrative());
    const entry = await chartseal.anchorDocument(reportDocument(report, administrativeId), options);
    return { index: entry.leaf.index };
  } catch (error) {
    if (error instanceof ChartsealError) return { error };
    throw error;
  }
}

function textOf({ upTo, replicas }: DurabilityReport, { index, error }: Anchored): string {
  const rows = replicas.map(({ name, whole, failed }) => [printable(name), String(whole), String(failed)]);
  const findings = replicas.flatMap(({ name, failed, findings: all }) => [
    ...all.slice(0, SHOWN).map(({ index: entry, of, found }) => {
      return `  ${printable(name)}: the ${of} of entry ${entry} is ${found}`;
    }),
    ...(failed > SHOWN ? [`  ${printable(name)}: ${failed - SHOWN} more`] : []),
  ]);
  return [
    table(["REPLICA", "WHOLE", "FAILED"], rows),
    ...findings,
    index === undefined
      ? `Not anchored yet: ${printable(error?.message ?? "")}`
      : `Anchored as entry ${index}: what was seen of the log up to entry ${upTo}.`,
  ].join("\n");
}
