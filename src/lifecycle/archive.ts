// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { auditEventNdjson, csv, disclosures, timeline } from "../audit/index.js";
import { ENTRY_STATUS, bitNames, type Chain } from "../chain/index.js";
import { LeafKind, openRecord, toHex, type Hex } from "../crypto/index.js";
import { Entries, recordFileName, type Journal, type JournalItem } from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import type { Language } from "../audit/index.js";
import { enrolmentOf } from "./archive-enrolment.js";
import { archivePage } from "./archive-page.js";
import type { ArchiveEntry, ArchiveManifest } from "./archive-manifest.js";
import { TAKEN_BACK, pendingFile, pendingOf, type PendingItem } from "./archive-pending.js";
import { readmeOf } from "./archive-readme.js";
import { unreadable } from "./unreadable.js";
import type { ArchiveFile } from "./zip.js";

export interface ArchiveParts {
  memberId: number;
  /** Name of this member. */
  member: string;
  chain: Chain;
  vault: Vault;
  store: BlobStore;
  journal: Journal;
  /** Of index.html. */
  language: Language;
}

/**
 * Everything that this custodian holds about a person, file by file: records with their exact bytes, evidence, receipts,
 * sealed bodies with their keys, what is not anchored yet, who he is to the custodian, the audit, a page to read it by, a
 * manifest and the digests of all.
 * @param patients His patient ids here: several when duplicates were merged
 * @param onEntry Hears of each entry
 */
export async function* archiveFiles(
  parts: ArchiveParts,
  patients: readonly Hex[],
  onEntry: (entry: ArchiveEntry) => void = () => {},
): AsyncGenerator<ArchiveFile> {
  const { memberId, member, chain } = parts;
  const sums: string[] = [];
  const summed = async function* (files: AsyncIterable<ArchiveFile>): AsyncGenerator<ArchiveFile> {
    for await (const file of files) {
      const digest = createHash("sha256");
      const content = (async function* () {
        for await (const piece of file.content) {
          digest.update(piece);
          yield piece;
        }
      })();
      yield { ...file, content };
      sums.push(`${digest.digest("hex")}  ${file.name}\n`);
    }
  };
  const entries: ArchiveEntry[] = [];
  yield* summed(text("README.txt", readmeOf(member)));
  for (const patient of patients) {
    for (const item of parts.journal.itemsOfPatient(patient)) {
      const entry = await entryOf(parts, item);
      yield* summed(filesOf(parts, item, entry));
      entries.push(entry);
      onEntry(entry);
    }
  }
  const pending: PendingItem[] = [];
  for await (const one of pendingOf(parts, patients)) {
    yield* summed(pendingFile(parts, one));
    pending.push(one.listed);
  }
  const enrolment = enrolmentOf(parts.vault, patients);
  yield* summed(text("enrolment.json", pretty({ format: 1, patients: enrolment })));
  for (const [place, patient] of patients.entries()) yield* summed(auditFiles(parts, patient, place + 1));
  const { chainId, records: contract } = chain.deployment;
  const manifest: ArchiveManifest = {
    format: 1,
    exportedAt: new Date().toISOString(),
    ...{ chainId, contract, memberId, member, patients: [...patients], entries, pending },
  };
  yield* summed(text("index.html", archivePage(manifest, enrolment, parts.language)));
  yield* summed(text("manifest.json", pretty(manifest)));
  yield* text("SHA256SUMS", sums.join(""));
}

async function entryOf(parts: ArchiveParts, item: JournalItem): Promise<ArchiveEntry> {
  const { chain, memberId, vault, journal } = parts;
  const { patientId, compartment } = item as { patientId: Hex; compartment: number };
  const index = item.logIndex!;
  const status = Number(await chain.ask(() => chain.records.statusOf(memberId, index)));
  const [kind] = Object.entries(LeafKind).find(([, number]) => number === item.kind)!;
  const names = Object.entries(vault.compartments(patientId));
  const entry: ArchiveEntry = {
    ...{ index, patientId, patientSeq: item.patientSeq!, kind: kind as ArchiveEntry["kind"] },
    compartment: names.find(([, number]) => number === compartment)?.[0] ?? String(compartment),
    status: bitNames(ENTRY_STATUS, status),
    receipt: `receipts/${index}.json`,
  };
  const withheld = await withheldBecause(parts, item, status);
  if (withheld !== undefined) return { ...entry, withheld };
  const { label, mediaType, sourceKey, recordedAt } = journal.details(item.id);
  const folder = item.kind === LeafKind.RECORD ? "records" : "evidence";
  const contentKey = vault.keyOf(item.recordId!);
  return {
    ...entry,
    content: {
      file: `${folder}/${recordFileName(index, sourceKey, mediaType)}`,
      sealed: `sealed/${index}`,
      recordId: toHex(item.recordId!),
      contentKey: toHex(contentKey),
      ...{ label, mediaType },
      ...(recordedAt === undefined ? {} : { recordedAt }),
    },
  };
}

/** What was entered in error may be another person's; a legal hold keeps it as it is. */
async function withheldBecause(
  parts: ArchiveParts,
  item: JournalItem,
  status: number,
): Promise<string | undefined> {
  if (item.erased || (status & ENTRY_STATUS.ERASED) !== 0) return "erased";
  if (item.retracted || (status & ENTRY_STATUS.RETRACTED) !== 0) return "retracted";
  if (item.withdrawn !== undefined && (status & ENTRY_STATUS.HELD) === 0) return TAKEN_BACK;
  return await unreadable(parts, item);
}

async function* filesOf(
  { journal, memberId, chain, store }: ArchiveParts,
  item: JournalItem,
  { index, receipt, content }: ArchiveEntry,
): AsyncGenerator<ArchiveFile> {
  yield* text(receipt, pretty(new Entries(journal, memberId).receipt(index, chain)));
  if (content === undefined) return;
  const contentKey = Buffer.from(content.contentKey.slice(2), "hex");
  const keys = { contentKey, memberId, recordId: item.recordId! };
  const { body } = await openRecord(store.get(item.cid!), keys);
  yield { name: content.file, content: body };
  yield { name: content.sealed, content: store.get(item.cid!), stored: true };
}

async function* auditFiles(
  { chain, vault, journal }: ArchiveParts,
  patient: Hex,
  number: number,
): AsyncGenerator<ArchiveFile> {
  const audit = await disclosures({ chain, vault, journal, patient });
  const name = `audit/patient-${number}`;
  yield* text(`${name}.csv`, csv(audit));
  yield* text(`${name}.json`, pretty(audit));
  yield* text(`${name}.ndjson`, auditEventNdjson(audit));
  yield* text(`${name}-en.txt`, timeline(audit, { language: "en" }));
  yield* text(`${name}-zh.txt`, timeline(audit, { language: "zh" }));
}

async function* text(name: string, content: string): AsyncGenerator<ArchiveFile> {
  yield {
    name,
    content: (async function* () {
      yield Buffer.from(content);
    })(),
  };
}

function pretty(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
