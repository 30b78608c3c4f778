// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleSource } from "../../src/index.js";

const PACKAGES = new URL("../../node_modules/", import.meta.url);
const SYNTHEA = fileURLToPath(new URL("cql-exec-fhir/test/fixtures/r4/", PACKAGES));
const EXAMPLES = fileURLToPath(new URL("hl7.fhir.r4.examples/", PACKAGES));
const TYPES = /^(Observation|Condition|Procedure|DiagnosticReport|MedicationRequest|DocumentReference)-/;
const REFERS_TO_EXAMPLE = /"subject"\s*:\s*\{\s*"reference"\s*:\s*"Patient\/example"/;

/** Two synthetic patients of Synthea, each a Bundle with everything about them. */
export const JOHNNIE = {
  bundle: `${SYNTHEA}Johnnie679_Hermiston71_2cd30bd6-3a87-4191-af90-6daa70f58f55.json`,
  identifier: "https://github.com/synthetichealth/synthea|2cd30bd6-3a87-4191-af90-6daa70f58f55",
};
export const LUNA = {
  bundle: `${SYNTHEA}Luna60_McCullough561_6662f0ca-b617-4e02-8f55-7275e9f49aa0.json`,
  identifier: "https://github.com/synthetichealth/synthea|6662f0ca-b617-4e02-8f55-7275e9f49aa0",
};
/** Patient/example of HL7's official FHIR R4 examples. */
export const PETER = { identifier: "fhir:Patient|example" };

/** Copies the official examples about Patient/example into a folder, byte for byte. */
export async function copyExamples(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  let copied = 0;
  for (const name of (await readdir(EXAMPLES)).sort()) {
    if (!TYPES.test(name) || !REFERS_TO_EXAMPLE.test(await readFile(EXAMPLES + name, "utf8"))) continue;
    await copyFile(EXAMPLES + name, `${folder}/${name}`);
    copied++;
  }
  return copied;
}

/** SHA-256 of the exact bytes of every resource of a type in a Bundle. */
export async function sourceDigests(bundle: string, resourceType: string): Promise<Set<string>> {
  const digests = new Set<string>();
  for await (const item of bundleSource(bundle, { split: true })) {
    if ("error" in item || item.resourceType !== resourceType) continue;
    digests.add(createHash("sha256").update(item.bytes!).digest("hex"));
  }
  return digests;
}
