// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { gatherSubjects, readHeader, resourceTypeOf } from "./fhir.js";
import type { FhirHeader } from "./fhir.js";
import { RESOURCE_SHAPE } from "./fhir-shape.js";
import type { PatientRef } from "./item.js";
import type { JsonOrigin } from "./json-error.js";
import { fieldOf, isObjectPick, textAt } from "./json-pick.js";
import type { JsonObjectPick, JsonPick } from "./json-pick.js";
import { scanJson } from "./json-scan.js";
import { PersonDirectory, SubjectGroups } from "./persons.js";

/** What chartseal reads of a FHIR resource. */
export interface FhirFacts extends FhirHeader {
  readonly subjects: readonly (readonly PatientRef[])[];
}

/** One entry of a Bundle that holds a resource. */
export interface BundleEntry {
  /** Place in the Bundle, counted from 1, entries without a resource included. */
  readonly number: number;
  readonly fullUrl?: string;
  /** Absent when the resource does not say its type. */
  readonly resourceType?: string;
  /** The resource's exact bytes are `[start, end)` of the Bundle's. */
  readonly start: number;
  readonly end: number;
}

/** A JSON text, read: a Bundle, another FHIR resource, or JSON that is not FHIR. */
export type FhirText =
  | { readonly kind: "bundle"; readonly bundle: FhirBundle }
  | { readonly kind: "resource"; readonly facts: FhirFacts }
  | { readonly kind: "json" };

/** A Bundle inside a Bundle inside a Bundle... is refused beyond this: each level is read once more. */
const MAX_NESTED_BUNDLES = 4;

/**
 * Reads one JSON text; `origin` says where it lies in its file.
 *
 * @throws ERR_JSON_INVALID, ERR_ITEM_INVALID
 */
export function readFhir(bytes: Uint8Array, origin?: JsonOrigin): FhirText {
  const { picked } = scanJson(bytes, { shape: RESOURCE_SHAPE, origin });
  const resourceType = resourceTypeOf(picked);
  if (resourceType === undefined) return { kind: "json" };
  const root = picked as JsonObjectPick;
  if (resourceType === "Bundle") return { kind: "bundle", bundle: new FhirBundle(bytes, root) };
  const groups = new SubjectGroups();
  gatherSubjects(root, resourceType, { directory: new PersonDirectory() }, groups);
  return { kind: "resource", facts: { ...readHeader(root, resourceType), subjects: groups.list() } };
}

/** A scanned Bundle: where its entries lie, and who its Patients are. */
export class FhirBundle {
  /** Those that hold a resource. */
  readonly entries: readonly BundleEntry[];
  /** Places of those that hold none, counted from 1: a DELETE, for instance. */
  readonly withoutResource: readonly number[];
  readonly #bytes: Uint8Array;
  readonly #header: FhirHeader;
  readonly #directory = new PersonDirectory();

  constructor(bytes: Uint8Array, root: JsonObjectPick) {
    this.#bytes = bytes;
    this.#header = readHeader(root, "Bundle");
    ({ entries: this.entries, withoutResource: this.withoutResource } = listEntries(fieldOf(root, "entry")));
    for (const entry of this.entries) {
      if (entry.resourceType !== "Patient") this.#directory.addOther(entry.fullUrl);
    }
    for (const entry of this.entries) {
      if (entry.resourceType === "Patient") this.#directory.addPatient(this.#scan(entry), entry.fullUrl);
    }
  }

  /**
   * The Bundle as one item: its subjects are all persons of all its entries, each of which is read again.
   *
   * @throws ERR_ITEM_INVALID when Bundles are nested too deep
   */
  facts(): FhirFacts {
    const groups = new SubjectGroups();
    this.#gather(groups, 1);
    return { ...this.#header, subjects: groups.list() };
  }

  /** The entry's resource as it stands in the Bundle, byte for byte; shares memory with the Bundle. */
  slice(entry: BundleEntry): Uint8Array {
    return this.#bytes.subarray(entry.start, entry.end);
  }

  /** Reads one entry; references to other entries are followed. Undefined when it has no resource type. */
  read(entry: BundleEntry): FhirFacts | undefined {
    if (entry.resourceType === undefined) return undefined;
    const root = this.#scan(entry);
    const groups = new SubjectGroups();
    this.#gatherEntry(entry, root, groups, 1);
    return { ...readHeader(root, entry.resourceType), subjects: groups.list() };
  }

  #gather(groups: SubjectGroups, level: number): void {
    if (level > MAX_NESTED_BUNDLES) {
      throw new ChartsealError(
        "ERR_ITEM_INVALID",
        `Bundles are nested deeper than ${MAX_NESTED_BUNDLES} levels`,
        {
          values: { limit: MAX_NESTED_BUNDLES },
          hint: "take the inner Bundles out and ingest them as files of their own",
        },
      );
    }
    for (const entry of this.entries) {
      if (entry.resourceType !== undefined) this.#gatherEntry(entry, this.#scan(entry), groups, level);
    }
  }

  #gatherEntry(entry: BundleEntry, root: JsonObjectPick, groups: SubjectGroups, level: number): void {
    const { resourceType, fullUrl } = entry;
    if (resourceType === "Bundle") new FhirBundle(this.slice(entry), root).#gather(groups, level + 1);
    else gatherSubjects(root, resourceType ?? "", { directory: this.#directory, fullUrl }, groups);
  }

  #scan(entry: BundleEntry): JsonObjectPick {
    return scanJson(this.slice(entry), { shape: RESOURCE_SHAPE }).picked as JsonObjectPick;
  }
}

function listEntries(pick: JsonPick): Pick<FhirBundle, "entries" | "withoutResource"> {
  const entries: BundleEntry[] = [];
  const withoutResource: number[] = [];
  if (pick === undefined || typeof pick === "string") return { entries, withoutResource };
  // One entry without brackets is not FHIR, but it is somebody's record.
  for (const [index, element] of (isObjectPick(pick) ? [pick] : pick).entries()) {
    const entry = entryOf(element, index + 1);
    if (entry === undefined) withoutResource.push(index + 1);
    else entries.push(entry);
  }
  return { entries, withoutResource };
}

function entryOf(element: JsonPick, number: number): BundleEntry | undefined {
  const resource = isObjectPick(element) ? fieldOf(element, "resource") : undefined;
  if (!isObjectPick(element) || !isObjectPick(resource)) return undefined;
  const fullUrl = textAt(element, "fullUrl");
  const resourceType = resourceTypeOf(resource);
  const { start, end } = resource;
  return {
    number,
    start,
    end,
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(resourceType === undefined ? {} : { resourceType }),
  };
}
