// SPDX-License-Identifier: Apache-2.0
import type { AccessOptions, Chart } from "../../access/index.js";
import type { Chartseal } from "../../chartseal.js";
import type { GrantTicket } from "../../consent/index.js";
import { ChartsealError } from "../../errors.js";
import { accessOptions, type AccessValues } from "../access-options.js";
import { listArgument, wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { keepChart, keptChart } from "../kept-chart.js";
import { openMember } from "../open-member.js";
import { ticketArgument } from "../ticket.js";
import { makeRecordFolder, writeOpened } from "../write-opened.js";

interface Values extends AccessValues {
  grant: string;
  type?: string;
  index?: string;
  chart?: boolean;
  out: string;
}

export async function run(context: Context, values: Values): Promise<number> {
  const options = accessOptions(context, values);
  const indices =
    values.index === undefined
      ? undefined
      : listArgument(values.index).map((text) => wholeNumber(text, "--index", 1));
  if (values.chart === true && (indices !== undefined || values.type !== undefined)) {
    throw new ChartsealError("ERR_USAGE", "--chart is for everything: leave out --type and --index");
  }
  await using chartseal = await openMember(context, { role: "clinician" });
  const ticket = await ticketArgument(chartseal, values.grant);
  await makeRecordFolder(values.out); // before the access is on record
  const chart =
    values.chart === true
      ? undefined
      : select(await listed(chartseal, ticket, options, indices), { ...values, indices });
  const opened =
    chart === undefined
      ? await chartseal.access.requestChart(ticket, options)
      : await chartseal.access.request(chart, options);
  return await writeOpened(context, opened, values.out, { signal: options.signal });
}

/** The list that the last `request` kept; a new one, which is one more logged access, where that does not do. */
async function listed(
  chartseal: Chartseal,
  ticket: GrantTicket,
  options: AccessOptions,
  indices: readonly number[] | undefined,
): Promise<Chart> {
  const kept = keptChart(chartseal.vault, ticket);
  const known = new Set(kept?.entries.map(({ leaf }) => leaf.index));
  if (kept !== undefined && (indices ?? []).every((index) => known.has(index))) return kept;
  const chart = await chartseal.access.list(ticket, options);
  keepChart(chartseal.vault, ticket, chart);
  return chart;
}

function select(
  chart: Chart,
  { type, indices }: { type?: string; indices: readonly number[] | undefined },
): Chart {
  const selected = chart.filter({
    ...(type === undefined ? {} : { type }),
    ...(indices === undefined ? {} : { indices }),
  });
  const found = new Set(selected.entries.map(({ leaf }) => leaf.index));
  const absent = indices?.find((index) => !found.has(index));
  if (absent === undefined) return selected;
  throw new ChartsealError("ERR_USAGE", `the grant shows no such entry ${absent}`, {
    values: { index: absent },
    hint: "`chartseal request` lists what it shows",
  });
}
