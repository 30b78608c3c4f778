// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { LeafKind, type Hex, type SupportingKind } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { Entries, ItemState, type AnchoredEntry, type SourceItem } from "../records/index.js";
import { retry } from "./ingest.js";
import type { IngestParts } from "./ingest-run.js";
import { takeIn } from "./intake.js";

/** Bytes up to which a body is sealed in one piece, as those of a source. */
const HELD_BYTES = 1024 * 1024;
/** Milliseconds between looks at the journal while another process anchors. */
const POLL_MS = 100;
/** Name of the compartment of evidence: a grant for a patient's records does not show it. */
const COMPARTMENT = "evidence";

/** Evidence of an act, kept in the record log: a scanned form, a court order, a receipt, a certificate. */
export interface SupportingDocument {
  kind: SupportingKind;
  /** Whose it is; of no patient's: the administrative id. */
  patientId: Hex;
  /** 32 bytes by kind: terms hash, access id, erased index. */
  ref: Hex;
  mediaType: string;
  /** For people; sealed with the body. */
  label: string;
  bytes: Uint8Array;
}

export interface AnchorDocumentOptions {
  /** Milliseconds to wait for the chain, or for another process that has the journal. Default 30,000. */
  chainWait?: number;
  signal?: AbortSignal;
}

type FileParts = Pick<IngestParts, "memberId" | "vault" | "store" | "journal">;

/**
 * Makes a document durable: sealed, stored and in the journal, with neither lock nor chain. The next that anchors takes
 * it along. The same bytes for the same kind, patient and ref are one item.
 * @returns the item's row in the journal
 * @throws ERR_PATIENT_UNKNOWN when the patient is not in the vault; what vault, store and journal throw
 */
export async function fileDocument(parts: FileParts, document: SupportingDocument): Promise<number> {
  const { kind, patientId, ref } = document;
  const compartment = parts.vault.compartmentOf(patientId, COMPARTMENT);
  const filing = { state: ItemState.SEALED, patient: { patientId, compartment }, supports: { kind, ref } };
  const item = itemOf(document);
  const { dead } = await takeIn(
    { ...parts, filer: { file: () => filing, amending: (patient) => patient, forget: () => {} } },
    [item],
  );
  if (dead[0] !== undefined) throw dead[0].error;
  const macs = parts.journal.macsOf(item.sourceKey, hash("sha256", document.bytes, "buffer"));
  return parts.journal.itemByMac(macs)!.id;
}

/**
 * Files a document and anchors it, so that a contract can check it. When another process has the journal, that one
 * anchors it.
 * @throws ERR_TIMEOUT (retryable) when it is not anchored in time: it is safe, and the same call finds it again
 * @throws what {@link fileDocument} and the chain throw, the signal's reason
 */
export async function anchorDocument(
  parts: IngestParts,
  document: SupportingDocument,
  options: AnchorDocumentOptions = {},
): Promise<AnchoredEntry> {
  const { chainWait = 30_000, signal } = options;
  const id = await fileDocument(parts, document);
  const giveUp = performance.now() + chainWait;
  for (;;) {
    signal?.throwIfAborted();
    const failure = await tryToAnchor(parts, options);
    const item = parts.journal.item(id)!;
    if (item.state === ItemState.ANCHORED) return new Entries(parts.journal, parts.memberId).of(item);
    if (performance.now() > giveUp) throw failure ?? notYet(document);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function tryToAnchor(
  parts: IngestParts,
  { chainWait, signal }: AnchorDocumentOptions,
): Promise<ChartsealError | undefined> {
  try {
    const run = await retry(parts, {
      ...(chainWait === undefined ? {} : { chainWait }),
      ...(signal === undefined ? {} : { signal }),
    });
    return run.failure;
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_JOURNAL_LOCKED") return undefined;
    throw error;
  }
}

function notYet({ patientId }: SupportingDocument): ChartsealError {
  return new ChartsealError("ERR_TIMEOUT", "the document is safe, but not anchored yet", {
    values: { patientId },
    retryable: true,
    hint: "another process has the journal; call again when it is done",
  });
}

function itemOf(document: SupportingDocument): SourceItem {
  const { kind, patientId, ref, mediaType, label, bytes } = document;
  const [name] = Object.entries(LeafKind).find(([, number]) => number === kind)!;
  const sourceKey = `${name}/${patientId}/${ref}`;
  return {
    ...{ sourceKey, label, mediaType, path: "", subjects: [], size: bytes.length },
    ...(bytes.length <= HELD_BYTES ? { bytes } : {}),
    async *open() {
      yield bytes;
    },
  };
}
