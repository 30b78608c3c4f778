// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { ChartEntry, OpenedAccess } from "../access/index.js";
import type { Receipt } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { printable } from "../printable.js";
import { ExitCode, type Context } from "./context.js";
import { makeFolder } from "./private-file.js";
import { writeRecord, type WrittenRecord } from "./write-record.js";

interface FailedRecord {
  index: number;
  error: ChartsealError;
}

interface Writing {
  signal: AbortSignal;
  /** What is said, besides, of records that nothing could be held against: they have no receipts. */
  unchecked?: { json: object; text: string };
}

/** Makes the folder for records and their receipts, if it is not there. */
export async function makeRecordFolder(out: string): Promise<void> {
  await makeFolder(join(out, "receipts"));
}

/**
 * Writes all records of an access, prints what was written, and says with which code the command ends.
 * @param out As {@link makeRecordFolder} made it; for unchecked ones, any folder
 */
export async function writeOpened(
  context: Context,
  opened: OpenedAccess,
  out: string,
  writing: Writing,
): Promise<number> {
  const { records, failed } = await writeAll(opened, out, writing);
  const { json, text } = writing.unchecked ?? {};
  context.print(
    { ...json, records, ...(failed.length === 0 ? {} : { failed }) },
    [textOf(records, failed, out), ...(text === undefined ? [] : [text])].join("\n"),
  );
  if (failed.length === 0) return ExitCode.DONE;
  return records.length === 0 ? ExitCode.FAILED : ExitCode.PARTLY;
}

/** Writes what opens; a record that fails does not stop the next. */
async function writeAll(
  opened: OpenedAccess,
  out: string,
  { signal, unchecked }: Writing,
): Promise<{ records: WrittenRecord[]; failed: FailedRecord[] }> {
  const records: WrittenRecord[] = [];
  const failed: FailedRecord[] = [];
  for (const entry of opened.entries) {
    signal.throwIfAborted();
    try {
      const receipt = unchecked === undefined ? opened.chart.receipt(entry.leaf.index) : undefined;
      records.push(await writeOne(opened, entry, out, receipt));
    } catch (error) {
      // A full disk is not the record's fault.
      if (!(error instanceof ChartsealError) || error.code === "ERR_STORE_FULL") throw error;
      failed.push({ index: entry.leaf.index, error });
    }
  }
  return { records, failed };
}

async function writeOne(
  opened: OpenedAccess,
  entry: ChartEntry,
  out: string,
  receipt: Receipt | undefined,
): Promise<WrittenRecord> {
  await using record = await opened.openEntry(entry);
  return await writeRecord(out, record, receipt);
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
