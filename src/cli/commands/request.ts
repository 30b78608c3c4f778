// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, bitNames } from "../../chain/index.js";
import type { Chart } from "../../access/index.js";
import { accessOptions, type AccessValues } from "../access-options.js";
import { dayOfNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { keepChart } from "../kept-chart.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";
import { ticketArgument } from "../ticket.js";

export async function run(context: Context, values: AccessValues & { grant: string }): Promise<void> {
  const options = accessOptions(context, values);
  await using chartseal = await openMember(context, { role: "clinician" });
  const ticket = await ticketArgument(chartseal, values.grant);
  const chart = await chartseal.access.list(ticket, options);
  keepChart(chartseal.vault, ticket, chart);
  const entries = entriesOf(chart);
  const rows = entries.map((entry) => [
    entry.index,
    dayOfNumber(entry.recordedDay),
    entry.resourceType ?? entry.mediaType,
    entry.label,
    entry.size,
    entry.status.join(" "),
  ]);
  const text = [table(["INDEX", "DAY", "TYPE", "LABEL", "BYTES", "STATUS"], rows), gapsText(chart)];
  context.print({ entries, gaps: chart.gaps }, text.filter(Boolean).join("\n"));
}

function entriesOf(chart: Chart) {
  return chart.entries.map(({ leaf, resourceType, label, mediaType, size, status }) => ({
    index: leaf.index,
    recordedDay: leaf.recordedDay,
    ...(resourceType === undefined ? {} : { resourceType }),
    label,
    mediaType,
    size,
    status: bitNames(ENTRY_STATUS, status),
  }));
}

function gapsText({ gaps }: Chart): string {
  if (gaps.length === 0) return "";
  const shown = gaps.slice(0, 20).join(", ");
  return `Not shown: the patient's entries ${shown}${gaps.length > 20 ? ", ..." : ""}. The grant leaves them out, they were withdrawn, or are evidence of acts such as accesses; else ask the custodian.`;
}
