// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { memberIdOf } from "../../config.js";
import type { TrustedRoot } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { verifyLog } from "../../records/index.js";
import { openStore } from "../../storage/index.js";
import { wholeNumber } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { readRoots, rootOnChain } from "../member-roots.js";
import { openNode } from "../open-member.js";
import { expectReadable } from "../private-file.js";
import { verifyArchive, type ArchiveVerdict } from "../verify-archive.js";
import {
  missingOf,
  receiptFiles,
  verifyFile,
  type FileVerdict,
  type MissingEntry,
  type RootLookup,
} from "../verify-files.js";
import { printable } from "../../printable.js";

interface Values {
  body?: string;
  roots?: string;
  offline?: boolean;
  partial?: boolean;
  log?: string | true;
  archive?: string;
}

export async function run(context: Context, values: Values, [path]: string[]): Promise<number> {
  if ([path, values.log, values.archive].filter((what) => what !== undefined).length !== 1) {
    throw new ChartsealError("ERR_USAGE", "give one of: receipts to verify, --archive, --log");
  }
  if (values.log !== undefined) return await wholeLog(context, values.log);
  if (values.roots !== undefined && values.offline === true) {
    throw new ChartsealError("ERR_USAGE", "--roots is offline already: give it or --offline, not both");
  }
  if (values.archive !== undefined) return await archive(context, values, values.archive);
  return await receipts(context, values, path!);
}

async function archive(context: Context, values: Values, path: string): Promise<number> {
  let verdict!: ArchiveVerdict;
  await withRoots(context, values, async (lookup) => {
    verdict = await verifyArchive(path, lookup);
  });
  const { ok, opened, unproven, withheld, findings, missing } = verdict;
  const lines = [
    ...findings.map(({ file, detail }) => `FAILED  ${printable(file)}: ${printable(detail)}`),
    ...missing.map(missingText),
    ...withheld.map(({ index, reason }) => `entry ${index} has no content: ${printable(reason)}`),
    ...(unproven === 0 ? [] : [`${unproven} files are of what is not in the log yet: nothing proves them`]),
    `${opened} entries verified with their content, ${withheld.length} without`,
  ];
  context.print(verdict, lines.join("\n"));
  return ok ? ExitCode.DONE : ExitCode.FAILED;
}

async function receipts(context: Context, values: Values, path: string): Promise<number> {
  const { files, folder } = await receiptFiles(path);
  if (values.body !== undefined && folder) {
    throw new ChartsealError("ERR_USAGE", "--body is for one receipt");
  }
  if (values.body !== undefined) await expectReadable(values.body);
  const verdicts: FileVerdict[] = [];
  await withRoots(context, values, async (lookup) => {
    for (const file of files) {
      const body = values.body === undefined ? undefined : createReadStream(values.body);
      verdicts.push(await verifyFile(file, lookup, body));
    }
  });
  const missing = folder ? missingOf(verdicts) : [];
  const whole = missing.length === 0 || values.partial === true;
  const ok = whole && verdicts.every((verdict) => verdict.ok);
  const answer = { ok, receipts: verdicts.map(({ receipt: _, ...verdict }) => verdict), missing };
  context.print(answer, receiptsText(verdicts, missing));
  return ok ? ExitCode.DONE : ExitCode.FAILED;
}

/** Which roots to hold receipts against: pinned ones, those of the member's node, or none. */
async function withRoots(
  context: Context,
  values: Values,
  work: (lookup: RootLookup) => Promise<void>,
): Promise<void> {
  if (values.offline === true) return await work(async () => ({}));
  if (values.roots !== undefined) {
    const roots: TrustedRoot[] = await readRoots(values.roots);
    return await work(async () => ({ roots }));
  }
  using node = await openNode(context);
  await work(async (receipt) => {
    const found = await rootOnChain(node.chain, receipt);
    return found === undefined
      ? { roots: [], absent: "batch root not on chain" }
      : { roots: [found.root], status: found.status };
  });
}

function receiptsText(verdicts: readonly FileVerdict[], missing: ReturnType<typeof missingOf>): string {
  const lines = verdicts.flatMap(({ file, ok, checks, error, status }) => {
    const flags = status === undefined || status.length === 0 ? "" : ` (${status.join(", ").toLowerCase()})`;
    const failed = checks.filter((check) => !check.ok).map((check) => `  ${check.name}: ${check.detail}`);
    if (error !== undefined) failed.push(`  ${printable(error.message)}`);
    return [`${ok ? "ok    " : "FAILED"}  ${printable(file)}${flags}`, ...failed];
  });
  lines.push(...missing.map(missingText));
  const good = verdicts.filter((verdict) => verdict.ok).length;
  lines.push(
    `${good} of ${verdicts.length} receipts verified${missing.length === 0 ? "" : `, ${missing.length} missing`}`,
  );
  return lines.join("\n");
}

function missingText({ patientSeq, patientId }: MissingEntry): string {
  return `entry ${patientSeq} of patient ${patientId.slice(0, 10)}... is missing`;
}

async function wholeLog(context: Context, member: string | true): Promise<number> {
  using node = await openNode(context);
  const memberId = member === true ? memberIdOf(node.config) : wholeNumber(member, "--log", 1);
  await using store = await openStore(node.config.store, { readOnly: true });
  const signal = context.io.interruption();
  const verdict = await verifyLog({ chain: node.chain, store }, memberId, { signal });
  const { entries, batches, bodies, findings, ok } = verdict;
  const text = [
    ...findings.map(({ index, what, detail }) => `FAILED  entry ${index}: ${printable(detail)} (${what})`),
    `member ${memberId}: ${entries} entries in ${batches} batches, ${bodies} bodies read, ${findings.length} findings`,
  ];
  context.print(verdict, text.join("\n"));
  return ok ? ExitCode.DONE : ExitCode.FAILED;
}
