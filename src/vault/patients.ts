// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { concatBytes, type Hex, toHex } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Database, SqlRow } from "../sqlite.js";
import { bytes32, expectLength } from "./expected-bytes.js";
import { compartmentPermutation, type CompartmentNames } from "./compartment-names.js";
import type { Cell } from "./sealed-cell.js";
import type { Settings } from "./settings.js";
import type { VaultKeys } from "./vault-keys.js";

const ADMINISTRATIVE = "administrative-patient";

/** FHIR Identifier: the value is unique within the system. */
export interface PatientIdentifier {
  /** Usually a URI. */
  system: string;
  value: string;
}

export interface NewPatient {
  /** The pseudonym, keccak256(memberId, seed). */
  patientId: Hex;
  /** 32 random bytes behind the pseudonym. */
  seed: Uint8Array;
  identifiers: Iterable<PatientIdentifier>;
  /** For the custodian's staff, such as a name. */
  label?: string;
  /** ERC-7913 signer bytes. */
  signer?: Hex;
  /** True for the custodian's own id, which holds resources without a patient. */
  administrative?: boolean;
}

export interface PatientDetails {
  patientId: Hex;
  seed: Uint8Array;
  identifiers: PatientIdentifier[];
  label?: string;
  signer?: Hex;
  administrative: boolean;
  /** Set for a duplicate: the surviving id, and the identifiers that name that one since. */
  merged?: Merged;
  /** Ids that are merged into this one. */
  duplicates?: Hex[];
}

export interface Merged {
  into: Hex;
  identifiers: PatientIdentifier[];
}

interface StoredDetails {
  seed: string; // base64
  label?: string;
  signer?: Hex;
  merged?: Merged;
  duplicates?: Hex[];
}

/** Who is behind each pseudonym. */
export class Patients {
  /** How often this object changed whom an identifier names, or the administrative id. */
  changes = 0;
  readonly #database: Database;
  readonly #keys: VaultKeys;
  readonly #settings: Settings;
  readonly #names: CompartmentNames;

  constructor(database: Database, keys: VaultKeys, settings: Settings, names: CompartmentNames) {
    this.#database = database;
    this.#keys = keys;
    this.#settings = settings;
    this.#names = names;
  }

