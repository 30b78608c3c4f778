// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const FROM_BYTES = 1_024;
const TO_BYTES = 4_096;
/** Characters that a new id and reference may take. */
const ROOM = 100;

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
  const lines: string[] = [];
  for (let record = 0; record < count; record++) {
    const resource: Resource = { ...pool[record % pool.length]!, id: `bench-${record}` };
    resource.subject = { reference: `Patient/${patients[record % patients.length]}` };
    lines.push(JSON.stringify(resource));
  }
  writeFileSync(file, lines.join("\n"));
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
