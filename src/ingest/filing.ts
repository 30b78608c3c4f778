// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { Hex } from "../crypto/index.js";
import {
  ItemState,
  resolveSubject,
  type JournalItem,
  type PatientRef,
  type PatientRules,
  type SourceItem,
  type Supports,
} from "../records/index.js";
import type { Vault } from "../vault/index.js";

/** Patients whose compartment number is kept at hand: the vault takes a sixth of a millisecond for each. */
const MOST_COMPARTMENTS = 50_000;
/** Identifiers whose patient is kept at hand. */
const MOST_FOUND = 50_000;

/** Under whom an item is filed, or why it is not yet. */
export interface Filing {
  state: ItemState;
  patient?: { patientId: Hex; compartment: number } | undefined;
  /** Left out for a record. */
  supports?: Supports;
  error?: ChartsealError;
}

type Amended = Pick<JournalItem, "patientId" | "compartment">;

export interface FilerParts {
  vault: Vault;
  rules: PatientRules;
  /** Name of the compartment that new records are filed in. */
  compartment: string;
}

/** Files items by what the rules say of them. Remembers what the vault said. */
export class Filer {
  readonly #parts: FilerParts;
  readonly #compartments = new Map<Hex, number>();
  readonly #found = new Map<string, Hex | undefined>();
  #administrative: Hex | undefined;
  #identitiesVersion = "";

  constructor(parts: FilerParts) {
    this.#parts = parts;
  }

  file(item: Pick<SourceItem, "path" | "resourceType" | "subjects" | "administrative">): Filing {
    const resolution = resolveSubject(item, this.#parts.rules, (ref) => this.#find(ref));
    if (resolution instanceof ChartsealError) return { state: ItemState.DEAD, error: resolution };
    if ("unknown" in resolution) return { state: ItemState.WAITING };
    const patientId = "patientId" in resolution ? (resolution.patientId as Hex) : this.#administrativeId();
    if (patientId === undefined) return { state: ItemState.WAITING };
    return { state: ItemState.SEALED, patient: { patientId, compartment: this.#compartmentOf(patientId) } };
  }

  /** An amendment of a record under a person's merged duplicate stays there: else it would tie the two ids on chain. */
  amending(patient: Filing["patient"], amended: Amended | undefined): Filing["patient"] {
    if (patient === undefined || amended?.patientId === undefined || amended.compartment === undefined)
      return patient;
    const { patientId, compartment } = amended;
    if (patientId === patient.patientId) return patient;
    return this.#parts.vault.merges.isDuplicate(patientId, patient.patientId)
      ? { patientId, compartment }
      : patient;
  }

  /** Asks the vault again from now on if it changed: somebody may have enrolled a patient. */
  forget(): void {
    const version = this.#parts.vault.identitiesVersion;
    if (version === this.#identitiesVersion && this.#found.size < MOST_FOUND) return;
    this.#identitiesVersion = version;
    this.#found.clear();
    this.#administrative = undefined;
  }

  #find(ref: PatientRef): Hex | undefined {
    const system = ref.system.trim();
    const value = ref.value.trim();
    // The vault refuses half an identifier; in a source it is common, and names nobody.
    if (system === "" || value === "") return undefined;
    const key = `${system}\u0000${value}`;
    if (!this.#found.has(key)) this.#found.set(key, this.#parts.vault.patientByIdentifier({ system, value }));
    return this.#found.get(key);
  }

  #administrativeId(): Hex | undefined {
    this.#administrative ??= this.#parts.vault.administrativeId();
    return this.#administrative;
  }

  /** A patient's number for a compartment never changes. */
  #compartmentOf(patientId: Hex): number {
    const known = this.#compartments.get(patientId);
    if (known !== undefined) return known;
    const number = this.#parts.vault.compartmentOf(patientId, this.#parts.compartment);
    if (this.#compartments.size >= MOST_COMPARTMENTS) this.#compartments.clear();
    this.#compartments.set(patientId, number);
    return number;
  }
}
