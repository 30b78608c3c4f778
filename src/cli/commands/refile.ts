// SPDX-License-Identifier: Apache-2.0
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { ingestOptions, type FilingValues } from "../ingest-options.js";
import { IngestReport } from "../ingest-report.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, values: FilingValues, [text = ""]: string[]): Promise<number> {
  const item = wholeNumber(text, "<item>", 1);
  const options = await ingestOptions(values);
  await using chartseal = await openMember(context, { role: "operator" });
  const report = new IngestReport(context, () => undefined);
  return report.finish(await chartseal.refile(item, { ...options, onProgress: report.update }));
}
