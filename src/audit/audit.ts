// SPDX-License-Identifier: Apache-2.0
import type { AccessEvent } from "../access/index.js";
import type { Purpose } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import type { ActDetails, ActKind } from "./acts.js";
import type { Place, Registry } from "./place.js";

/**
 * How the events that the node showed compare with the chain's head.
 * - EQUAL: every event, unaltered, in order
 * - MISSING, SURPLUS: fewer or more than the chain counts
 * - REORDERED: the right events in another order
 * - ALTERED: as many as the chain counts, but another digest
 */
export type HeadFinding = "EQUAL" | "MISSING" | "SURPLUS" | "REORDERED" | "ALTERED";

/** One registry's list of events about the patient, held against the chain's head. */
export interface AuditHead {
  registry: Registry;
  /** Events that the node showed. */
  events: number;
  /** Events that the chain counts. */
  count: number;
  /**
   * The chain's head, 32 bytes: `headOf(patientId)` (RecordRegistry: `patientHeadOf`) at the audit's block gives the same
   * on any honest node.
   */
  head: Hex;
  complete: boolean;
  finding: HeadFinding;
  /** Where the lists part, when the node still knew the older heads. */
  parting?: Parting;
  /** What differs, in English. */
  detail: string;
}

/** Where the shown events and the chain's heads part. */
export interface Parting {
  /** So many shown events still agree with the chain. Left out when the node no longer knew. */
  agreeing?: number;
  /** Block of the last agreeing event; left out when not one agrees. */
  agreeUntil?: number;
  /** At the end of this block they differ. */
  differAt: number;
}

/** The pseudonym was registered at its custodian. */
export interface Enrolled extends Place {
  kind: "enrolled";
  custodian: number;
  /** False: the patient consents on paper. */
  hasSigner: boolean;
}

/** Who acted for the patient. */
export type GivenBy = "PATIENT" | "GUARDIANS" | "WITNESSES" | "DELEGATE";

/** A grant was given. */
export interface GrantGiven extends Place {
  kind: "grant-given";
  termsHash: Hex;
  /** Member id. */
  grantee: number;
  givenBy: GivenBy;
  purposes: Purpose[];
  /** Numbers 0..63. */
  compartments: number[];
  /** Unix seconds, inclusive. */
  notBefore: number;
  notAfter: number;
  /** Days since 1970-01-01 UTC, inclusive. */
  recordedFrom: number;
  recordedTo: number;
}

/** Terms were revoked, given or not yet given. */
export interface GrantRevoked extends Place {
  kind: "grant-revoked";
  termsHash: Hex;
  /** Member id, from the grant; left out when the terms were revoked before they were given. */
  grantee?: number;
  revokedBy: GivenBy;
}

/** The patient's directive was replaced. */
export interface DirectiveSet extends Place {
  kind: "directive-set";
  denyAll: boolean;
  denyEmergency: boolean;
  /** Numbers 0..63. */
  deniedCompartments: number[];
  setBy: GivenBy;
  /** From 0; counts the patient's directives. */
  nonce: number;
}

/** Somebody requested records, an index or a chart. */
export interface Accessed
  extends
    Place,
    Pick<
      AccessEvent,
      "accessId" | "reader" | "memberId" | "basis" | "basisRef" | "purpose" | "extent" | "indices"
    > {
  kind: "access";
  /** Of INDEX and CHART. */
  scope?: {
    /** Numbers 0..63. */
    compartments: number[];
    /** Days since 1970-01-01 UTC, inclusive. */
    recordedFrom: number;
    recordedTo: number;
    /** Newest index of the custodian's log that is meant. */
    upTo: number;
  };
}

/**
 * A clinician asked custodians whether they know somebody of whom he had an identifier. Which patient that was nobody
 * can say: it stands in no patient's list, and no head counts it.
 */
export interface Lookup extends Place {
  kind: "lookup";
  lookupId: Hex;
  /** Account. */
  reader: Hex;
  /** Member id, the reader's. */
  memberId: number;
}

/** A record was amended by a later one. */
export interface Amended extends Place {
  kind: "amended";
  /** Whose log. */
  memberId: number;
  index: number;
  byIndex: number;
}

/** A record was marked as entered in error. */
export interface Retracted extends Place {
  kind: "retracted";
  memberId: number;
  index: number;
}

/** Something about the patient's keys, guardians, orders, emergencies or holds. */
export interface Act extends Place {
  kind: ActKind;
  /** Member id, where the act concerns one. */
  member?: number;
  details: ActDetails;
}

/** An event that this version cannot put in words. It is listed, so that nothing is hidden. */
export interface OtherEvent extends Place {
  kind: "other";
  /** Its name if the contract's interface knows it, else its topic 0. */
  event: string;
}

