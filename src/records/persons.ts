// SPDX-License-Identifier: Apache-2.0
import { baseOf, patientUrlRef, readIdentifiers } from "./fhir-reference.js";
import type { PatientReference } from "./fhir-reference.js";
import { FHIR_PATIENT } from "./item.js";
import type { PatientRef } from "./item.js";
import { textAt } from "./json-pick.js";
import type { JsonObjectPick } from "./json-pick.js";

/** A person that a Patient resource describes. */
export interface Person {
  /** By system and value. */
  readonly refs: Map<string, PatientRef>;
}

/** Separates system and value: JSON text may hold it, identifiers do not. */
const SEPARATOR = "\u0000";

function keyOf(ref: PatientRef): string {
  return `${ref.system}${SEPARATOR}${ref.value}`;
}

/**
 * The resources of one Bundle by `fullUrl`, and its Patients by identifier, so that a reference inside finds
 * its person (R4, 2.36.4). Two Patient resources stay two people even where they share an identifier.
 */
export class PersonDirectory {
  readonly #byUrl = new Map<string, Person | "other">();
  readonly #byRef = new Map<string, Person[]>();

  addOther(fullUrl: string | undefined): void {
    if (fullUrl !== undefined) this.#byUrl.set(fullUrl, "other");
  }

  /**
   * A Patient's person, known by its id, its own `identifier[]` and its fullUrl. Under an absolute fullUrl the
   * bare id is left out: it is another server's, where the same id is somebody else.
   *
   * Several versions of one Patient (same fullUrl; without one, same id or identifiers) are one person.
   */
  addPatient(patient: JsonObjectPick, fullUrl: string | undefined): Person {
    const id = textAt(patient, "id");
    const refs = [...readIdentifiers(patient)];
    if (id !== undefined && baseOf(fullUrl) === undefined) refs.unshift({ system: FHIR_PATIENT, value: id });
    const url = fullUrl ?? (id === undefined ? undefined : `Patient/${id}`);
    const key = url ?? refs.map(keyOf).join();
    const known = this.#byUrl.get(key);
    const person = known === undefined || known === "other" ? { refs: new Map<string, PatientRef>() } : known;
    this.#byUrl.set(key, person);
    for (const ref of refs) this.#index(person, ref);
    if (url !== undefined) this.#index(person, patientUrlRef(url));
    return person;
  }

  /** The persons a reference means; "other" when it is known to mean something else; [] when unknown. */
  resolve(reference: PatientReference): readonly Person[] | "other" {
    const located = reference.url === undefined ? undefined : this.#byUrl.get(reference.url);
    if (located === "other") return "other";
    if (located === undefined) return this.#identified(reference.refs);
    // A reference whose identifier belongs to somebody else names both.
    const identified = this.#identified(reference.refs.slice(1));
    return identified.length === 0 || identified.includes(located) ? [located] : [located, ...identified];
  }

  #identified(refs: readonly PatientRef[]): Person[] {
    return [...new Set(refs.flatMap((ref) => this.#byRef.get(keyOf(ref)) ?? []))];
  }

  #index(person: Person, ref: PatientRef): void {
    const key = keyOf(ref);
    if (person.refs.has(key)) return;
    person.refs.set(key, ref);
    const sharers = this.#byRef.get(key);
    if (sharers === undefined) this.#byRef.set(key, [person]);
    else sharers.push(person);
  }
}

type Group = Map<string, PatientRef>;

/** Gathers the distinct persons of one item, each with every identifier seen for him. */
export class SubjectGroups {
  readonly #groups: Group[] = [];
  readonly #byPerson = new Map<Person, Group>();
  readonly #byRef = new Map<string, Group>();

  addPerson(person: Person, more: readonly PatientRef[] = []): void {
    const known = this.#byPerson.get(person);
    const group = known ?? this.#newGroup();
    if (known === undefined) {
      this.#byPerson.set(person, group);
      this.#addRefs(group, person.refs.values());
    }
    this.#addRefs(group, more);
  }

  /** Identifiers that one reference gives together: one person, the same as a group that shares one of them. */
  addRefs(refs: readonly PatientRef[]): void {
    const known = refs.map((ref) => this.#byRef.get(keyOf(ref))).find((group) => group !== undefined);
    this.#addRefs(known ?? this.#newGroup(), refs);
  }

  /** One inner list per person, in the order they were named. */
  list(): PatientRef[][] {
    return this.#groups.map((group) => [...group.values()]);
  }

  #newGroup(): Group {
    const group: Group = new Map();
    this.#groups.push(group);
    return group;
  }

  #addRefs(group: Group, refs: Iterable<PatientRef>): void {
    for (const ref of refs) {
      group.set(keyOf(ref), ref);
      if (!this.#byRef.has(keyOf(ref))) this.#byRef.set(keyOf(ref), group);
    }
  }
}
