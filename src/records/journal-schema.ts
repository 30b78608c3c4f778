// SPDX-License-Identifier: Apache-2.0

export const JOURNAL_FORMAT = 6;

/** What is dead is known again by the place where it was found, everything else by its source and its bytes. */
const KNOWN_AGAIN = `
CREATE INDEX items_by_source ON items (source_mac, id, item_mac);
CREATE UNIQUE INDEX items_dead ON items (item_mac) WHERE state = 6;
`;

const CONTROLS = `
CREATE TABLE controls (
  control_mac BLOB PRIMARY KEY,
  content_mac BLOB NOT NULL,
  taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX controls_by_time ON controls (taken_at);
`;

/**
 * From 1: items other than records, and erased ones. From 2: authenticated rows; {@link RowMacs} fills them in. From 3:
 * what its source takes back, and of what something follows. From 4: what a listener acknowledged, by its sender's number.
 * From 5: one index by which items are known again, not two: each costs a page of its own for each item of a large file.
 */
export const JOURNAL_MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [
    1,
    `ALTER TABLE items ADD COLUMN kind INTEGER NOT NULL DEFAULT 0; ALTER TABLE items ADD COLUMN ref BLOB;
     ALTER TABLE items ADD COLUMN erased INTEGER NOT NULL DEFAULT 0`,
  ],
  [2, `ALTER TABLE items ADD COLUMN row_mac BLOB; ALTER TABLE batches ADD COLUMN row_mac BLOB`],
  [
    3,
    `ALTER TABLE items ADD COLUMN withdrawn INTEGER; ALTER TABLE items ADD COLUMN event INTEGER;
     CREATE INDEX items_withdrawn ON items (withdrawn) WHERE withdrawn IS NOT NULL;
     CREATE INDEX items_with_event ON items (id) WHERE event = 1`,
  ],
  [4, CONTROLS],
  [5, `DROP INDEX items_by_mac; DROP INDEX items_by_source; ${KNOWN_AGAIN}`],
]);

/**
 * Where an item stands. An item is sealed and its body stored before the journal first names it, so no plaintext is
 * ever on disk.
 */
export const ItemState = {
  /** Sealed and stored; its patient is not enrolled yet, or the item that it amends waits. */
  WAITING: 1,
  /** Sealed and stored; ready for a batch. */
  SEALED: 2,
  /** Has its index; its batch is built. */
  BATCHED: 3,
  /** Its batch's signed transaction is on the way. */
  SUBMITTED: 4,
  ANCHORED: 5,
  /** Cannot be taken; `reason` says why. */
  DEAD: 6,
} as const;
export type ItemState = (typeof ItemState)[keyof typeof ItemState];

/** Whether what an item says of persons or of other records was followed. */
export const EventState = {
  /** To be followed once the persons are known, or for a person to decide. */
  OPEN: 1,
  SETTLED: 2,
} as const;
export type EventState = (typeof EventState)[keyof typeof EventState];

/**
 * What a thief of this file sees: random numbers, ciphertext, keyed hashes, pseudonyms and what is on chain anyway.
 * `item_mac` and `source_mac` are HMACs under a vault key; `details` is encrypted under another. `amends` says which
 * item this one replaces; `amended_index` is what its leaf says of it, and never changes while the leaf stands. `kind` is
 * the leaf's; `ref`, of all but records, its ref. Of an erased item `details` says nothing, its body and key are gone.
 * `withdrawn` counts what its source took back, in order; `retracted` says that the chain has it. `event` is an
 * {@link EventState}.
 * `controls` holds HMACs only: of a sender's message control id, and of the bytes that came with it.
 * `row_mac` is an HMAC over the row under a vault key of its own: who writes this file past chartseal is found out.
 */
export const JOURNAL_SCHEMA = `
CREATE TABLE items (
  id INTEGER PRIMARY KEY,
  item_mac BLOB NOT NULL,
  source_mac BLOB NOT NULL,
  state INTEGER NOT NULL,
  record_id BLOB,
  cid TEXT,
  content_digest BLOB,
  details BLOB NOT NULL,
  recorded_day INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  reason TEXT,
  patient_id BLOB,
  compartment INTEGER,
  amends INTEGER REFERENCES items (id),
  amended_index INTEGER,
  salt BLOB,
  batch_id INTEGER REFERENCES batches (id),
  log_index INTEGER,
  patient_seq INTEGER,
  leaf_hash BLOB,
  superseded_by INTEGER,
  retracted INTEGER NOT NULL DEFAULT 0,
  kind INTEGER NOT NULL DEFAULT 0,
  ref BLOB,
  erased INTEGER NOT NULL DEFAULT 0,
  row_mac BLOB,
  withdrawn INTEGER,
  event INTEGER
) STRICT;
${KNOWN_AGAIN.trim()}
CREATE INDEX items_by_state ON items (state, id) WHERE state <> 5;
CREATE INDEX items_by_batch ON items (batch_id, log_index);
CREATE UNIQUE INDEX items_by_index ON items (log_index) WHERE log_index IS NOT NULL;
CREATE INDEX items_by_patient ON items (patient_id, patient_seq);
CREATE INDEX items_amending ON items (amends) WHERE amends IS NOT NULL;
CREATE INDEX items_superseded ON items (superseded_by) WHERE superseded_by IS NOT NULL;
CREATE INDEX items_withdrawn ON items (withdrawn) WHERE withdrawn IS NOT NULL;
CREATE INDEX items_with_event ON items (id) WHERE event = 1;
CREATE TABLE batches (
  id INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  first_index INTEGER NOT NULL,
  count INTEGER NOT NULL,
  root BLOB NOT NULL,
  manifest_digest BLOB NOT NULL,
  manifest_cid TEXT NOT NULL,
  raw_transaction TEXT,
  transaction_hash TEXT,
  block_number INTEGER,
  block_hash TEXT,
  gas_used INTEGER,
  row_mac BLOB
) STRICT;
CREATE UNIQUE INDEX batches_by_first ON batches (first_index);
CREATE INDEX batches_open ON batches (state) WHERE state <> 5;
${CONTROLS}`;
