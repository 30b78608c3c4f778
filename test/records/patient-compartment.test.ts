// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { ADMINISTRATIVE_TYPES } from "../../src/records/administrative-types.js";
import { BEYOND_COMPARTMENT, PATIENT_COMPARTMENT } from "../../src/records/patient-compartment.js";

const folder = dirname(createRequire(import.meta.url).resolve("hl7.fhir.r4.examples/package.json"));
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, never>;

interface Definition {
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[];
}
interface Parameter {
  readonly code: string;
  readonly base: readonly string[];
  readonly type: string;
  readonly url: string;
  readonly expression: string;
}

const definition = read("CompartmentDefinition-patient.json") as unknown as Definition;

/** The elements of the official definition: each parameter's expression, cut down to one resource type. */
function officialElements(): Record<string, string[]> {
  const parameters = readdirSync(folder)
    .filter((file) => file.startsWith("SearchParameter-"))
    .map((file) => read(file) as unknown as Parameter)
    .filter(
      ({ type, url }) => type === "reference" && url.startsWith("http://hl7.org/fhir/SearchParameter/"),
    );
  const elements: Record<string, string[]> = {};
  for (const { code, param } of definition.resource) {
    if (param === undefined) continue;
    const expressions = parameters
      .filter((parameter) => param.includes(parameter.code) && parameter.base.includes(code))
      .flatMap(({ expression }) => expression.split("|").map((part) => part.trim()))
      .filter((part) => part.startsWith(`${code}.`))
      .map((part) => part.slice(code.length + 1).replace(".where(resolve() is Patient)", ""));
    elements[code] = [...new Set(expressions)].sort();
  }
  return elements;
}

describe("the patient compartment", () => {
  it("is the official definition, element by element, without Patient.link", () => {
    const { Patient: link, ...official } = officialElements();
    expect(link).to.deep.equal(["link.other"]);
    const ours = Object.entries(PATIENT_COMPARTMENT).map(([type, paths]) => [type, [...paths].sort()]);
    expect(Object.fromEntries(ours)).to.deep.equal(official);
  });

  it("is added to only for types that the definition has no element for", () => {
    const without = definition.resource.filter(({ param }) => param === undefined).map(({ code }) => code);
    expect(without).to.include.members(Object.keys(BEYOND_COMPARTMENT));
  });

  it("shares no type with the administrative ones, which are all real types", () => {
    const outside = definition.resource.filter(({ param }) => param === undefined).map(({ code }) => code);
    expect(outside).to.include.members([...ADMINISTRATIVE_TYPES]);
    expect(ADMINISTRATIVE_TYPES).not.to.include.members(Object.keys(BEYOND_COMPARTMENT));
    for (const type of ["Binary", "Bundle", "Task", "Device", "Linkage"]) {
      expect(ADMINISTRATIVE_TYPES).not.to.include(type);
    }
  });
});
