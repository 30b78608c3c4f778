// SPDX-License-Identifier: Apache-2.0
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { PatientIdentifier, Vault } from "../vault/index.js";

/** `system|value`, as FHIR's token search writes it. @throws ERR_USAGE, without the text, which is a person's */
export function identifierArgument(text: string): PatientIdentifier {
  const bar = text.indexOf("|");
  const [system, value] = [text.slice(0, bar).trim(), text.slice(bar + 1).trim()];
  if (bar > 0 && system !== "" && value !== "") return { system, value };
  throw new ChartsealError("ERR_USAGE", "an identifier is system|value", {
    hint: "for example 'https://hospital.example/mrn|4711', in quotes, for the shell takes | for itself",
  });
}

/**
 * A patient of this member's vault, by patient id or identifier.
 * @throws ERR_USAGE, ERR_PATIENT_UNKNOWN
 */
export function patientArgument(vault: Vault, text: string): Hex {
  const id = text.toLowerCase();
  if (isHex(id, 32)) return id;
  if (/^0x/i.test(text))
    throw new ChartsealError("ERR_USAGE", "a patient id is 0x and 64 hexadecimal digits");
  const patientId = vault.patientByIdentifier(identifierArgument(text));
  if (patientId !== undefined) return patientId;
  throw new ChartsealError("ERR_PATIENT_UNKNOWN", "no enrolled patient has this identifier", {
    hint: "`chartseal patient list` shows the enrolled; `chartseal patient enrol` adds one",
  });
}
