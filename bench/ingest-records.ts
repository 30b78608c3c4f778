// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, readdirSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const FROM_BYTES = 1_024;
const TO_BYTES = 4_096;
/** Characters that a new id and reference may take. */
const ROOM = 100;
/** Lines of one write: a million lines are longer than a string may be. */
const LINES_PER_WRITE = 1_000;

interface Resource {
  resourceType: string;
  id: string;
  subject?: { reference: string };
}

/**
 * Writes FHIR NDJSON of `count` records of 1 to 4 KiB: resources of two Synthea patients, again and again, each under
 * an id of its own and for one of `patients`. The same for the same arguments.
 */
export function writeRecords(file: string, count: number, patients: readonly string[]): void {
  const pool = syntheaResources();
  const out = openSync(file, "w");
  try {
    for (let from = 0; from < count; from += LINES_PER_WRITE) {
      const lines = Array.from({ length: Math.min(LINES_PER_WRITE, count - from) }, (_, line) => {
        const record = from + line;
        const subject = { reference: `Patient/${patients[record % patients.length]}` };
        return `${JSON.stringify({ ...pool[record % pool.length]!, id: `bench-${record}`, subject })}\n`;
      });
      writeSync(out, lines.join(""));
    }
  } finally {
    closeSync(out);
  }
}

function syntheaResources(): Resource[] {
  const home = dirname(createRequire(import.meta.url).resolve("cql-exec-fhir/package.json"));
  const folder = join(home, "test/fixtures/r4");
  const files = readdirSync(folder).filter((name) => /^(Johnnie679|Luna60)_/.test(name));
  return files
    .sort()
    .flatMap((name) => {
      const bundle = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
        entry: { resource: Resource }[];
      };
      return bundle.entry.map(({ resource }) => resource);
    })
    .filter((resource) => resource.subject !== undefined)
    .filter((resource) => {
      const length = JSON.stringify(resource).length;
      return length > FROM_BYTES + ROOM && length < TO_BYTES - ROOM;
    });
}
