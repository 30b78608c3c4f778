// SPDX-License-Identifier: Apache-2.0
export { Controls, type Control } from "./controls.js";
export { Entries, leafOf, type AnchoredEntry } from "./entries.js";
export { Journal } from "./journal.js";
export type {
  Anchoring,
  ItemDetails,
  JournalBatch,
  JournalItem,
  NewItem,
  SealedItem,
  Supports,
} from "./journal-rows.js";
export { ItemState } from "./journal-schema.js";
export { verifyLog, type Finding, type LogVerdict, type VerifyLogOptions } from "./verify-log.js";
export { readFhir } from "./fhir-bundle.js";
export type { BundleEntry, FhirBundle, FhirFacts, FhirText } from "./fhir-bundle.js";
export { DICOM_HEAD_BYTES, readDicom } from "./dicom.js";
export { readHl7 } from "./hl7.js";
export { readHl7Header, type Hl7Header } from "./hl7-header.js";
export { FHIR_PATIENT, isBadItem } from "./item.js";
export type { BadItem, PatientRef, SourceItem } from "./item.js";
export type { JsonOrigin } from "./json-error.js";
export { MAX_JSON_BYTES } from "./json-scan.js";
export { recordFileName } from "./record-name.js";
export { DEFAULT_RULES, loadRules, parseRules, resolveSubject } from "./patient-rules.js";
export type { PatientRule, PatientRules, Resolution } from "./patient-rules.js";
