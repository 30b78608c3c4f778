// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** FHIR 4.0.1's own definitions, as HL7 publishes them. */
const DEFINITIONS = dirname(createRequire(import.meta.url).resolve("hl7.fhir.r4.examples/package.json"));

interface ElementDefinition {
  path: string;
  min: number;
  max: string;
  type?: { code: string; extension?: { url: string; valueString?: string; valueUrl?: string }[] }[];
  binding?: { strength: string; valueSet: string };
}

interface Concept {
  code: string;
  display?: string;
  concept?: Concept[];
}

const snapshots = new Map<string, ElementDefinition[]>();

function snapshot(type: string): ElementDefinition[] {
  const known = snapshots.get(type);
  if (known !== undefined) return known;
  const definition = read<{ snapshot: { element: ElementDefinition[] } }>(`StructureDefinition-${type}.json`);
  snapshots.set(type, definition.snapshot.element);
  return definition.snapshot.element;
}

/** Files of the code systems that AuditEvents use, by canonical URL. */
const CODE_SYSTEMS: Readonly<Record<string, string>> = {
  "http://terminology.hl7.org/CodeSystem/audit-event-type": "audit-event-type",
  "http://terminology.hl7.org/CodeSystem/audit-entity-type": "audit-entity-type",
  "http://terminology.hl7.org/CodeSystem/object-role": "object-role",
  "http://terminology.hl7.org/CodeSystem/security-source-type": "audit-source-type",
  "http://terminology.hl7.org/CodeSystem/v3-ActReason": "v3-ActReason",
  "http://terminology.hl7.org/CodeSystem/v3-ParticipationType": "v3-ParticipationType",
  "http://hl7.org/fhir/restful-interaction": "restful-interaction",
  "http://dicom.nema.org/resources/ontology/DCM": "dicom-dcim",
};
/** Code systems behind AuditEvent's required bindings. */
const REQUIRED: Readonly<Record<string, string>> = {
  "http://hl7.org/fhir/ValueSet/audit-event-action|4.0.1": "audit-event-action",
  "http://hl7.org/fhir/ValueSet/audit-event-outcome|4.0.1": "audit-event-outcome",
  "http://hl7.org/fhir/ValueSet/network-type|4.0.1": "network-type",
};

/**
 * Walks a resource along its StructureDefinition's snapshot and names every fault: unknown and missing elements,
 * cardinalities, primitives' types and patterns, empty values, codes that their system or required value set lacks.
 */
export function faultsOf(resource: Record<string, unknown>): string[] {
  const { resourceType, ...elements } = resource;
  const faults: string[] = [];
  walkObject(elements, snapshot(String(resourceType)), String(resourceType), faults);
  return faults;
}

function walkObject(
  value: Record<string, unknown>,
  definitions: readonly ElementDefinition[],
  path: string,
  faults: string[],
): void {
  if (Object.keys(value).length === 0) faults.push(`${path}: empty object`);
  const depth = path.split(".").length + 1;
  const children = definitions.filter(
    (element) => element.path.startsWith(`${path}.`) && element.path.split(".").length === depth,
  );
  const known = new Set<string>();
  for (const element of children) {
    const [name, type] = nameAndType(element, value);
    known.add(name);
    walkElement(value[name], element, type, `${path}.${name}`, definitions, faults);
  }
  for (const name of Object.keys(value))
    if (!known.has(name)) faults.push(`${path}.${name}: unknown element`);
  if (value["system"] !== undefined && value["code"] !== undefined) checkCoding(value, path, faults);
}

/** value[x] is written with its type's name. */
function nameAndType(element: ElementDefinition, value: Record<string, unknown>): [string, string] {
  const last = element.path.split(".").at(-1)!;
  const types = (element.type ?? []).map((type) => primitiveName(type));
  if (!last.endsWith("[x]")) return [last, types[0] ?? "BackboneElement"];
  const stem = last.slice(0, -3);
  const names = types.map(
    (type) => [`${stem}${type[0]!.toUpperCase()}${type.slice(1)}`, type] as [string, string],
  );
  return names.find(([name]) => name in value) ?? names[0]!;
}

