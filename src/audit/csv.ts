// SPDX-License-Identifier: Apache-2.0
import { ACT_DETAILS } from "./acts.js";
import { memberOf, type Act, type AuditEntry, type Lookup } from "./audit.js";
import { csvText, type Cell } from "./csv-text.js";
import { isoDay, isoTime } from "./iso-time.js";
import { allRowsOf, isLookup, type LookupRow, type Report, type Row } from "./report.js";
import { suspectSince, suspicionText } from "./suspicion.js";

/** Field names of the header row, in order. A name never changes its meaning; new ones come last. */
export const CSV_FIELDS = [
  "event",
  "time",
  "block_number",
  "log_index",
  "transaction_hash",
  "chain_id",
  "contract",
  "contract_address",
  "patient_id",
  "member_id",
  "member_name",
  "reader",
  "access_id",
  "purposes",
  "basis",
  "basis_ref",
  "extent",
  "indices",
  "up_to_index",
  "compartments",
  "recorded_from",
  "recorded_to",
  "terms_hash",
  "given_by",
  "valid_from",
  "valid_to",
  "has_signer",
  "deny_all",
  "deny_emergency",
  "denied_compartments",
  "nonce",
  "by_index",
  "event_name",
  "details",
  "suspect_since",
  "custodian",
  "suspects",
  "lookup_id",
] as const;
type Field = (typeof CSV_FIELDS)[number];

/**
 * Disclosures as CSV: one row an event under a row of field names. Times and days are ISO 8601 in UTC, years end at
 * 9999; lists are separated by spaces; what an event does not have is empty. Patients are pseudonyms. Holds what the
 * node showed: look at the report's `complete` first.
 */
export function csv(report: Report): string {
  const rows = allRowsOf(report).map((row) => {
    const cells = { ...placeCells(row), ...patientCells(row), ...eventCells(row.entry) };
    return CSV_FIELDS.map((field) => cells[field]);
  });
  return csvText(CSV_FIELDS, rows);
}

function patientCells(row: Row | LookupRow): Partial<Record<Field, Cell>> {
  return isLookup(row) ? {} : { patient_id: row.audit.patientId, custodian: row.audit.custodian };
}

function placeCells({ entry, audit }: Row | LookupRow): Partial<Record<Field, Cell>> {
  const member = memberOf(entry);
  return {
    event: entry.kind,
    time: isoTime(entry.at),
    block_number: entry.blockNumber,
    log_index: entry.logIndex,
    transaction_hash: entry.transactionHash,
    chain_id: audit.chainId,
    contract: entry.contract,
    contract_address: audit.contracts[entry.contract],
    member_id: member,
    member_name: member === undefined ? undefined : audit.members[member],
    suspect_since: suspectSince(entry.suspects),
    suspects: entry.suspects?.map(suspicionText).join("; "),
  };
}

function eventCells(entry: AuditEntry | Lookup): Partial<Record<Field, Cell>> {
  switch (entry.kind) {
    case "enrolled":
      return { has_signer: entry.hasSigner };
    case "grant-given":
      return {
        terms_hash: entry.termsHash,
        given_by: entry.givenBy,
        purposes: entry.purposes.join(" "),
        valid_from: isoTime(entry.notBefore),
        valid_to: isoTime(entry.notAfter),
        ...scopeCells(entry),
      };
    case "grant-revoked":
      return { terms_hash: entry.termsHash, given_by: entry.revokedBy };
    case "directive-set":
      return {
        deny_all: entry.denyAll,
        deny_emergency: entry.denyEmergency,
        denied_compartments: entry.deniedCompartments.join(" "),
        nonce: entry.nonce,
        given_by: entry.setBy,
      };
    case "access":
      return {
        reader: entry.reader,
        access_id: entry.accessId,
        purposes: entry.purpose,
        basis: entry.basis,
        basis_ref: entry.basisRef,
        terms_hash: entry.basis === "GRANT" ? entry.basisRef : undefined,
        extent: entry.extent,
        indices: entry.indices.join(" "),
        ...(entry.scope === undefined ? {} : { ...scopeCells(entry.scope), up_to_index: entry.scope.upTo }),
      };
    case "amended":
      return { indices: entry.index, by_index: entry.byIndex };
    case "retracted":
      return { indices: entry.index };
    case "lookup":
      return { reader: entry.reader, lookup_id: entry.lookupId };
    case "other":
      return { event_name: entry.event };
    default:
      return { details: ACT_DETAILS.flatMap((name) => detailOf(entry, name)).join("; ") };
  }
}

function detailOf({ details }: Act, name: (typeof ACT_DETAILS)[number]): string[] {
  const value = details[name];
  return value === undefined ? [] : [`${name}=${value}`];
}

function scopeCells(scope: { compartments: readonly number[]; recordedFrom: number; recordedTo: number }) {
  return {
    compartments: scope.compartments.join(" "),
    recorded_from: isoDay(scope.recordedFrom),
    recorded_to: isoDay(scope.recordedTo),
  };
}