  add(patient: NewPatient): void {
    const id = bytes32(patient.patientId, "the patient id");
    expectLength(patient.seed, 32, "the patient's seed");
    const compartmentKey = randomBytes(32);
    this.#database.transaction(() => {
      const added = this.#database.run(
        "INSERT INTO patients VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        id,
        this.#keys.sealJson(detailsCell(id), stored(patient)),
        this.#keys.seal(compartmentCell(id), compartmentKey),
      );
      if (added === 0) throw new ChartsealError("ERR_USAGE", `patient ${toHex(id)} is in the vault already`);
      for (const identifier of patient.identifiers) this.#addIdentifier(id, identifier);
      if (patient.administrative === true) this.#addAdministrative(id);
    });
    compartmentKey.fill(0);
  }

  remove(patientId: Hex): void {
    const id = bytes32(patientId, "the patient id");
    this.#database.transaction(() => {
      this.#row(id);
      this.changes++;
      this.#database.run("DELETE FROM identifiers WHERE patient_id = ?", id);
      this.#database.run("DELETE FROM patients WHERE patient_id = ?", id);
    });
  }

  update(patientId: Hex, changes: { label?: string | null; signer?: Hex | null }): void {
    const id = bytes32(patientId, "the patient id");
    this.#database.transaction(() => {
      const { label, signer, ...kept } = this.#details(id, this.#row(id));
      const next = { label: label ?? null, signer: signer ?? null, ...changes };
      this.#store(id, {
        ...kept,
        ...(next.label === null ? {} : { label: next.label }),
        ...(next.signer === null ? {} : { signer: next.signer }),
      });
    });
  }

  /** Replaces what is known of merges. In a transaction of the caller's. */
  setMerges(patientId: Hex, merges: Pick<PatientDetails, "merged" | "duplicates">): void {
    const id = bytes32(patientId, "the patient id");
    const { merged: _merged, duplicates: _duplicates, ...kept } = this.#details(id, this.#row(id));
    this.#store(id, { ...kept, ...merges });
  }

  addIdentifier(patientId: Hex, identifier: PatientIdentifier): void {
    const id = bytes32(patientId, "the patient id");
    this.#database.transaction(() => {
      this.#row(id);
      this.#addIdentifier(id, identifier);
    });
  }

  removeIdentifier(patientId: Hex, identifier: PatientIdentifier): boolean {
    const id = bytes32(patientId, "the patient id");
    const lookup = this.#lookup(normalIdentifier(identifier));
    this.changes++;
    return this.#database.run("DELETE FROM identifiers WHERE lookup = ? AND patient_id = ?", lookup, id) > 0;
  }

  byIdentifier(identifier: PatientIdentifier): Hex | undefined {
    const lookup = this.#lookup(normalIdentifier(identifier));
    const row = this.#database.get("SELECT * FROM identifiers WHERE lookup = ?", lookup);
    if (row === undefined) return undefined;
    this.#openIdentifier(row); // else a changed patient_id would file records under another patient
    return toHex(row["patient_id"] as Uint8Array);
  }

  get(patientId: Hex): PatientDetails {
    const id = bytes32(patientId, "the patient id");
    return this.#read(this.#row(id), this.administrativeId());
  }

  all(): PatientDetails[] {
    const administrative = this.administrativeId();
    return this.#database.all("SELECT * FROM patients").map((row) => this.#read(row, administrative));
  }

  administrativeId(): Hex | undefined {
    const id = this.#settings.get(ADMINISTRATIVE);
    return id === undefined ? undefined : toHex(id);
  }

  setAdministrativeId(patientId: Hex): void {
    const id = bytes32(patientId, "the patient id");
    this.#database.transaction(() => {
      this.#row(id);
      this.changes++;
      this.#settings.set(ADMINISTRATIVE, id);
    });
  }

  compartmentOf(patientId: Hex, name: string): number {
    const place = this.#names.place(name);
    return this.#permutation(patientId)[place]!;
  }

  compartments(patientId: Hex): Record<string, number> {
    const numbers = this.#permutation(patientId);
    return Object.fromEntries(this.#names.all().map((name, place) => [name, numbers[place]!]));
  }

  #permutation(patientId: Hex): number[] {
    const id = bytes32(patientId, "the patient id");
    const key = this.#keys.open(compartmentCell(id), this.#row(id)["compartment_key"]);
    const numbers = compartmentPermutation(key);
    key.fill(0);
    return numbers;
  }

  #addAdministrative(id: Uint8Array): void {
    const other = this.administrativeId();
    if (other !== undefined) {
      throw new ChartsealError("ERR_USAGE", `the vault has an administrative patient already, ${other}`, {
        values: { patientId: other },
      });
    }
    this.changes++;
    this.#settings.set(ADMINISTRATIVE, id);
  }

  #addIdentifier(id: Uint8Array, identifier: PatientIdentifier): void {
    const value = normalIdentifier(identifier);
    const lookup = this.#lookup(value);
    const owner = this.#database.get("SELECT * FROM identifiers WHERE lookup = ?", lookup);
    if (owner === undefined) {
      const sealed = this.#keys.sealJson(identifierCell(lookup, id), value);
      this.changes++;
      this.#database.run("INSERT INTO identifiers VALUES (?, ?, ?)", lookup, id, sealed);
      return;
    }
    this.#openIdentifier(owner);
    const ownerId = toHex(owner["patient_id"] as Uint8Array);
    if (ownerId === toHex(id)) return;
    throw new ChartsealError(
      "ERR_PATIENT_AMBIGUOUS",
      `an identifier of ${toHex(id)} already belongs to ${ownerId}`,
      {
        values: { patientId: toHex(id), ownerId },
        hint: "if they are one person, enrol once and add the identifiers; else correct the source",
      },
    );
  }

  #lookup({ system, value }: PatientIdentifier): Uint8Array {
    return this.#keys.lookup("identifier", system, value);
  }

  #openIdentifier(row: SqlRow): PatientIdentifier {
    const cell = identifierCell(row["lookup"] as Uint8Array, row["patient_id"] as Uint8Array);
    return this.#keys.openJson(cell, row["identifier"]) as PatientIdentifier;
  }

  #row(id: Uint8Array): SqlRow {
    const row = this.#database.get("SELECT * FROM patients WHERE patient_id = ?", id);
    if (row !== undefined) return row;
    throw new ChartsealError("ERR_PATIENT_UNKNOWN", `no patient ${toHex(id)} in the vault`, {
      values: { patientId: toHex(id) },
    });
  }

  #details(id: Uint8Array, row: SqlRow): StoredDetails {
    return this.#keys.openJson(detailsCell(id), row["details"]) as StoredDetails;
  }

  #store(id: Uint8Array, details: StoredDetails): void {
    this.#database.run(
      "UPDATE patients SET details = ? WHERE patient_id = ?",
      this.#keys.sealJson(detailsCell(id), details),
      id,
    );
  }

  #read(row: SqlRow, administrative: Hex | undefined): PatientDetails {
    const id = row["patient_id"] as Uint8Array;
    const { seed, ...rest } = this.#details(id, row);
    const identifiers = this.#database.all("SELECT * FROM identifiers WHERE patient_id = ?", id);
    const patientId = toHex(id);
    return {
      patientId,
      seed: new Uint8Array(Buffer.from(seed, "base64")),
      identifiers: identifiers.map((identifier) => this.#openIdentifier(identifier)),
      ...rest,
      administrative: patientId === administrative,
    };
  }
}

function stored({ seed, label, signer }: NewPatient): StoredDetails {
  return {
    seed: Buffer.from(seed).toString("base64"),
    ...(label === undefined ? {} : { label }),
    ...(signer === undefined ? {} : { signer }),
  };
}

/** One identifier has one spelling: trimmed, Unicode NFC. Case and leading zeros can matter and stay. */
export function normalIdentifier(identifier: PatientIdentifier): PatientIdentifier {
  const system = identifier.system.trim().normalize("NFC");
  const value = identifier.value.trim().normalize("NFC");
  if (system === "" || value === "") {
    throw new ChartsealError("ERR_USAGE", "an identifier needs a system and a value");
  }
  return { system, value };
}

function detailsCell(id: Uint8Array): Cell {
  return { table: "patients", column: "details", row: id };
}

function compartmentCell(id: Uint8Array): Cell {
  return { table: "patients", column: "compartment_key", row: id };
}

function identifierCell(lookup: Uint8Array, id: Uint8Array): Cell {
  return { table: "identifiers", column: "identifier", row: concatBytes(lookup, id) };
}
