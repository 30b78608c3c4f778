// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { ACT_DETAILS } from "./acts.js";
import { changeAgents, lookupAgents, readAgents } from "./audit-event-agents.js";
import type { Accessed, Accounting, Act, Audit, AuditEntry, Lookup } from "./audit.js";
import {
  APPLICATION_SERVER,
  DESTINATION_ROLE,
  DOMAIN_RESOURCE,
  PATIENT_ROLE,
  PERSON,
  QUERY_ROLE,
  REST,
  SOURCE_ROLE,
  SYSTEM_OBJECT,
  TRANSACTION,
  interaction,
  purposeOfUse,
  urn,
  type Entity,
  type FhirAuditEvent,
  type Reference,
} from "./fhir-audit-event.js";
import { isoDay, isoTime } from "./iso-time.js";
import { allRowsOf, isLookup, type Report } from "./report.js";
import { suspectSince, suspicionText } from "./suspicion.js";
import { printable } from "../printable.js";

/** IHE Basic Audit Log Patterns (BALP) 1.1.4, ITI Technical Framework. */
const BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit";

/** What sets one BALP pattern apart. A resource of a patient takes its Patient form. */
const PATTERNS = {
  create: { profile: "PatientCreate", action: "C", interaction: "create" },
  read: { profile: "PatientRead", action: "R", interaction: "read" },
  update: { profile: "PatientUpdate", action: "U", interaction: "update" },
  query: { profile: "PatientQuery", action: "E", interaction: "search" },
  lookup: { profile: "Query", action: "E", interaction: "search" },
  other: { profile: undefined, action: "E", interaction: "operation" },
} as const;
type Pattern = keyof typeof PATTERNS;

/**
 * Disclosures as FHIR R4 AuditEvents in the patterns of IHE BALP: PatientRead for a requested record (one
 * event a record, as the pattern has it, all with the access id as their transaction), PatientQuery for an index or
 * a chart, Query for a lookup, which names no patient, PatientCreate for the enrolment, a grant and the first directive, PatientUpdate for a revocation, a later
 * directive and an amended or retracted entry. Patients, accounts and members are pseudonyms and public ids only.
 * A resource's id follows from the event's place on chain: the same event exported again has the same id. Holds what
 * the node showed: look at the report's `complete` first.
 */
export function auditEvents(report: Report): FhirAuditEvent[] {
  return allRowsOf(report).flatMap((row) => {
    if (isLookup(row)) return [lookupEvent(row.entry, row.audit)];
    const { entry, audit } = row;
    if (entry.kind === "access" && entry.extent === "RECORDS") {
      return entry.indices.map((index) => readEvent(entry, index, audit));
    }
    return [eventOf(entry, audit)];
  });
}

/** {@link auditEvents} as NDJSON: one resource a line. */
export function auditEventNdjson(report: Report): string {
  return auditEvents(report)
    .map((event) => `${JSON.stringify(event)}\n`)
    .join("");
}

function eventOf(entry: AuditEntry, audit: Audit): FhirAuditEvent {
  switch (entry.kind) {
    case "enrolled":
      return changeEvent(entry, audit, "create", urn(`patient:${audit.patientId}`));
    case "grant-given":
      return changeEvent(entry, audit, "create", urn(`grant:${entry.termsHash}`, "Consent"), [
        ["grantee", `urn:chartseal:member:${entry.grantee}`],
        ["givenBy", entry.givenBy],
        ["purposes", entry.purposes.join(" ")],
        ["compartments", entry.compartments.join(" ")],
        ["validFrom", isoTime(entry.notBefore)],
        ["validTo", isoTime(entry.notAfter)],
        ["recordedFrom", isoDay(entry.recordedFrom)],
        ["recordedTo", isoDay(entry.recordedTo)],
      ]);
    case "grant-revoked":
      return changeEvent(entry, audit, "update", urn(`grant:${entry.termsHash}`, "Consent"), [
        ["revokedBy", entry.revokedBy],
      ]);
    case "directive-set": {
      const what = urn(`directive:${audit.patientId}`, "Consent");
      return changeEvent(entry, audit, entry.nonce === 0 ? "create" : "update", what, [
        ["denyAll", String(entry.denyAll)],
        ["denyEmergency", String(entry.denyEmergency)],
        ["deniedCompartments", entry.deniedCompartments.join(" ")],
        ["setBy", entry.setBy],
      ]);
    }
    case "access":
      return queryEvent(entry, audit);
    case "amended":
      return changeEvent(entry, audit, "update", recordReference(audit, entry.memberId, entry.index), [
        ["supersededBy", `urn:chartseal:entry:${audit.chainId}:${entry.memberId}:${entry.byIndex}`],
      ]);
    case "retracted":
      return changeEvent(entry, audit, "update", recordReference(audit, entry.memberId, entry.index), [
        ["status", "entered-in-error"],
      ]);
    case "other":
      return changeEvent(entry, audit, "other", urn(`patient:${audit.patientId}`), [
        ["event", printable(entry.event)],
      ]);
    default:
      return changeEvent(entry, audit, "update", actReference(entry, audit), [
        ["event", entry.kind],
        ...ACT_DETAILS.map((name) => [name, entry.details[name] ?? ""] as const),
      ]);
  }
}

/** What an act is about: an entry of the custodian's log, or the patient himself. */
function actReference({ details, member }: Act, audit: Audit): Reference {
  if (details.index === undefined) return urn(`patient:${audit.patientId}`);
  return recordReference(audit, member ?? audit.custodian, Number(details.index));
}

