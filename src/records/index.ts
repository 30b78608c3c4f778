// SPDX-License-Identifier: Apache-2.0
export { Controls, type Control } from "./controls.js";
export { Entries, leafOf, type AnchoredEntry } from "./entries.js";
export { Journal } from "./journal.js";
export { figuresOf, readJournalFigures, type DeadLetters, type JournalFigures } from "./journal-figures.js";
export {
  SET_ASIDE,
  ERASED_UNPLACED,
  UNPLACED,
  applyChange,
  changeOf,
  setAside,
  takeBack,
  type ItemChange,
} from "./item-changes.js";
export { receivedAt, timesAt } from "./item-times.js";
export { isAlteredRow } from "./journal-rows.js";
export type {
  AlteredRow,
  Anchoring,
  ItemDetails,
  ItemMacs,
  JournalBatch,
  JournalItem,
  NewItem,
  Supports,
} from "./journal-rows.js";
export { namedBodies, openJournalFile, type NamedBody } from "./named-bodies.js";
export { EventState, ItemState } from "./journal-schema.js";
export { journalTrust } from "./journal-trust.js";
export { alteredItem, isAlteredError } from "./row-macs.js";
export { verifyLog, type Finding, type LogVerdict, type VerifyLogOptions } from "./verify-log.js";
export { readFhir } from "./fhir-bundle.js";
export type { BundleEntry, FhirBundle, FhirFacts, FhirText } from "./fhir-bundle.js";
export { CDA_HEAD_BYTES, CDA_MEDIA_TYPE, mayBeCda, readCda } from "./cda.js";
export { DICOM_HEAD_BYTES, readDicom } from "./dicom.js";
export { readHl7 } from "./hl7.js";
export { readHl7Header, type Hl7Header } from "./hl7-header.js";
export { FHIR_PATIENT, isBadItem } from "./item.js";
export type { BadItem, IdentityPair, ItemEvent, PatientRef, SourceItem } from "./item.js";
export type { JsonOrigin } from "./json-error.js";
export { MAX_JSON_BYTES, scanJson } from "./json-scan.js";
export { selectItems } from "./select-items.js";
export { recordFileName } from "./record-name.js";
export { DEFAULT_RULES, loadRules, parseRules, resolveSubject } from "./patient-rules.js";
export type { PatientRule, PatientRules, Resolution } from "./patient-rules.js";
