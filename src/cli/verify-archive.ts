// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { z } from "zod";
import {
  equalBytes,
  isHex,
  openRecord,
  parseReceipt,
  verifyReceipt,
  type Hex,
  type Receipt,
} from "../crypto/index.js";
import { ENTRY_STATUS } from "../chain/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import { ZipFile } from "../lifecycle/index.js";
import { badField } from "./bad-field.js";
import { missingOf, type FileVerdict, type MissingEntry, type RootLookup } from "./verify-files.js";

/** Of a manifest or list of digests: more would only fill the memory. */
const LONGEST_TEXT = 256 * 1024 * 1024;
const SUMS = "SHA256SUMS";
const MANIFEST = "manifest.json";

export interface ArchiveFinding {
  /** A file of the archive. */
  file: string;
  detail: string;
}

export interface ArchiveVerdict {
  ok: boolean;
  /** Entries whose content was compared with its receipt. */
  opened: number;
  /** Files of what is not anchored yet: whole, and proven by nothing. */
  unproven: number;
  /** Entries without content, with the reason that the archive gives. */
  withheld: { index: number; reason: string }[];
  findings: ArchiveFinding[];
  missing: MissingEntry[];
}

const hex = (bytes: number) =>
  z.string().refine((text): text is Hex => isHex(text, bytes), `${bytes} bytes of 0x hex`);
const uint = z.int().nonnegative();
const entrySchema = z.looseObject({
  index: uint,
  patientId: hex(32),
  receipt: z.string(),
  withheld: z.string().optional(),
  content: z
    .looseObject({ file: z.string(), sealed: z.string(), recordId: hex(16), contentKey: hex(32) })
    .optional(),
});
const schema = z.looseObject({
  memberId: uint,
  entries: z.array(entrySchema),
  // Archives of before list nothing that waits.
  pending: z.array(z.looseObject({ file: z.string().optional() })).default([]),
});
type Manifest = z.infer<typeof schema>;
type Entry = z.infer<typeof entrySchema>;

/**
 * Verifies an archive of a patient's records: every file has its digest, every content is what its receipt says, and no
 * number of the patient's list is left out. Nothing is unpacked to disk.
 * @throws ERR_USAGE when it is no archive, ERR_FORMAT_UNSUPPORTED
 */
export async function verifyArchive(path: string, lookup: RootLookup): Promise<ArchiveVerdict> {
  await using zip = await ZipFile.open(path);
  const findings: ArchiveFinding[] = [];
  await checkSums(path, zip, findings);
  const manifest = await readManifest(path, zip);
  const { memberId, entries } = manifest;
  const unproven = manifest.pending.filter(({ file }) => file !== undefined).length;
  const verdict: ArchiveVerdict = { ok: false, opened: 0, unproven, withheld: [], findings, missing: [] };
  const receipts: FileVerdict[] = [];
  for (const entry of entries) {
    const detail = await reading(async () => {
      const found = await checkEntry({ zip, lookup, memberId }, entry, receipts);
      if (found === undefined && entry.content !== undefined) verdict.opened++;
      return found;
    });
    if (detail !== undefined) findings.push({ file: entry.content?.file ?? entry.receipt, detail });
    if (entry.content === undefined)
      verdict.withheld.push({ index: entry.index, reason: entry.withheld ?? "not said" });
  }
  findings.push(...unnamed(zip, manifest));
  verdict.missing = missingOf(receipts);
  verdict.ok = findings.length === 0 && verdict.missing.length === 0;
  return verdict;
}

async function checkSums(path: string, zip: ZipFile, findings: ArchiveFinding[]): Promise<void> {
  const sums = new Map<string, string>();
  for (const line of (await textOf(path, zip, SUMS)).split("\n")) {
    const [, digest, name] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (digest !== undefined) sums.set(name!, digest);
  }
  for (const name of zip.names()) {
    if (name === SUMS) continue;
    const expected = sums.get(name);
    sums.delete(name);
    const detail =
      expected === undefined
        ? `is not in ${SUMS}`
        : await reading(async () =>
            (await digestOf(zip.read(name))).toString("hex") === expected ? undefined : "was altered",
          );
    if (detail !== undefined) findings.push({ file: name, detail });
  }
  for (const name of sums.keys()) findings.push({ file: name, detail: "is missing" });
}

