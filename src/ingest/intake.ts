// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import {
  CONTENT_KEY_LENGTH,
  RECORD_ID_LENGTH,
  sealBytes,
  sealRecord,
  sha256Of,
  toHex,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import {
  ItemState,
  isAlteredError,
  isBadItem,
  type BadItem,
  type ItemMacs,
  type Journal,
  type JournalItem,
  type NewItem,
  type SourceItem,
} from "../records/index.js";
import type { BlobStore, Stored } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { bury, detailsOf, itemsFault, unbury } from "./dead-letters.js";
import type { Filer, Filing } from "./filing.js";
import type { IntakeWitness, Taken } from "./intake-outcome.js";
import { manifestOf, recordedDayOf } from "./item-manifest.js";
import { hasEvent, takeNote, upToEvents } from "./item-events.js";
import { followEvents, openEvents } from "./persons.js";

/** Random bytes of an item: its record id and its key. They are drawn once for a group. */
const RANDOM_LENGTH = RECORD_ID_LENGTH + CONTENT_KEY_LENGTH;
/** First bytes of a record id that a group's items share: their keys then lie side by side in the vault's index. */
const SHARED_LENGTH = 4;

export interface IntakeParts {
  memberId: number;
  vault: Vault;
  store: BlobStore;
  journal: Journal;
  filer: Pick<Filer, "file" | "amending" | "forget">;
  witness?: IntakeWitness;
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

/** An item that gets a row in the journal: either it is on its way in, or it has an error. */
interface Outcome {
  item: SourceItem | BadItem;
  read?: Incoming;
  body?: Stored;
  error?: ChartsealError;
}

/**
 * Takes a group of items: seals each under a key of its own, then makes keys, bodies and journal rows durable, in
 * this order, each in one commit. A crash between leaves a key or a body that nothing names, never a row without
 * them. When this returns, every item is safe.
 */
export async function takeIn(parts: IntakeParts, group: readonly (SourceItem | BadItem)[]): Promise<Taken> {
  const taken: Taken = { sealed: 0, waiting: 0, known: 0, dead: [], followed: 0, events: 0 };
  for (const run of upToEvents(group)) {
    const before = hasEvent(run.at(-1)!) ? lastRow(parts.journal) : undefined;
    await takeRun(parts, run, taken);
    if (before === undefined) continue;
    // What comes next is filed by what this one said. What stayed open before has its turn when a run begins.
    taken.followed += followEvents(parts, before);
    taken.events += openEvents(parts.journal, before).length;
  }
  return taken;
}

function lastRow(journal: Journal): number {
  return Number(journal.database.get("SELECT max(id) AS last FROM items")!["last"] ?? 0);
}

async function takeRun(
  parts: IntakeParts,
  group: readonly (SourceItem | BadItem)[],
  taken: Taken,
): Promise<void> {
  const outcomes: Outcome[] = [];
  try {
    await identifyAll(parts, group, outcomes, taken);
    await sealAndStore(parts, outcomes);
    parts.journal.database.transaction(() => {
      const dead = parts.journal.hasIn(ItemState.DEAD);
      for (const outcome of outcomes) record(parts, outcome, taken);
      if (dead)
        for (const { item, body } of outcomes) if (body !== undefined) unbury(parts.journal, item.label);
      parts.witness?.commit();
    });
  } finally {
    for (const { read } of outcomes) read?.contentKey.fill(0);
  }
}

async function identifyAll(
  parts: IntakeParts,
  group: readonly (SourceItem | BadItem)[],
  outcomes: Outcome[],
  taken: Taken,
): Promise<void> {
  const seen = new Map<string, SourceItem>();
  const drawn = randomBytes(group.length * RANDOM_LENGTH);
  for (let at = RANDOM_LENGTH; at < drawn.length; at += RANDOM_LENGTH) drawn.copyWithin(at, 0, SHARED_LENGTH);
  parts.filer.forget();
  for (const [position, item] of group.entries()) {
    try {
      if (isBadItem(item)) throw item.error;
      const digest = item.bytes === undefined ? await digestOf(item) : sha256Of(item.bytes);
      const macs = parts.journal.macsOf(item.sourceKey, digest);
      const key = toHex(macs.itemMac);
      const same = seen.get(key);
      if (same !== undefined || isKnown(parts.journal, item, digest, macs)) {
        taken.known++;
        if (same === undefined) parts.witness?.became(item, { outcome: "known", kept: true });
        else parts.witness?.repeats(item, same);
        continue;
      }
      const random = drawn.subarray(position * RANDOM_LENGTH, (position + 1) * RANDOM_LENGTH);
      outcomes.push({ item, read: incoming(parts, item, { sha256: digest, ...macs, random }) });
      seen.set(key, item);
    } catch (error) {
      outcomes.push({ item, error: itemsFault(error) });
    }
  }
}

/** Whether an item's bytes were taken before, under its key or one that it was known by before. */
export function isKnown(
  journal: Journal,
  { replaces = [] }: SourceItem,
  sha256: Uint8Array,
  macs: ItemMacs,
): boolean {
  return journal.knows(macs) || replaces.some((key) => journal.knows(journal.macsOf(key, sha256)));
}

function incoming(
  parts: IntakeParts,
  item: SourceItem,
  { random, ...macs }: ItemMacs & Pick<Incoming, "sha256"> & { random: Uint8Array },
): Incoming {
  return {
    item,
    ...macs,
    filing: parts.filer.file(item),
    recordId: random.subarray(0, RECORD_ID_LENGTH),
    contentKey: random.subarray(RECORD_ID_LENGTH),
    receivedAt: new Date(),
  };
}

async function digestOf(item: SourceItem): Promise<Uint8Array> {
  const digest = createHash("sha256");
  for await (const piece of item.open()) digest.update(piece);
  return digest.digest();
}

/** Gives each outcome its body, or the error of an item that cannot be sealed. */
async function sealAndStore(
  { vault, store, memberId }: IntakeParts,
  outcomes: readonly Outcome[],
): Promise<void> {
  const reads = outcomes.flatMap(({ read }) => read ?? []);
  if (reads.length > 0) vault.putKeys(reads);
  const small: { outcome: Outcome; sealed: Uint8Array }[] = [];
  for (const outcome of outcomes) {
    const { read } = outcome;
    if (read === undefined) continue;
    const { item, contentKey, recordId } = read;
    const source = { manifest: manifestOf(read), contentKey, memberId, recordId };
    try {
      if (item.bytes !== undefined)
        small.push({ outcome, sealed: sealBytes({ ...source, body: item.bytes }) });
      else {
        const reuse = store.copiesPieces === true;
        outcome.body = await store.put(sealRecord({ ...source, body: item.open(), reuse }));
      }
    } catch (error) {
      outcome.error = itemsFault(error);
    }
  }
  const stored = await store.putMany(small.map(({ sealed }) => sealed));
  for (const [position, { outcome }] of small.entries()) outcome.body = stored[position]!;
}

/** Writes an item's row. In source order, so that of two items of one key the later amends the earlier. */
function record(
  { journal, filer, witness }: Pick<IntakeParts, "journal" | "filer" | "witness">,
  { item, read, body, error }: Outcome,
  taken: Taken,
): void {
  if (read === undefined || body === undefined) {
    bury(journal, item, error!);
    taken.dead.push({ label: item.label, error: error! });
    witness?.became(item, { outcome: "dead", error: error!, kept: false });
    return;
  }
  const row = rowOf(read, body);
  let refused = read.filing.error;
  // Evidence of an act stands beside what was filed of it before.
  const amended = row.supports === undefined ? amendedOf(journal, read) : undefined;
  if (amended instanceof ChartsealError) {
    row.amends = Number(amended.values["row"]);
    refused = amended;
  } else if (amended !== undefined) {
    row.amends = amended.id;
    const patient = filer.amending(row.patient, amended);
    if (patient !== undefined) row.patient = patient;
    refused ??= changedPatient(amended, patient?.patientId);
    // An entry can name only an older one, so this one waits for the one it amends.
    if (amended.state === ItemState.WAITING) row.state = ItemState.WAITING;
  }
  if (refused !== undefined) {
    row.state = ItemState.DEAD;
    row.reason = refused.code;
    taken.dead.push({ label: item.label, error: refused });
    witness?.became(item, { outcome: "dead", error: refused, kept: true });
  }
  if (read.item.event !== undefined) takeNote(journal, read.item.event, row);
  if (row.state !== ItemState.SEALED || row.event !== undefined) row.details = detailsOf(read.item, true);
  journal.add(row);
  if (row.state === ItemState.DEAD) return;
  const outcome = row.state === ItemState.SEALED ? "sealed" : "waiting";
  taken[outcome]++;
  witness?.became(item, { outcome, kept: true });
}

/**
 * The newest version of the same item, else of one that it takes the place of; or the error of its altered row: nothing
 * can be filed beside that one.
 */
function amendedOf(
  journal: Journal,
  { item: { replaces = [] }, sourceMac }: Incoming,
): JournalItem | ChartsealError | undefined {
  try {
    for (const mac of [sourceMac, ...replaces.map((key) => journal.macOf("source", key))]) {
      const newest = journal.newestOf(mac);
      if (newest !== undefined) return newest;
    }
    return undefined;
  } catch (error) {
    if (isAlteredError(error)) return error;
    throw error;
  }
}

function rowOf(read: Incoming, body: Stored): NewItem {
  const { item, filing } = read;
  return {
    itemMac: read.itemMac,
    sourceMac: read.sourceMac,
    state: filing.state,
    sealed: { recordId: read.recordId, cid: body.cid, contentDigest: body.sha256 },
    details: detailsOf(item, false),
    recordedDay: recordedDayOf(item, read.receivedAt),
    receivedAt: Math.floor(read.receivedAt.getTime() / 1000),
    ...(filing.patient === undefined ? {} : { patient: filing.patient }),
    ...(filing.supports === undefined ? {} : { supports: filing.supports }),
  };
}

/** An item cannot move to another patient by an amendment: that would link the two on chain. */
export function changedPatient(
  amended: Pick<JournalItem, "patientId" | "logIndex"> | undefined,
  now: string | undefined,
): ChartsealError | undefined {
  const before = amended?.patientId;
  if (before === undefined || now === undefined || before === now) return undefined;
  return new ChartsealError("ERR_PATIENT_CHANGED", "the item was filed under another patient before", {
    ...(amended?.logIndex === undefined ? {} : { values: { index: amended.logIndex } }),
    hint: "if that was the wrong one: `chartseal status --list` numbers the item, `chartseal refile` corrects it",
  });
}
