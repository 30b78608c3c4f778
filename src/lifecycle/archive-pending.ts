// SPDX-License-Identifier: Apache-2.0
import { LeafKind, openRecord, type Hex } from "../crypto/index.js";
import {
  ItemState,
  isAlteredRow,
  receivedAt,
  recordFileName,
  type ItemDetails,
  type Journal,
  type JournalItem,
} from "../records/index.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import type { ArchiveFile } from "./zip.js";
import { unreadable } from "./unreadable.js";

const STATES = Object.entries(ItemState).filter(([, state]) => state !== ItemState.ANCHORED);
const NOT_STORED = "never stored";
const SHARED = "names another person too";
/** By its source, and not marked on chain yet: as what is retracted it may be another person's. */
export const TAKEN_BACK = "taken back";

/** What this custodian has of the patient and has not anchored: no receipt proves it. */
export interface PendingItem {
  /** Its number in the custodian's journal. */
  item: number;
  /** The journal's state, in lower case: waiting, sealed, batched, submitted, dead. */
  state: string;
  kind: keyof typeof LeafKind;
  label: string;
  mediaType: string;
  /** ISO 8601. */
  receivedAt: string;
  recordedAt?: string;
  /** Why a dead letter was refused: an error code. */
  reason?: string;
  /** Why there is no content: another person is named in it, it was taken back or never stored, or an error code. */
  withheld?: string;
  file?: string;
}

interface PendingParts {
  memberId: number;
  vault: Vault;
  store: BlobStore;
  journal: Journal;
}

/** An item, and what the manifest says of it. */
export interface Pending {
  item: JournalItem;
  listed: PendingItem;
}

/**
 * What a person's custodian has of him and has not anchored: what is filed under him, and what names him and waits or was
 * refused. What could not be read names nobody; a row that was altered is nobody's.
 */
export async function* pendingOf(parts: PendingParts, patients: readonly Hex[]): AsyncGenerator<Pending> {
  const { journal } = parts;
  for (const [name, state] of STATES) {
    for (const item of journal.rowsIn(state)) {
      if (isAlteredRow(item)) continue;
      const details = journal.details(item.id);
      const whose = ownerOf(parts.vault, patients, item, details);
      if (whose === "another") continue;
      const listed = await listedAs(parts, item, details, name.toLowerCase(), whose === "shared");
      yield { item, listed };
    }
  }
}

/** Its exact bytes, if they are given. */
export async function* pendingFile(
  { vault, store, memberId }: PendingParts,
  { item, listed: { file } }: Pending,
): AsyncGenerator<ArchiveFile> {
  if (file === undefined) return;
  const recordId = item.recordId!;
  const { body } = await openRecord(store.get(item.cid!), {
    contentKey: vault.keyOf(recordId),
    memberId,
    recordId,
  });
  yield { name: file, content: body };
}

async function listedAs(
  parts: PendingParts,
  item: JournalItem,
  { label, mediaType, sourceKey, recordedAt }: ItemDetails,
  state: string,
  shared: boolean,
): Promise<PendingItem> {
  const [kind] = Object.entries(LeafKind).find(([, number]) => number === item.kind)!;
  const { reason } = item;
  const withheld = shared ? SHARED : await withheldBecause(parts, item);
  return {
    item: item.id,
    state,
    kind: kind as PendingItem["kind"],
    ...{ label, mediaType },
    receivedAt: new Date(receivedAt(parts.journal, item.id) * 1_000).toISOString(),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(reason === undefined ? {} : { reason }),
    ...(withheld === undefined
      ? { file: `pending/${recordFileName(item.id, sourceKey, mediaType)}` }
      : { withheld }),
  };
}

async function withheldBecause(parts: PendingParts, item: JournalItem): Promise<string | undefined> {
  if (item.withdrawn !== undefined) return TAKEN_BACK;
  return item.cid === undefined ? NOT_STORED : await unreadable(parts, item);
}

/** An item that names somebody else beside the patient is told of, and not given: it may be the other's record. */
function ownerOf(
  vault: Vault,
  patients: readonly Hex[],
  { patientId }: JournalItem,
  { subjects = [] }: ItemDetails,
): "his" | "shared" | "another" {
  if (patientId !== undefined) return patients.includes(patientId) ? "his" : "another";
  const persons = subjects.map((refs) => refs.map((ref) => vault.patientByIdentifier(ref)));
  const isHis = (id: Hex | undefined) => id !== undefined && patients.includes(id);
  if (!persons.some((ids) => ids.some(isHis))) return "another";
  // Of one person the records give several identifiers, and not all of them are known.
  const alone = persons.every((ids) => ids.some(isHis) && ids.every((id) => id === undefined || isHis(id)));
  return alone ? "his" : "shared";
}