/** A record that no entry proves must not lie among those that are proven. */
function unnamed(zip: ZipFile, { entries, pending }: Manifest): ArchiveFinding[] {
  const named = new Set([
    ...entries.flatMap(({ receipt, content }) => [
      receipt,
      ...(content === undefined ? [] : [content.file, content.sealed]),
    ]),
    // Among the proven records a file counts only by its receipt.
    ...pending.map(({ file }) => file).filter((file) => file?.startsWith("pending/")),
  ]);
  return zip
    .names()
    .filter((name) => /^(records|evidence|sealed|receipts|pending)\//.test(name) && !named.has(name))
    .map((file) => ({ file, detail: "belongs to no entry of the manifest" }));
}

/** @returns what is wrong with the entry */
async function checkEntry(
  { zip, lookup, memberId }: { zip: ZipFile; lookup: RootLookup; memberId: number },
  { index, patientId, receipt: file, content, withheld }: Entry,
  receipts: FileVerdict[],
): Promise<string | undefined> {
  const receipt: Receipt = parseReceipt((await bytesOf(zip, file)).toString());
  const { leaf } = receipt;
  const { roots, absent, status } = await lookup(receipt);
  const body = content === undefined ? undefined : zip.read(content.sealed);
  const { ok, checks } = await verifyReceipt(receipt, {
    ...(roots === undefined ? {} : { roots }),
    ...(body === undefined ? {} : { body }),
  });
  receipts.push({ file, ok, checks, receipt });
  const failed = checks.find((check) => !check.ok);
  if (failed !== undefined) return absent ?? failed.detail;
  if (leaf.index !== index || leaf.patientId !== patientId || leaf.memberId !== memberId)
    return "its receipt is another entry's";
  if (content === undefined) return withheldWrongly(withheld, status);
  const keys = { contentKey: bytesFrom(content.contentKey), memberId, recordId: bytesFrom(content.recordId) };
  const opened = await openRecord(zip.read(content.sealed), keys);
  const same = equalBytes(await digestOf(opened.body), await digestOf(zip.read(content.file)));
  return same ? undefined : "is not what was sealed";
}

/**
 * What is withheld as erased or retracted must be so on chain, where it was asked. What was taken back is marked by the
 * custodian's next run: until then it is his word.
 */
function withheldWrongly(withheld: string | undefined, status: number | undefined): string | undefined {
  if (withheld === "taken back") return undefined;
  if (withheld !== "erased" && withheld !== "retracted")
    return `has no content (${withheld ?? "not said why"})`;
  const flag = ENTRY_STATUS[withheld === "erased" ? "ERASED" : "RETRACTED"];
  if (status === undefined || (status & flag) !== 0) return undefined;
  return `has no content, but is not ${withheld} on chain`;
}

async function readManifest(path: string, zip: ZipFile): Promise<Manifest> {
  let json: unknown;
  try {
    json = JSON.parse(await textOf(path, zip, MANIFEST));
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw noArchive(path, `${MANIFEST} is not JSON`);
  }
  requireFormat(json, MANIFEST);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw noArchive(path, `${MANIFEST} has a bad ${badField(parsed.error)}`);
}

async function textOf(path: string, zip: ZipFile, name: string): Promise<string> {
  if (!zip.has(name)) throw noArchive(path, `it holds no ${name}`);
  return (await bytesOf(zip, name)).toString();
}

async function bytesOf(zip: ZipFile, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of zip.read(name)) {
    size += piece.length;
    if (size > LONGEST_TEXT)
      throw new ChartsealError("ERR_USAGE", `${name} is too long`, { values: { name } });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What a damaged file throws is a finding like others; our own memory or disk is not asked here. */
async function reading(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ChartsealError && ["ERR_RPC_UNAVAILABLE", "ERR_CHAIN_MISMATCH"].includes(error.code))
      throw error;
    return error instanceof ChartsealError ? error.message : "cannot be unpacked";
  }
}

async function digestOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const digest = createHash("sha256");
  for await (const piece of stream) digest.update(piece);
  return digest.digest();
}

function bytesFrom(text: Hex): Uint8Array {
  return Buffer.from(text.slice(2), "hex");
}

function noArchive(path: string, why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} is no archive of a patient's records: ${why}`, {
    values: { path },
    hint: "`chartseal export` writes archives",
  });
}
