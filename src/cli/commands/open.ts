// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { AccessOptions, Chart, ChartEntry, OpenedAccess } from "../../access/index.js";
import type { Chartseal } from "../../chartseal.js";
import type { GrantTicket } from "../../consent/index.js";
import { ChartsealError } from "../../errors.js";
import { accessOptions, type AccessValues } from "../access-options.js";
import { listArgument, wholeNumber } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { keepChart, keptChart } from "../kept-chart.js";
import { openMember } from "../open-member.js";
import { printable } from "../../printable.js";
import { makeFolder } from "../private-file.js";
import { ticketArgument } from "../ticket.js";
import { writeRecord, type WrittenRecord } from "../write-record.js";

interface Values extends AccessValues {
  grant: string;
  type?: string;
  index?: string;
  chart?: boolean;
  out: string;
}

interface FailedRecord {
  index: number;
  error: ChartsealError;
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
  await makeFolder(join(values.out, "receipts")); // before the access is on record
  const chart =
    values.chart === true
      ? undefined
      : select(await listed(chartseal, ticket, options, indices), { ...values, indices });
  const opened =
    chart === undefined
      ? await chartseal.access.requestChart(ticket, options)
      : await chartseal.access.request(chart, options);
  const { records, failed } = await writeAll(opened, values.out, options.signal);
  context.print({ records, ...(failed.length === 0 ? {} : { failed }) }, textOf(records, failed, values.out));
  if (failed.length === 0) return ExitCode.DONE;
  return records.length === 0 ? ExitCode.FAILED : ExitCode.PARTLY;
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

/** Writes what opens; a record that fails does not stop the next. */
async function writeAll(
  opened: OpenedAccess,
  out: string,
  signal: AbortSignal,
): Promise<{ records: WrittenRecord[]; failed: FailedRecord[] }> {
  const records: WrittenRecord[] = [];
  const failed: FailedRecord[] = [];
  for (const entry of opened.entries) {
    signal.throwIfAborted();
    try {
      records.push(await writeOne(opened, entry, out));
    } catch (error) {
      // A full disk is not the record's fault.
      if (!(error instanceof ChartsealError) || error.code === "ERR_STORE_FULL") throw error;
      failed.push({ index: entry.leaf.index, error });
    }
  }
  return { records, failed };
}

async function writeOne(opened: OpenedAccess, entry: ChartEntry, out: string): Promise<WrittenRecord> {
  await using record = await opened.openEntry(entry);
  return await writeRecord(out, record, opened.chart.receipt(entry.leaf.index));
}

function textOf(records: readonly WrittenRecord[], failed: readonly FailedRecord[], out: string): string {
  const lines = records.map(({ index, file, size }) => `${index}  ${file}  ${size} bytes`);
  for (const { index, error } of failed) {
    lines.push(`FAILED  entry ${index}: ${printable(error.message)} (${error.code})`);
  }
  lines.push(
    `${records.length} records written to ${out}${failed.length === 0 ? "" : `, ${failed.length} failed`}`,
  );
  return lines.join("\n");
}
