// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import type { PatientDetails, Patients } from "./patients.js";

/**
 * Patients who were enrolled twice. Only the vault knows: on chain each id keeps its records, grants and directive, and
 * nothing there says that they are one person's.
 */
export class Merges {
  readonly #database: Database;
  readonly #patients: Patients;

  constructor(database: Database, patients: Patients) {
    this.#database = database;
    this.#patients = patients;
  }

  /**
   * Makes one id a duplicate of another: its identifiers name the other from now on.
   * @throws ERR_PATIENT_UNKNOWN, ERR_USAGE when one of them is merged already or is the administrative id
   */
  merge(duplicate: Hex, into: Hex): void {
    this.#database.transaction(() => {
      const [from, to] = [this.#patients.get(duplicate), this.#patients.get(into)];
      const why = refusal(from, to);
      if (why !== undefined) {
        throw new ChartsealError("ERR_USAGE", why, { values: { duplicate, into } });
      }
      for (const identifier of from.identifiers) {
        this.#patients.removeIdentifier(duplicate, identifier);
        this.#patients.addIdentifier(into, identifier);
      }
      this.#patients.setMerges(duplicate, { merged: { into, identifiers: from.identifiers } });
      this.#patients.setMerges(into, { duplicates: [...duplicatesOf(to), duplicate] });
    });
  }

  /** Takes a merge back: the identifiers that came with it return. @throws ERR_USAGE when there is none */
  unmerge(duplicate: Hex): void {
    this.#database.transaction(() => {
      const { merged } = this.#patients.get(duplicate);
      if (merged === undefined) {
        throw new ChartsealError("ERR_USAGE", `${duplicate} is merged into nobody`, {
          values: { duplicate },
        });
      }
      for (const identifier of merged.identifiers) {
        // One that was taken from him since stays taken.
        if (this.#patients.removeIdentifier(merged.into, identifier))
          this.#patients.addIdentifier(duplicate, identifier);
      }
      const survivor = this.#patients.get(merged.into);
      const duplicates = duplicatesOf(survivor).filter((id) => id !== duplicate);
      this.#patients.setMerges(merged.into, duplicates.length === 0 ? {} : { duplicates });
      this.#patients.setMerges(duplicate, {});
    });
  }

  /** All ids of the person, the surviving one first. @throws ERR_PATIENT_UNKNOWN */
  idsOf(patientId: Hex): Hex[] {
    const survivor = this.#patients.get(patientId).merged?.into ?? patientId;
    return [survivor, ...duplicatesOf(this.#patients.get(survivor))];
  }

  /** Whether the two ids are one person's. */
  isDuplicate(duplicate: Hex, of: Hex): boolean {
    return duplicatesOf(this.#patients.get(of)).includes(duplicate);
  }
}

function duplicatesOf({ duplicates = [] }: PatientDetails): Hex[] {
  return duplicates;
}

function refusal(from: PatientDetails, to: PatientDetails): string | undefined {
  if (from.patientId === to.patientId) return "a patient cannot be merged into himself";
  if (from.administrative || to.administrative) return "the administrative id is no person";
  if (from.merged !== undefined) return `${from.patientId} is merged already, into ${from.merged.into}`;
  if (to.merged !== undefined) return `${to.patientId} is merged into ${to.merged.into}: merge into that one`;
  if (duplicatesOf(from).length > 0)
    return `others are merged into ${from.patientId}: merge the other way, or unmerge them first`;
  return undefined;
}
