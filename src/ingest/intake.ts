// SPDX-License-Identifier: Apache-2.0
import { createHash, hash, randomBytes } from "node:crypto";
import {
  CONTENT_KEY_LENGTH,
  RECORD_ID_LENGTH,
  SEALED_RECORD_FORMAT,
  dayOf,
  sealBytes,
  sealRecord,
  toHex,
  type Manifest,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import {
  ItemState,
  isBadItem,
  resolveSubject,
  type BadItem,
  type ItemDetails,
  type Journal,
  type NewItem,
  type PatientRules,
  type SourceItem,
} from "../records/index.js";
import type { BlobStore, Stored } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { filingOf, type Filing } from "./filing.js";

export interface IntakeParts {
  memberId: number;
  vault: Vault;
  store: BlobStore;
  journal: Journal;
  rules: PatientRules;
  /** Name of the compartment that new records are filed in. */
  compartment: string;
}

/** What became of a group's items. */
export interface Taken {
  sealed: number;
  waiting: number;
  /** Taken before, with the same bytes. */
  known: number;
  dead: { label: string; error: ChartsealError }[];
}

/** An item on its way in. */
interface Incoming {
  item: SourceItem;
  sha256: Uint8Array;
  itemMac: Uint8Array;
  sourceMac: Uint8Array;
  filing: Filing;
  recordId: Uint8Array;
  contentKey: Uint8Array;
  receivedAt: Date;
}

/**
 * Takes a group of items: seals each under a key of its own, then makes keys, bodies and journal rows durable, in
 * this order, each in one commit. A crash between leaves a key or a body that nothing names, never a row without
 * them. When this returns, every item is safe.
 */
export async function takeIn(parts: IntakeParts, group: readonly (SourceItem | BadItem)[]): Promise<Taken> {
  const taken: Taken = { sealed: 0, waiting: 0, known: 0, dead: [] };
  const incoming: Incoming[] = [];
  const seen = new Set<string>();
  for (const item of group) {
    try {
      if (isBadItem(item)) throw item.error;
      const read = await identify(parts, item);
      const key = toHex(read.itemMac);
      if (seen.has(key) || parts.journal.knows(read.itemMac)) taken.known++;
      else incoming.push(read);
      seen.add(key);
    } catch (error) {
      bury(parts.journal, item, error, taken);
    }
  }
  const stored = await sealAndStore(parts, incoming, taken);
  parts.journal.database.transaction(() => {
    for (const [read, body] of stored) record(parts, read, body, taken);
  });
  for (const { contentKey } of incoming) contentKey.fill(0);
  return taken;
}

async function identify(parts: IntakeParts, item: SourceItem): Promise<Incoming> {
  const sha256 = item.bytes === undefined ? await digestOf(item) : hash("sha256", item.bytes, "buffer");
  return {
    item,
    sha256,
    itemMac: parts.journal.macOf("item", item.sourceKey, sha256),
    sourceMac: parts.journal.macOf("source", item.sourceKey),
    filing: filingOf(parts, resolveSubject(item, parts.rules, (ref) => parts.vault.patientByIdentifier(ref))),
    recordId: randomBytes(RECORD_ID_LENGTH),
    contentKey: randomBytes(CONTENT_KEY_LENGTH),
    receivedAt: new Date(),
  };
}

async function digestOf(item: SourceItem): Promise<Uint8Array> {
  const digest = createHash("sha256");
  for await (const piece of item.open()) digest.update(piece);
  return digest.digest();
}

async function sealAndStore(
  parts: IntakeParts,
  incoming: readonly Incoming[],
  taken: Taken,
): Promise<[Incoming, Stored][]> {
  const { vault, store, memberId } = parts;
  vault.putKeys(incoming);
  const small: { read: Incoming; sealed: Uint8Array }[] = [];
  const stored: [Incoming, Stored][] = [];
  for (const read of incoming) {
    const { item, contentKey, recordId } = read;
    const source = { manifest: manifestOf(read), contentKey, memberId, recordId };
    try {
      if (item.bytes !== undefined) small.push({ read, sealed: sealBytes({ ...source, body: item.bytes }) });
      else stored.push([read, await store.put(sealRecord({ ...source, body: item.open() }))]);
    } catch (error) {
      if (!isItemsFault(error)) throw error;
      bury(parts.journal, item, error, taken);
    }
  }
  const put = await store.putMany(small.map(({ sealed }) => sealed));
  return [...stored, ...small.map(({ read }, position): [Incoming, Stored] => [read, put[position]!])];
}

function record(parts: IntakeParts, read: Incoming, body: Stored, taken: Taken): void {
  const { item, filing } = read;
  const row: NewItem = {
    itemMac: read.itemMac,
    sourceMac: read.sourceMac,
    state: filing.state,
    sealed: { recordId: read.recordId, cid: body.cid, contentDigest: body.sha256 },
    details: detailsOf(item, filing.state !== ItemState.SEALED),
    recordedDay: dayOf(recordedAt(item) ?? read.receivedAt),
    receivedAt: Math.floor(read.receivedAt.getTime() / 1000),
  };
  if (filing.patient !== undefined) row.patient = filing.patient;
  let refused = filing.error;
  const amended = parts.journal.newestOf(read.sourceMac);
  if (amended !== undefined) {
    row.amends = amended.id;
    refused ??= changedPatient(amended.patientId, filing.patient?.patientId);
  }
  if (refused !== undefined) {
    row.state = ItemState.DEAD;
    row.reason = refused.code;
    taken.dead.push({ label: item.label, error: refused });
  }
  if (!parts.journal.add(row)) taken.known++;
  else if (row.state === ItemState.SEALED) taken.sealed++;
  else if (row.state === ItemState.WAITING) taken.waiting++;
}

/** An item cannot move to another patient by an amendment: that would link the two on chain. */
export function changedPatient(before: string | undefined, now: string | undefined): ChartsealError | undefined {
  if (before === undefined || now === undefined || before === now) return undefined;
  return new ChartsealError("ERR_PATIENT_CHANGED", "the item was filed under another patient before", {
    hint: "retract the entry that was misfiled, then ingest this one under a new source key",
  });
}

function manifestOf({ item, sha256, receivedAt }: Incoming): Manifest {
  const { sourceKey, label, mediaType, size, recordedAt, resourceType, encoding, author } = item;
  return {
    format: SEALED_RECORD_FORMAT,
    sourceKey,
    label,
    mediaType,
    size,
    sha256: toHex(sha256),
    receivedAt: receivedAt.toISOString(),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(author === undefined ? {} : { author }),
  };
}

function detailsOf(item: SourceItem, unresolved: boolean): ItemDetails {
  const { sourceKey, label, path, mediaType, resourceType, size, recordedAt, subjects } = item;
  return {
    sourceKey,
    label,
    path,
    mediaType,
    size,
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(unresolved ? { subjects } : {}),
  };
}

function recordedAt(item: SourceItem): Date | undefined {
  const date = item.recordedAt === undefined ? undefined : new Date(item.recordedAt);
  // Days count from 1970; an older date, or one that says nothing, gives way to the day of receipt.
  return date === undefined || Number.isNaN(date.getTime()) || date.getTime() < 0 ? undefined : date;
}

/** Lists an item that cannot be taken, with its reason; it is known again by label and reason. */
function bury(journal: Journal, item: SourceItem | BadItem, cause: unknown, taken: Taken): void {
  const error = cause instanceof ChartsealError ? cause : undefined;
  if (error === undefined || !isItemsFault(error)) throw cause;
  const { label } = item;
  const known = isBadItem(item) ? undefined : item;
  const details: ItemDetails = { sourceKey: "", label, path: "", mediaType: "", size: 0 };
  journal.add({
    itemMac: journal.macOf("dead", label, error.code),
    sourceMac: journal.macOf("source", known?.sourceKey ?? label),
    state: ItemState.DEAD,
    details: known === undefined ? details : detailsOf(known, true),
    recordedDay: 0,
    receivedAt: Math.floor(Date.now() / 1000),
    reason: error.code,
  });
  taken.dead.push({ label, error });
}

/** True when the item is at fault; a full disk or a locked vault stops the run instead. */
function isItemsFault(error: unknown): error is ChartsealError {
  const codes = ["ERR_ITEM_INVALID", "ERR_JSON_INVALID", "ERR_SOURCE_CHANGED", "ERR_PATIENT_AMBIGUOUS"];
  return error instanceof ChartsealError && codes.includes(error.code);
}
