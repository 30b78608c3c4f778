// SPDX-License-Identifier: Apache-2.0

/** Format of the vault file, in SQLite's `user_version`. */
export const VAULT_FORMAT = 1;

/**
 * In plain: pseudonyms, record ids and access ids (random, or public on the chain), epochs and counts. Everything
 * else is sealed or a keyed lookup. Content keys lie in a table that only grows at its end: SQLite then never
 * moves a row to another page, so that an erased key has no second copy in the unused part of a page.
 */
export const VAULT_SCHEMA = `
CREATE TABLE header (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  kdf TEXT NOT NULL,
  cost INTEGER NOT NULL,
  block_size INTEGER NOT NULL,
  parallelization INTEGER NOT NULL,
  salt BLOB NOT NULL,
  wrapped_master BLOB NOT NULL
) STRICT;
CREATE TABLE keks (
  kek_id INTEGER PRIMARY KEY,
  wrapped BLOB NOT NULL,
  created_at INTEGER NOT NULL -- Unix seconds
) STRICT;
CREATE TABLE content_keys (
  slot INTEGER PRIMARY KEY,
  record_id BLOB NOT NULL UNIQUE,
  kek_id INTEGER REFERENCES keks (kek_id),
  wrapped BLOB, -- NULL: erased
  CHECK ((kek_id IS NULL) = (wrapped IS NULL))
) STRICT;
CREATE TABLE patients (
  patient_id BLOB PRIMARY KEY,
  details BLOB NOT NULL,
  compartment_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE identifiers (
  lookup BLOB PRIMARY KEY,
  patient_id BLOB NOT NULL REFERENCES patients (patient_id),
  identifier BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_of_patient ON identifiers (patient_id);
CREATE TABLE member_keys (
  epoch INTEGER PRIMARY KEY,
  key_pair BLOB NOT NULL
) STRICT;
CREATE TABLE staff_keys (
  lookup BLOB PRIMARY KEY,
  staff_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE settings (
  lookup BLOB PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE releases (
  access_id BLOB NOT NULL,
  leaf_hash BLOB NOT NULL, -- zero: one release for the whole access
  release BLOB NOT NULL,
  PRIMARY KEY (access_id, leaf_hash)
) STRICT, WITHOUT ROWID;
`;
