// SPDX-License-Identifier: Apache-2.0
import { BEYOND_COMPARTMENT, PATIENT_COMPARTMENT } from "./patient-compartment.js";
import type { JsonShape } from "./json-pick.js";

/**
 * Where `recordedAt` comes from, first match wins: when the record was made, then when the care took place,
 * then the server's own `meta.lastUpdated`, which a migration sets to one day for every record.
 * Element names of FHIR R4.
 */
export const RECORDED_AT_PATHS: readonly string[] = [
  "issued", // Observation, DiagnosticReport, Media
  "recordedDate", // Condition, AllergyIntolerance, AdverseEvent
  "recorded", // Immunization, Provenance, AuditEvent
  "recordedOn", // DeviceUseStatement
  "dateAsserted", // MedicationStatement
  "authoredOn", // requests, Task
  "authored", // QuestionnaireResponse
  "dateWritten", // VisionPrescription
  "enteredDate", // ChargeItem
  "dateTime", // Consent, NutritionOrder
  "created", // CarePlan, Claim, DocumentManifest, Appointment, ...
  "date", // Composition, DocumentReference, List, ...
  "sent", // Communication
  "received", // Communication
  "timestamp", // Bundle
  "effectiveDateTime",
  "effectiveInstant",
  "effectivePeriod.start",
  "performedDateTime", // Procedure
  "performedPeriod.start",
  "occurrenceDateTime", // Immunization, ServiceRequest, ...
  "occurrencePeriod.start",
  "occurredDateTime", // Provenance
  "occurredPeriod.start",
  "whenHandedOver", // MedicationDispense
  "whenPrepared",
  "started", // ImagingStudy
  "period.start", // Encounter, EpisodeOfCare, CareTeam
  "billablePeriod.start", // Claim
  "onsetDateTime", // Condition
  "identifiedDateTime", // DetectedIssue
  "detected", // AdverseEvent
  "receivedTime", // Specimen
  "createdDateTime", // Media
  "statusDate", // Goal
  "meta.lastUpdated",
];

/** Where `author` comes from, first match wins. Element names of FHIR R4. */
export const AUTHOR_PATHS: readonly string[] = [
  "author",
  "recorder",
  "requester",
  "prescriber",
  "orderer",
  "asserter",
  "performer",
  "performer.actor",
  "informationSource",
  "sender",
  "enterer",
  "provider",
  "agent.who",
  "participant.individual",
];

type MutableShape = Map<string, JsonShape>;

const REFERENCE_PATHS = ["reference", "type", "display", "identifier.system", "identifier.value"];
const PATIENT_PATHS = ["resourceType", "id", "identifier.system", "identifier.value"];

/** Adds a text field at a dotted path. */
function keep(shape: MutableShape, path: string): void {
  const segments = path.split(".");
  const last = segments.pop() as string;
  let at = shape;
  for (const segment of segments) {
    const child = at.get(segment);
    const next: MutableShape = child instanceof Map ? child : new Map<string, JsonShape>();
    at.set(segment, next);
    at = next;
  }
  // An element that is text in one type and an object in another (`performer.actor`) stays an object.
  if (!at.has(last)) at.set(last, "text");
}

function resourceShape(): MutableShape {
  const shape: MutableShape = new Map();
  const compartment = [PATIENT_COMPARTMENT, BEYOND_COMPARTMENT].flatMap((table) =>
    Object.values(table).flat(),
  );
  for (const path of new Set([...compartment, ...AUTHOR_PATHS])) {
    for (const part of REFERENCE_PATHS) keep(shape, `${path}.${part}`);
  }
  for (const path of PATIENT_PATHS) {
    keep(shape, path);
    keep(shape, `contained.${path}`);
  }
  for (const path of RECORDED_AT_PATHS) keep(shape, path);
  // Of a Bundle's entries only what tells them apart; each is read again, alone, when it is needed.
  keep(shape, "entry.fullUrl");
  keep(shape, "entry.resource.resourceType");
  return shape;
}

/** Everything that is read of a resource of any type; one table, since `resourceType` may come last. */
export const RESOURCE_SHAPE: JsonShape = resourceShape();
