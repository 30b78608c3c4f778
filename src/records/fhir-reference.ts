// SPDX-License-Identifier: Apache-2.0
import { FHIR_PATIENT } from "./item.js";
import type { PatientRef } from "./item.js";
import { picksAt, textAt } from "./json-pick.js";
import type { JsonObjectPick } from "./json-pick.js";

/**
 * What a FHIR Reference points at (R4, 2.3.0): `url` is a literal reference as written, without its version;
 * `refs` are the identifiers it gives of a person, that of `url` first. A target that cannot be a patient has no
 * reference at all.
 */
export interface PatientReference {
  readonly url?: string;
  readonly refs: readonly PatientRef[];
  /** False when nothing says that the target is a patient; only a target found nearby then counts. */
  readonly certain: boolean;
}

/** `[base/]Type/id[/_history/version]`, R4 2.3.0.1; ids are taken as servers write them, not only as R4 allows. */
const LITERAL = /^(?:(https?:\/\/.+)\/)?([A-Z][A-Za-z]+)\/([^/?#|]+)(?:\/_history\/[^/]+)?(?:#.*)?$/;
/** `Type?criteria`, a conditional reference of a transaction, R4 3.1.0.11.2. */
const CONDITIONAL = /^(?:https?:\/\/.+\/)?([A-Z][A-Za-z]+)\?(.*)$/;
const PATIENT_PROFILE = "http://hl7.org/fhir/StructureDefinition/Patient";

/** Reads a Reference; undefined when it names something else than a patient, or nothing. */
export function readPatientReference(
  node: JsonObjectPick,
  patientByDefault: boolean,
): PatientReference | undefined {
  const type = textAt(node, "type");
  if (type !== undefined && type !== "Patient" && type !== PATIENT_PROFILE) return undefined;
  const assumed = patientByDefault || type !== undefined;
  const identifiers = [...readIdentifiers(node)];
  const reference = textAt(node, "reference");
  if (reference === undefined) {
    return identifiers.length > 0 && assumed ? { refs: identifiers, certain: true } : undefined;
  }
  const literal = LITERAL.exec(reference);
  if (literal !== null) {
    if (literal[2] !== "Patient") return undefined;
    const url = literal[1] === undefined ? `Patient/${literal[3]}` : `${literal[1]}/Patient/${literal[3]}`;
    return { url, refs: [patientUrlRef(url), ...identifiers], certain: true };
  }
  const conditional = CONDITIONAL.exec(reference);
  if (conditional !== null) {
    if (conditional[1] !== "Patient") return undefined;
    const named = readCriteria(conditional[2] ?? "") ?? { system: FHIR_PATIENT, value: reference };
    return { refs: [named, ...identifiers], certain: true };
  }
  return {
    url: reference,
    refs: [{ system: FHIR_PATIENT, value: reference }, ...identifiers],
    certain: assumed,
  };
}

/** `Patient/123` as an identifier. An absolute URL stays whole: another server's 123 is another person. */
export function patientUrlRef(url: string): PatientRef {
  return { system: FHIR_PATIENT, value: url.startsWith("Patient/") ? url.slice("Patient/".length) : url };
}

/** A relative reference inside a resource whose own URL lies below `base` (R4, 2.36.4): the same, absolute. */
export function withBase(reference: PatientReference, base: string | undefined): PatientReference {
  if (base === undefined || reference.url?.startsWith("Patient/") !== true) return reference;
  const url = `${base}/${reference.url}`;
  return { ...reference, url, refs: [patientUrlRef(url), ...reference.refs.slice(1)] };
}

/** `http://server/fhir` of `http://server/fhir/Observation/9`; undefined for `urn:uuid:...`. */
export function baseOf(fullUrl: string | undefined): string | undefined {
  return fullUrl === undefined ? undefined : /^(https?:\/\/.+)\/[A-Z][A-Za-z]+\/[^/]+$/.exec(fullUrl)?.[1];
}

/** `identifier[]` of a resource, or `identifier` of a reference; those without a value name nobody. */
export function* readIdentifiers(node: JsonObjectPick): Generator<PatientRef> {
  for (const identifier of picksAt(node, "identifier")) {
    const value = textAt(identifier, "value");
    if (value !== undefined && value !== "") yield { system: textAt(identifier, "system") ?? "", value };
  }
}

/** `identifier=system|value`, alone, as an identifier; any other search could find anyone. */
function readCriteria(query: string): PatientRef | undefined {
  const criteria = [...new URLSearchParams(query)];
  const [name, token] = criteria[0] ?? [];
  if (criteria.length !== 1 || name !== "identifier" || token === undefined) return undefined;
  const bar = token.indexOf("|");
  const value = token.slice(bar + 1);
  return value === "" ? undefined : { system: bar === -1 ? "" : token.slice(0, bar), value };
}