/** One event about a patient. */
export type AuditEntry =
  Enrolled | GrantGiven | GrantRevoked | DirectiveSet | Accessed | Amended | Retracted | Act | OtherEvent;
/** What happened. */
export type AuditKind = AuditEntry["kind"];

/** The member that an entry is about; undefined when it concerns all of them. */
export function memberOf(entry: AuditEntry | Lookup): number | undefined {
  switch (entry.kind) {
    case "enrolled":
      return entry.custodian;
    case "grant-given":
    case "grant-revoked":
      return entry.grantee;
    case "access":
      // A patient who asked for his own records is of no member.
      return entry.memberId === 0 ? undefined : entry.memberId;
    case "amended":
    case "retracted":
    case "lookup":
      return entry.memberId;
    case "other":
    case "directive-set":
      return undefined;
    default:
      return entry.member;
  }
}

/** On what accesses rest, as the patient's other events tell. */
export interface Ground {
  /** Unix seconds: when the grant was given, the order entered, the glass broken. */
  at: number;
  /** Of a grant. */
  givenBy?: GivenBy;
  /** Accounts: the two witnesses of a paper consent, the two who entered an order, or the reader and his colleague. */
  persons?: [first: string, second: string];
  /** Index of the paper in the custodian's log. */
  document?: string;
  emergency?: EmergencyState;
}

/** What became of an emergency. */
export interface EmergencyState {
  windowId: Hex;
  /** Member id, the reader's; 0 when the node does not know. */
  member: number;
  /** Released while the chain was down and filed afterwards: when, as the custodian says, and the digest of what. */
  late?: { released: string; release: string };
  /** Digest of the reason; see `statementDigest`. */
  reason: string;
  justified?: Filed;
  reviewed?: Filed & { verdict: string };
  /** Flagged on chain as overdue, and not justified since. */
  overdue: boolean;
}

/** A statement by a privacy officer. */
export interface Filed {
  /** Unix seconds. */
  at: number;
  /** Account. */
  officer: string;
  /** Digest of the statement. */
  statement: string;
}

/** Restricts what is shown, never what is checked. */
export interface AuditFilter {
  /** Only events from this moment on. */
  from?: Date;
  /** Only events up to this moment, inclusive. */
  to?: Date;
  /** Only what concerns this member: grants to it, accesses by its staff, its own log's entries. */
  member?: number;
  /** Only accesses by this account. */
  reader?: Hex;
}

/** What only the custodian's vault and journal know. For its own staff: it is in no CSV and no FHIR export. */
export interface LocalNames {
  /** The patient, by his label or identifiers. */
  patient?: string;
  /** Name of a compartment, by its number. */
  compartments: Record<number, string>;
  /** Label of a record that was accessed, amended or retracted, by its log index. */
  records: Record<number, string>;
  /** Text of a statement about an emergency that this member keeps, by its digest. */
  statements: Record<string, string>;
}

/** A patient's disclosures. Plain values: it can be written as JSON. */
export interface Audit {
  patientId: Hex;
  /** Member id. */
  custodian: number;
  chainId: number;
  /** The contracts' addresses. */
  contracts: Record<Registry, Hex>;
  /** Everything was read up to this block. */
  block: { number: number; hash: Hex; at: number };
  /** Every head equals the one that the shown events lead to. */
  complete: boolean;
  heads: AuditHead[];
  /** What `entries` was restricted to. */
  filter: AuditFilter;
  /** Events before the filter. */
  total: number;
  /** In chain order. */
  entries: AuditEntry[];
  /** What the shown accesses and emergencies rest on, by terms hash. */
  grounds: Record<Hex, Ground>;
  /** Names by member id, as its admission gave them. */
  members: Record<number, string>;
  /** Left out without vault and journal. */
  local?: LocalNames;
}

/** What was disclosed to a clinician, or by and to a member: one audit a patient. Plain values, as {@link Audit}. */
export interface Accounting {
  subject: { clinician: Hex } | { member: number };
  chainId: number;
  contracts: Audit["contracts"];
  block: Audit["block"];
  filter: Pick<AuditFilter, "from" | "to">;
  /** Every checked patient's list is complete. Says nothing about patients of whom the node showed no event at all. */
  complete: boolean;
  /** Patients whose heads were checked: all of this member's vault, and others' of whom the node showed an event. */
  checked: { own: number; others: number };
  /** Of patients with something to show, and of those whose list is not complete. */
  audits: Audit[];
  /** By the clinician, or the member's staff, in chain order. No head counts them: a node may hide some. */
  lookups: Lookup[];
  members: Record<number, string>;
}