/** Where a report's contracts are. */
type OnChain = Pick<Audit, "chainId" | "contracts">;

/** A resource event without its agents, purpose and data. */
function baseOf(entry: AuditEntry | Lookup, audit: OnChain, pattern: Pattern, part = 0) {
  const { profile, action, interaction: code } = PATTERNS[pattern];
  return {
    resourceType: "AuditEvent" as const,
    id: idOf(entry, audit, part),
    ...(profile === undefined ? {} : { meta: { profile: [`${BALP}.${profile}`] } }),
    type: REST,
    subtype: [interaction(code)],
    action,
    recorded: isoTime(entry.at),
    outcome: "0" as const, // the chain logs what succeeded; a refused request leaves no event
    source: {
      observer: urn(`contract:${audit.chainId}:${audit.contracts[entry.contract]}`, "Device", entry.contract),
      type: [APPLICATION_SERVER],
    },
  };
}

/** At most 64 characters of A-Z, a-z, 0-9, - and . (FHIR id). */
function idOf(entry: AuditEntry | Lookup, audit: OnChain, part: number): string {
  const place = [audit.chainId, entry.transactionHash, entry.logIndex, part].join("/");
  return createHash("sha256").update(place).digest("hex");
}

function readEvent(entry: Accessed, index: number, audit: Audit): FhirAuditEvent {
  const what = recordReference(audit, audit.custodian, index);
  return {
    ...baseOf(entry, audit, "read", index),
    purposeOfEvent: [purposeOfUse(entry.purpose)],
    // In a read the data goes from server to client, and BALP names the roles so.
    agent: readAgents(entry, audit, DESTINATION_ROLE, SOURCE_ROLE),
    entity: [
      patientEntity(audit),
      { what, type: SYSTEM_OBJECT, role: DOMAIN_RESOURCE },
      transactionEntity(entry),
    ],
  };
}

function queryEvent(entry: Accessed, audit: Audit): FhirAuditEvent {
  const { scope, extent } = entry;
  const text = [
    `extent=${extent}`,
    `custodian=${audit.custodian}`,
    ...(scope === undefined
      ? []
      : [
          `compartments=${scope.compartments.join(",")}`,
          `recorded=ge${isoDay(scope.recordedFrom)}`,
          `recorded=le${isoDay(scope.recordedTo)}`,
          `upTo=${scope.upTo}`,
        ]),
  ].join("&");
  return {
    ...baseOf(entry, audit, "query"),
    purposeOfEvent: [purposeOfUse(entry.purpose)],
    // In a query BALP names the roles by the way of the question.
    agent: readAgents(entry, audit, SOURCE_ROLE, DESTINATION_ROLE),
    entity: [patientEntity(audit), queryEntity(text), transactionEntity(entry)],
  };
}

/** Nobody but who asked knows what for. */
function lookupEvent(entry: Lookup, report: Accounting): FhirAuditEvent {
  const transaction = urn(`lookup:${entry.lookupId}`);
  return {
    ...baseOf(entry, report, "lookup"),
    agent: lookupAgents(entry, report),
    entity: [
      queryEntity(`lookup=${entry.lookupId}`),
      { what: transaction, type: TRANSACTION, ...detailOf(suspectDetails(entry)) },
    ],
  };
}

function queryEntity(text: string): Entity {
  const query = Buffer.from(text, "utf8").toString("base64");
  return { type: SYSTEM_OBJECT, role: QUERY_ROLE, description: text, query };
}

/** A change by the custodian's staff (enrolment, own log) or by the patient (consent). */
function changeEvent(
  entry: AuditEntry,
  audit: Audit,
  pattern: Pattern,
  what: Reference,
  details: readonly (readonly [type: string, value: string])[] = [],
): FhirAuditEvent {
  const told = [...details, ...suspectDetails(entry)];
  const written = told.filter(([, value]) => value !== ""); // FHIR knows no empty string
  const data: Entity = {
    what,
    type: SYSTEM_OBJECT,
    role: DOMAIN_RESOURCE,
    ...detailOf(written),
  };
  return {
    ...baseOf(entry, audit, pattern),
    agent: changeAgents(entry, audit),
    entity: [patientEntity(audit), data],
  };
}

function patientEntity(audit: Audit): Entity {
  return { what: urn(`patient:${audit.patientId}`, "Patient"), type: PERSON, role: PATIENT_ROLE };
}

function transactionEntity(entry: Accessed): Entity {
  return {
    what: urn(`access:${entry.accessId}`),
    type: TRANSACTION,
    ...detailOf(suspectDetails(entry)),
  };
}

/** The earliest time from which the event is to be doubted, and each reason why. */
function suspectDetails({ suspects = [] }: Pick<AuditEntry, "suspects">): [type: string, value: string][] {
  const since = suspectSince(suspects);
  if (since === undefined) return [];
  return [
    ["suspectSince", since],
    ...suspects.map((one): [string, string] => ["suspect", suspicionText(one)]),
  ];
}

function detailOf(details: readonly (readonly [type: string, value: string])[]): Pick<Entity, "detail"> {
  if (details.length === 0) return {};
  return { detail: details.map(([type, valueString]) => ({ type, valueString })) };
}

function recordReference(audit: Audit, memberId: number, index: number): Reference {
  return urn(`entry:${audit.chainId}:${memberId}:${index}`);
}
