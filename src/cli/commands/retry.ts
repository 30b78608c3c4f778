// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { ingestOptions, type FilingValues } from "../ingest-options.js";
import { IngestReport } from "../ingest-report.js";
import { Interruption } from "../io.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, values: FilingValues & { dead?: boolean }): Promise<number> {
  const options = await ingestOptions(values);
  await using chartseal = await openMember(context, { role: "operator" });
  const signal = context.io.interruption();
  const report = new IngestReport(context, () => undefined);
  try {
    const dead = values.dead === true;
    return report.finish(await chartseal.retry({ ...options, dead, signal, onProgress: report.update }));
  } catch (error) {
    if (error instanceof Interruption) report.interrupted();
    throw error;
  }
}