function walkElement(
  value: unknown,
  element: ElementDefinition,
  type: string,
  path: string,
  definitions: readonly ElementDefinition[],
  faults: string[],
): void {
  const isList = element.max === "*";
  if (value === undefined) {
    if (element.min > 0) faults.push(`${path}: missing`);
    return;
  }
  if (Array.isArray(value) !== isList) {
    faults.push(`${path}: ${isList ? "must be a list" : "must not be a list"}`);
    return;
  }
  const items: unknown[] = Array.isArray(value) ? value : [value];
  if (items.length < Math.max(element.min, 1)) faults.push(`${path}: has ${items.length} of ${element.min}`);
  for (const item of items) {
    if (typeof item !== "object" || item === null) {
      checkPrimitive(item, type, path, faults);
      checkBinding(item, element, path, faults);
    } else if (type === "BackboneElement") {
      // A backbone element's children stand in the resource's own snapshot.
      walkObject(item as Record<string, unknown>, renamed(definitions, element.path, path), path, faults);
    } else if (type === "Resource") {
      faults.push(...faultsOf(item as Record<string, unknown>));
    } else {
      walkObject(item as Record<string, unknown>, renamed(snapshot(type), type, path), path, faults);
    }
  }
}

/** Definitions with the stem of their paths replaced by where they are used. */
function renamed(definitions: readonly ElementDefinition[], from: string, to: string): ElementDefinition[] {
  return definitions
    .filter((element) => element.path === from || element.path.startsWith(`${from}.`))
    .map((element) => ({ ...element, path: to + element.path.slice(from.length) }));
}

function checkPrimitive(value: unknown, type: string, path: string, faults: string[]): void {
  if (type === "boolean") {
    if (typeof value !== "boolean") faults.push(`${path}: not a boolean`);
    return;
  }
  if (typeof value !== "string" || value.trim() === "") {
    faults.push(`${path}: not a text of type ${type}`);
    return;
  }
  const pattern = patternOf(type);
  if (pattern !== undefined && !pattern.test(value)) faults.push(`${path}: ${value} is not a ${type}`);
}

/** The pattern that a primitive type's own definition gives. */
function patternOf(type: string): RegExp | undefined {
  const element = snapshot(type).find(({ path }) => path === `${type}.value`);
  const regex = element?.type?.[0]?.extension?.find(({ url }) => url.endsWith("/regex"))?.valueString;
  return regex === undefined ? undefined : new RegExp(`^(?:${regex})$`);
}

function primitiveName({ code, extension }: NonNullable<ElementDefinition["type"]>[number]): string {
  if (!code.startsWith("http://hl7.org/fhirpath/")) return code;
  return extension?.find(({ url }) => url.endsWith("structuredefinition-fhir-type"))?.valueUrl ?? "string";
}

function checkBinding(value: unknown, { binding }: ElementDefinition, path: string, faults: string[]): void {
  if (binding?.strength !== "required") return;
  const system = REQUIRED[binding.valueSet];
  if (system === undefined) return;
  if (!concepts(system).has(String(value)))
    faults.push(`${path}: ${String(value)} is not in ${binding.valueSet}`);
}

function checkCoding(coding: Record<string, unknown>, path: string, faults: string[]): void {
  const { system, code, display } = coding as { system: string; code: string; display?: string };
  const name = CODE_SYSTEMS[system];
  if (name === undefined) {
    if (!system.startsWith("https://profiles.ihe.net/"))
      faults.push(`${path}: unknown code system ${system}`);
    return;
  }
  const known = concepts(name);
  if (!known.has(code)) faults.push(`${path}: ${system} has no code ${code}`);
  else if (display !== undefined && known.get(code) !== display) {
    faults.push(`${path}: ${code} is displayed as "${known.get(code)}", not "${display}"`);
  }
}

const systems = new Map<string, Map<string, string | undefined>>();

function concepts(name: string): Map<string, string | undefined> {
  const known = systems.get(name) ?? new Map<string, string | undefined>();
  if (known.size === 0) {
    const add = (concept: Concept) => {
      known.set(concept.code, concept.display);
      concept.concept?.forEach(add);
    };
    read<{ concept: Concept[] }>(`CodeSystem-${name}.json`).concept.forEach(add);
    systems.set(name, known);
  }
  return known;
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(join(DEFINITIONS, file), "utf8")) as T;
}
