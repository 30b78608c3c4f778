// SPDX-License-Identifier: Apache-2.0
import { baseOf, patientUrlRef, readIdentifiers, readPatientReference, withBase } from "./fhir-reference.js";
import type { PatientReference } from "./fhir-reference.js";
import type { PatientRef } from "./item.js";
import { AUTHOR_PATHS, RECORDED_AT_PATHS } from "./fhir-shape.js";
import { fieldOf, isObjectPick, picksAt, textAt } from "./json-pick.js";
import type { JsonObjectPick, JsonPick } from "./json-pick.js";
import { isPatientByDefault, subjectPaths } from "./patient-compartment.js";
import type { PersonDirectory, SubjectGroups } from "./persons.js";

/** What a record's manifest says of a FHIR resource; absent where the resource does not say it. */
export interface FhirHeader {
  readonly resourceType: string;
  readonly id?: string;
  readonly recordedAt?: string;
  readonly author?: string;
}

/** Where a resource stands: alone, or in a Bundle under a `fullUrl`. */
export interface FhirContext {
  readonly directory: PersonDirectory;
  readonly fullUrl?: string | undefined;
}

const RESOURCE_TYPE = /^[A-Z][A-Za-z]{0,63}$/;
/** R4 allows `[A-Za-z0-9\-.]{1,64}`; servers also write underscores and longer ids. */
const RESOURCE_ID = /^[^\s/?#|\p{C}]{1,256}$/u;
/** FHIR date, dateTime or instant (R4, 2.24.0.1). */
const DATE_TIME =
  /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/;
/** Longest author kept, in UTF-16 units: the manifest line has an end. */
const MAX_AUTHOR = 512;

/** The type of a scanned value, when it is a FHIR resource at all. */
export function resourceTypeOf(pick: JsonPick): string | undefined {
  if (!isObjectPick(pick)) return undefined;
  const type = fieldOf(pick, "resourceType");
  return typeof type === "string" && RESOURCE_TYPE.test(type) ? type : undefined;
}

export function readHeader(resource: JsonObjectPick, resourceType: string): FhirHeader {
  const id = textAt(resource, "id");
  const recordedAt = firstOf(RECORDED_AT_PATHS, (path) => {
    const text = textAt(resource, path);
    return text !== undefined && DATE_TIME.test(text) ? text : undefined;
  });
  const author = firstOf(AUTHOR_PATHS, (path) => firstOf(picksAt(resource, path), nameOfAuthor));
  return {
    resourceType,
    ...(id !== undefined && RESOURCE_ID.test(id) ? { id } : {}),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(author === undefined ? {} : { author }),
  };
}

/**
 * Adds every person the resource names by an element of the patient compartment, a Patient by itself. Other
 * references (who treated, who paid) are nobody's subject.
 */
export function gatherSubjects(
  resource: JsonObjectPick,
  resourceType: string,
  context: FhirContext,
  groups: SubjectGroups,
): void {
  if (resourceType === "Patient") groups.addPerson(context.directory.addPatient(resource, context.fullUrl));
  for (const path of subjectPaths(resourceType)) {
    for (const node of picksAt(resource, path)) {
      if (typeof node === "string") continue;
      const reference = readPatientReference(node, isPatientByDefault(path));
      if (reference !== undefined)
        addReference(withBase(reference, baseOf(context.fullUrl)), resource, context, groups);
    }
  }
}

function addReference(
  reference: PatientReference,
  resource: JsonObjectPick,
  context: FhirContext,
  groups: SubjectGroups,
): void {
  // What the reference says of its person besides where to find him.
  const more = reference.url === undefined ? reference.refs : reference.refs.slice(1);
  const contained =
    reference.url?.startsWith("#") === true ? findContained(resource, reference.url) : undefined;
  if (contained === "other") return;
  if (contained !== undefined) return groups.addRefs([...contained, ...more]);
  const found = context.directory.resolve(reference);
  if (found === "other") return;
  const [only] = found;
  if (only !== undefined && found.length === 1) groups.addPerson(only, more);
  else for (const person of found) groups.addPerson(person);
  if (found.length === 0 && reference.certain) groups.addRefs(reference.refs);
}

/** The identifiers of a contained Patient (R4, 2.3.0.2). Its id means nothing outside its resource. */
function findContained(resource: JsonObjectPick, url: string): readonly PatientRef[] | "other" | undefined {
  for (const node of picksAt(resource, "contained")) {
    const id = textAt(node, "id");
    if (typeof node === "string" || id === undefined || `#${id.replace(/^#/, "")}` !== url) continue;
    if (resourceTypeOf(node) !== "Patient") return "other";
    const refs = [...readIdentifiers(node)];
    return refs.length === 0 ? [patientUrlRef(url)] : refs;
  }
  return undefined;
}

function nameOfAuthor(node: string | JsonObjectPick): string | undefined {
  if (typeof node === "string") return undefined;
  const value = textAt(node, "identifier.value");
  const identifier = value === undefined ? undefined : `${textAt(node, "identifier.system") ?? ""}|${value}`;
  const name = textAt(node, "reference") ?? identifier ?? textAt(node, "display");
  return name !== undefined && name.length > 0 && name.length <= MAX_AUTHOR ? name : undefined;
}

function firstOf<T, R>(candidates: Iterable<T>, read: (candidate: T) => R | undefined): R | undefined {
  for (const candidate of candidates) {
    const found = read(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}
