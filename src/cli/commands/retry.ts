// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { ingestOptions, type FilingValues } from "../ingest-options.js";
import { IngestReport } from "../ingest-report.js";
import { Interruption } from "../io.js";
import { openLog, type LogValues } from "../log-option.js";
import { openMember } from "../open-member.js";

export async function run(
  context: Context,
  values: FilingValues & LogValues & { dead?: boolean },
): Promise<number> {
  const options = await ingestOptions(values);
  await using chartseal = await openMember(context, { role: "operator" });
  const signal = context.io.interruption();
  using log = await openLog(context, values, "retry");
  const report = new IngestReport(context, () => undefined, log);
  try {
    const dead = values.dead === true;
    return report.finish(await chartseal.retry({ ...options, dead, signal, onProgress: report.update }));
  } catch (error) {
    if (error instanceof Interruption) report.interrupted();
    else log?.error("trouble", error);
    throw error;
  }
}
