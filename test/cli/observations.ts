// SPDX-License-Identifier: Apache-2.0

/** A FHIR Observation that names its patient as an identifier of the test's system does. */
export function observation(id: string, patient: string, value = 1): string {
  return JSON.stringify({
    resourceType: "Observation",
    id,
    status: "final",
    code: { text: "glucose" },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: "2026-05-04T10:00:00Z",
    valueQuantity: { value, unit: "mmol/L" },
  });
}

/** FHIR NDJSON of `count` Observations of one patient. */
export function observations(patient: string, count: number, prefix = "o"): string {
  return Array.from(
    { length: count },
    (_, number) => `${observation(`${prefix}${number + 1}`, patient)}\n`,
  ).join("");
}

/** How a patient is enrolled so that `Patient/<id>` means him. */
export function reference(patient: string): string {
  return `fhir:Patient|${patient}`;
}
