// SPDX-License-Identifier: Apache-2.0
import { sourceFor, stdinSource, type Source } from "../../ingest/index.js";
import { ChartsealError } from "../../errors.js";
import type { Context } from "../context.js";
import { dryRun } from "../dry-run.js";
import { ingestOptions, type FilingValues } from "../ingest-options.js";
import { IngestReport } from "../ingest-report.js";
import { Interruption } from "../io.js";
import { openLog, type LogValues } from "../log-option.js";
import { openMember } from "../open-member.js";
import { watched } from "../watched-source.js";

interface Values extends FilingValues, LogValues {
  split?: boolean;
  name?: string;
  format?: "ndjson" | "file";
  dryRun?: boolean;
}

export async function run(context: Context, values: Values, [path = ""]: string[]): Promise<number> {
  const options = await ingestOptions(values);
  const source = await sourceOf(context, values, path);
  // Records can be taken while the chain is down; what waits for it is in the result.
  await using chartseal = await openMember(context, { role: "operator", chain: "expected" });
  const signal = context.io.interruption();
  const items = watched(source, signal);
  using log = await openLog(context, values, "ingest");
  const report = new IngestReport(context, items.numberOf, log);
  const running = { ...options, signal, onProgress: report.update };
  try {
    const work =
      values.dryRun === true ? dryRun(chartseal, items, running) : chartseal.ingest(items, running);
    return report.finish(await work);
  } catch (error) {
    if (error instanceof Interruption) report.interrupted();
    else log?.error("trouble", error);
    throw error;
  }
}

async function sourceOf({ io }: Context, values: Values, path: string): Promise<Source> {
  const split = values.split === true;
  if (path !== "-") {
    if (values.name !== undefined || values.format !== undefined) {
      throw new ChartsealError("ERR_USAGE", "--name and --format are for standard input, -");
    }
    return await sourceFor(path, { split });
  }
  const name = values.name ?? "stdin";
  const format = values.format ?? (/\.(ndjson|jsonl)$/i.test(name) ? "ndjson" : "file");
  return stdinSource(io.stdin, { name, format, split });
}
