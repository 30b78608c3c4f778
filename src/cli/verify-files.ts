// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, bitNames } from "../chain/index.js";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  parseReceipt,
  verifyReceipt,
  type Check,
  type Hex,
  type Receipt,
  type TrustedRoot,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { readText } from "./private-file.js";

/** What is trusted about a receipt's batch. Without `roots` nothing is, and the root is not checked. */
export type RootLookup = (receipt: Receipt) => Promise<{
  roots?: readonly TrustedRoot[];
  /** Why there are none. */
  absent?: string;
  /** Flags of EntryStatus.sol. */
  status?: number;
}>;

export interface FileVerdict {
  file: string;
  ok: boolean;
  checks: Check[];
  /** Flags of the entry on chain, when the node was asked. */
  status?: string[];
  /** When the file is no receipt. */
  error?: ChartsealError;
  receipt?: Receipt;
}

/** The file itself, or a folder's JSON files in numeric order. @throws ERR_USAGE when there are none */
export async function receiptFiles(path: string): Promise<{ files: string[]; folder: boolean }> {
  const found = await stat(path).catch((cause: unknown) => {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ChartsealError("ERR_USAGE", `${path} cannot be read (${code})`, {
      values: { path, code },
      cause,
    });
  });
  if (!found.isDirectory()) return { files: [path], folder: false };
  const names = (await readdir(path)).filter((name) => name.endsWith(".json") && !name.startsWith("."));
  if (names.length === 0) {
    throw new ChartsealError("ERR_USAGE", `there are no receipts (*.json) in ${path}`, { values: { path } });
  }
  const byNumber = new Intl.Collator("en", { numeric: true });
  return { files: names.sort(byNumber.compare).map((name) => join(path, name)), folder: true };
}

export async function verifyFile(
  file: string,
  lookup: RootLookup,
  body: AsyncIterable<Uint8Array> | undefined,
): Promise<FileVerdict> {
  let receipt: Receipt;
  try {
    receipt = parseReceipt(await readText(file));
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    return { file, ok: false, checks: [], error };
  }
  const { roots, absent, status } = await lookup(receipt);
  const { ok, checks } = await verifyReceipt(receipt, {
    ...(roots === undefined ? {} : { roots }),
    ...(body === undefined ? {} : { body }),
  });
  return {
    file,
    ok,
    checks: checks.map((check) =>
      check.name === "root" && absent !== undefined ? { ...check, detail: absent } : check,
    ),
    ...(status === undefined ? {} : { status: bitNames(ENTRY_STATUS, status) }),
    receipt,
  };
}

export interface MissingEntry {
  memberId: number;
  patientId: Hex;
  patientSeq: number;
}

/** More than these are not listed one by one. */
const MOST_LISTED = 10_000;

/** Of each patient in a folder, the numbers between 1 and the last verified that no receipt has. */
export function missingOf(verdicts: readonly FileVerdict[]): MissingEntry[] {
  const patients = new Map<string, { memberId: number; patientId: Hex; seqs: Set<number>; last: number }>();
  for (const { receipt, ok } of verdicts) {
    if (receipt === undefined) continue;
    const { memberId, patientId, patientSeq } = receipt.leaf;
    const key = `${memberId}/${patientId}`;
    const patient = patients.get(key) ?? { memberId, patientId, seqs: new Set(), last: 0 };
    patients.set(key, patient);
    patient.seqs.add(patientSeq);
    // A receipt that failed may claim any number.
    if (ok) patient.last = Math.max(patient.last, patientSeq);
  }
  const missing: MissingEntry[] = [];
  for (const { memberId, patientId, seqs, last } of patients.values()) {
    for (let patientSeq = 1; patientSeq < last && missing.length < MOST_LISTED; patientSeq++) {
      if (!seqs.has(patientSeq)) missing.push({ memberId, patientId, patientSeq });
    }
  }
  return missing;
}
