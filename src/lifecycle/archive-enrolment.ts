// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { PatientIdentifier, Vault } from "../vault/index.js";

/** What a custodian's vault holds of who a patient is. */
export interface ArchiveEnrolment {
  patientId: Hex;
  /** As records name him. */
  identifiers: PatientIdentifier[];
  /** What the hospital's staff knows him by. */
  label?: string;
  /** ERC-7913: the key that signs for him. */
  signer?: Hex;
}

export function enrolmentOf(vault: Vault, patients: readonly Hex[]): ArchiveEnrolment[] {
  return patients.map((patient) => {
    const { patientId, identifiers, label, signer } = vault.patient(patient);
    return {
      patientId,
      identifiers,
      ...(label === undefined ? {} : { label }),
      ...(signer === undefined ? {} : { signer }),
    };
  });
}
