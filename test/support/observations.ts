// SPDX-License-Identifier: Apache-2.0
import { ndjsonSource, type Source } from "../../src/ingest/index.js";

export interface ObservationLine {
  id: number | string;
  patient: string;
  /** Other text, other bytes: an amendment. */
  note?: string;
}

/** One FHIR Observation as a line of NDJSON. */
export function observation({ id, patient, note = "first" }: ObservationLine): string {
  return JSON.stringify({
    resourceType: "Observation",
    id: String(id),
    status: "final",
    code: { text: note },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: "2024-05-06",
    valueQuantity: { value: 1.5 },
  });
}

/** `count` observations of one patient, numbered from `first`. */
export function observations(patient: string, count: number, first = 1, note = "first"): string[] {
  return Array.from({ length: count }, (_, position) => observation({ id: first + position, patient, note }));
}

export function linesSource(lines: readonly string[], name = "test.ndjson"): Source {
  return ndjsonSource(
    (async function* () {
      yield Buffer.from(`${lines.join("\n")}\n`);
    })(),
    { name },
  );
}
