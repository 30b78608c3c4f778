// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { Chartseal } from "../chartseal.js";
import { ChartsealError } from "../errors.js";
import { emptyResult, isKnown, type IngestResult, type Source } from "../ingest/index.js";
import {
  DEFAULT_RULES,
  isBadItem,
  resolveSubject,
  type PatientRules,
  type SourceItem,
} from "../records/index.js";

/** Says what an ingest would do. Writes nothing; every item is read. */
export async function dryRun(
  { journal, vault }: Chartseal,
  source: Source,
  options: { rules?: PatientRules; onProgress: (progress: IngestResult) => void },
): Promise<IngestResult> {
  const result = emptyResult(source.totalBytes);
  const seen = new Set<string>();
  for await (const item of source) {
    result.read++;
    try {
      if (isBadItem(item)) throw item.error;
      const digest = await digestOf(item);
      const macs = journal.macsOf(item.sourceKey, digest);
      const key = Buffer.from(macs.itemMac).toString("base64");
      const known = seen.has(key) || isKnown(journal, item, digest, macs);
      seen.add(key);
      const subject = resolveSubject(item, options.rules ?? DEFAULT_RULES, (ref) =>
        vault.patientByIdentifier(ref),
      );
      if (subject instanceof ChartsealError && !known) throw subject;
      if (known) result.known++;
      else if (
        "patientId" in subject ||
        ("administrative" in subject && vault.administrativeId() !== undefined)
      ) {
        result.sealed++;
      } else result.waiting++;
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      result.dead++;
      result.refused.push({ label: item.label, error });
    }
    result.bytesRead = source.bytesRead;
    result.totalBytes = source.totalBytes;
    options.onProgress(result);
  }
  return result;
}

async function digestOf(item: SourceItem): Promise<Uint8Array> {
  const digest = createHash("sha256");
  if (item.bytes !== undefined) digest.update(item.bytes);
  else for await (const piece of item.open()) digest.update(piece);
  return digest.digest();
}
